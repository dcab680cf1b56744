//! Objects that belong to no unit, because what they ask for cannot be read: they are told so, and nothing else happens to them.

use cst_api::Reason;
use cst_compiler::problem::{Kind, ObjectRef, Problem};

use super::Engine;
use crate::clock::Now;
use crate::report::Report;

impl Engine {
    pub(super) fn object_reports(&self, object: &ObjectRef, now: &Now) -> Vec<Report> {
        // Meanwhile it may have become readable: then its unit tells.
        if self.unit_of(object).is_some() {
            return Vec::new();
        }
        let Some(mut draft) = self.draft(object, now) else { return Vec::new() };
        draft.facts.problems = self.problems_of(object);
        draft.next = draft.last.clone();
        vec![draft.report()]
    }

    fn problems_of(&self, object: &ObjectRef) -> Vec<Problem> {
        if let Some(error) = self.known.get(object).and_then(|known| known.unreadable.as_ref()) {
            let message = format!("the object cannot be read: {error}; what it stood for goes on as it was");
            return vec![object.error("spec", Reason::Invalid, message)];
        }
        let problems = match object.kind {
            Kind::Tenant => self.index.tenant(&object.key.name).map(|entry| &entry.problems),
            Kind::Domain => self.index.domain(&object.key).map(|entry| &entry.problems),
            Kind::Mailbox => self.index.mailbox(&object.key).map(|entry| &entry.problems),
            Kind::WebSite => self.index.site(&object.key).map(|entry| &entry.problems),
        };
        problems.cloned().unwrap_or_default()
    }
}
