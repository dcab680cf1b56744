//! Whether a site's visitors get it: asked once its pod and its routes are ready, until it answers.

use cst_compiler::desired::web::Site;
use cst_compiler::index::Unit;
use cst_compiler::model::{DomainName, ObjectKey};
use cst_compiler::settings::web::Gateway;

use super::super::{Effect, Engine, Shell, Work, WorkError};
use crate::gateway::{self, Question};
use crate::report::Draft;

/// A question to be asked; `None`: it has become idle.
pub struct AskJob {
    key: ObjectKey,
    question: Option<(Gateway, Question)>,
}

pub(super) fn question(site: &Site) -> Question {
    Question { host: site.host.clone(), path: site.application.probes.ready.clone() }
}

/// Whether it was told to be Ready as it is declared now: that holds until its pod or its routes say otherwise, also over a restart.
pub(super) fn was_ready(draft: Option<&Draft>) -> bool {
    draft.is_some_and(|draft| {
        let ready = draft.last.conditions().iter().find(|condition| condition.type_ == "Ready");
        ready.is_some_and(|ready| ready.status == "True" && ready.observed_generation == draft.generation)
    })
}

impl Engine {
    /// Sets what is to be asked of a site; the host, while that has no answer.
    pub(super) fn ask_for(&mut self, key: &ObjectKey, question: Option<Question>) -> Option<DomainName> {
        if question.is_none() && !self.sites.contains_key(key) {
            return None;
        }
        let state = self.sites.entry(key.clone()).or_default();
        state.question = question.filter(|question| state.answered.as_ref() != Some(question));
        let host = state.question.as_ref()?.host.clone();
        self.mark(Work::Ask(key.clone()));
        Some(host)
    }

    pub(in super::super) fn ask_job(&self, key: &ObjectKey) -> AskJob {
        let question = self.sites.get(key).and_then(|state| state.question.clone());
        let gateway = self.index.settings().web.as_ref().map(|web| web.gateway.clone());
        AskJob { key: key.clone(), question: gateway.zip(question) }
    }

    pub(in super::super) fn site_answered(&mut self, key: ObjectKey, question: Question) {
        let Some(state) = self.sites.get_mut(&key) else { return };
        if state.question.take_if(|asked| *asked == question).is_some() {
            state.answered = Some(question);
            self.mark(Work::Unit(Unit::Site(key)));
        }
    }
}

impl AskJob {
    pub(in super::super) async fn run(self, shell: &Shell, effects: &mut Vec<Effect>) -> Result<(), WorkError> {
        if let Some((gateway, question)) = self.question {
            gateway::ask(&shell.client, &gateway, &question).await?;
            effects.push(Effect::Answered(self.key, question));
        }
        Ok(())
    }
}
