//! Whether a domain's mail can have what it asks for of other objects.

use cst_api::Reason;

use crate::desired::mail::Limits;
use crate::index::{Index, Lookup};
use crate::model::{Address, DomainName};
use crate::parse::{DomainModel, MailModel};
use crate::problem::{Kind, ObjectRef, Problem};

/// What a Domain's `spec.mail` names and cannot have.
pub(super) fn wishes(index: &Index, model: &DomainModel) -> Vec<Problem> {
    let object = ObjectRef::new(Kind::Domain, model.key.clone());
    let Some(mail) = &model.mail else { return Vec::new() };
    let catch_all = mail.catch_all.as_ref().and_then(|to| catch_all(index, model, to));
    let alias_of = mail.alias_of.as_ref().and_then(|other| alias_of(index, model, other));
    let told = |(field, message): (&str, String)| object.error(field, Reason::AddressMissing, message);
    let named = [("spec.mail.catchAll", catch_all), ("spec.mail.aliasOf", alias_of)];
    let missing = named.into_iter().filter_map(|(field, message)| Some(told((field, message?))));
    missing
        .chain(too_much(index, mail).map(|(field, message)| object.error(field, Reason::LimitExceeded, message)))
        .collect()
}

/// The limits that hold for the domain: its own as far as the centre allows them.
pub(in crate::compile) fn limits(index: &Index, model: &DomainModel) -> Limits {
    let centre = index.settings().mail.as_ref().map(|mail| mail.limits.recipients_per_hour);
    let own = model.mail.as_ref().and_then(|mail| mail.recipients_per_hour);
    Limits { recipients_per_hour: centre.into_iter().chain(own).min() }
}

/// The limits that are above the centre's, as field and message.
fn too_much(index: &Index, mail: &MailModel) -> impl Iterator<Item = (&'static str, String)> {
    let centre = index.settings().mail.as_ref().map(|mail| mail.limits);
    let recipients = mail.recipients_per_hour.zip(centre).and_then(|(own, centre)| {
        let allowed = centre.recipients_per_hour;
        let message =
            format!("{own} is more than the {allowed} that the centre allows, which hold: write {allowed} or less");
        (own > allowed).then_some(("spec.mail.limits.recipientsPerHour", message))
    });
    recipients.into_iter()
}

/// The domain's catch-all, if it can have it.
pub(in crate::compile) fn caught_by<'a>(index: &Index, model: &'a DomainModel) -> Option<&'a Address> {
    let to = model.mail.as_ref()?.catch_all.as_ref()?;
    catch_all(index, model, to).is_none().then_some(to)
}

/// The domain whose addresses are valid in this one, if they can be.
pub(in crate::compile) fn alias_for<'a>(index: &Index, model: &'a DomainModel) -> Option<&'a DomainName> {
    let other = model.mail.as_ref()?.alias_of.as_ref()?;
    alias_of(index, model, other).is_none().then_some(other)
}

fn catch_all(index: &Index, model: &DomainModel, to: &Address) -> Option<String> {
    let namespace = &model.key.namespace;
    let is_ours = Lookup::new(index).mail_holder(to).is_some_and(|holder| holder.key.namespace == *namespace);
    (!is_ours).then(|| format!("`{to}` is no address of a Mailbox in {namespace}: name one, or leave catchAll out"))
}

fn alias_of(index: &Index, model: &DomainModel, other: &DomainName) -> Option<String> {
    let namespace = &model.key.namespace;
    let Some(target) = index.held_zone(other).filter(|other| other.hosts_mail() && other.key.namespace == *namespace)
    else {
        return Some(format!(
            "there is no Domain {other} in {namespace} whose mail is Hosted: name one, or leave aliasOf out"
        ));
    };
    let further = target.mail.as_ref().and_then(|mail| mail.alias_of.as_ref())?;
    Some(format!("Domain {other} is itself an alias of {further}: name {further}"))
}
