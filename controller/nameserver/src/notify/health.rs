//! What ails a secondary, judged by what became of the last messages to it. Pure.

use cst_compiler::status::ailment::Ailment;

/// After so many messages without any response the server counts as silent.
pub(super) const SILENT_AFTER: usize = 8;
/// After so many answers in a row without a catalog zone it does not get it: some seconds, in which a new server fetches it.
const WITHOUT_CATALOG_AFTER: usize = 9;
/// After so many refused in a row, none taken between: one may come while a server loads its zones.
const NOTIFIES_REFUSED: usize = 2;

/// What the last messages met, counted without a break.
#[derive(Debug, Default)]
pub(super) struct Health {
    unanswered: usize,
    /// Messages that were refused for their key; each was signed with another of its name.
    refused: usize,
    /// Whether the last of them was for its secret.
    is_secret_other: bool,
    is_clock_refused: bool,
    notifies_refused: usize,
    without_catalog: usize,
}

impl Health {
    /// A message was not answered.
    pub(super) fn unanswered(&mut self) {
        self.unanswered += 1;
    }

    /// Some response came.
    pub(super) fn answered(&mut self) {
        self.unanswered = 0;
    }

    /// A signature was good, or not asked for.
    pub(super) fn accepted(&mut self) {
        self.refused = 0;
        self.is_clock_refused = false;
    }

    /// A signature was refused for its key, or only for its secret.
    pub(super) fn key_refused(&mut self, is_secret_other: bool) {
        self.refused += 1;
        self.is_secret_other = is_secret_other;
    }

    /// Whether a NOTIFY was taken for a zone that the server has.
    pub(super) fn notify(&mut self, is_taken: bool) {
        self.notifies_refused = if is_taken { 0 } else { self.notifies_refused + 1 };
    }

    /// A signature was refused for its time.
    pub(super) fn time_refused(&mut self) {
        self.is_clock_refused = true;
    }

    /// Whether the server has the catalog.
    pub(super) fn catalog(&mut self, is_there: bool) {
        self.without_catalog = if is_there { 0 } else { self.without_catalog + 1 };
    }

    /// Nothing comes back: one message at a time is enough.
    pub(super) fn is_silent(&self) -> bool {
        self.unanswered >= SILENT_AFTER
    }

    /// What ails it; `keys` is how many keys of its key's name there are: while one is replaced a server knows one of them.
    pub(super) fn ailment(&self, keys: usize) -> Option<Ailment> {
        let is_refused = self.refused >= keys.max(1);
        [
            (self.is_silent(), Ailment::Silent),
            (is_refused && self.is_secret_other, Ailment::OtherSecret),
            (is_refused, Ailment::UnknownKey),
            (self.is_clock_refused, Ailment::Clock),
            (self.without_catalog >= WITHOUT_CATALOG_AFTER, Ailment::NoCatalog),
            (self.notifies_refused >= NOTIFIES_REFUSED, Ailment::NotifyRefused),
        ]
        .into_iter()
        .find_map(|(holds, ailment)| holds.then_some(ailment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_lost_messages_are_no_silence_and_one_response_ends_it() {
        let mut health = Health::default();
        (1..SILENT_AFTER).for_each(|_| health.unanswered());
        assert_eq!(health.ailment(1), None);
        health.unanswered();
        assert_eq!(health.ailment(1), Some(Ailment::Silent));
        health.answered();
        assert_eq!(health.ailment(1), None);
    }

    #[test]
    fn a_key_is_unknown_when_every_one_of_its_name_was_refused() {
        let mut health = Health::default();
        health.key_refused(false);
        assert_eq!((health.ailment(2), health.ailment(1)), (None, Some(Ailment::UnknownKey)));
        health.key_refused(true);
        assert_eq!(health.ailment(2), Some(Ailment::OtherSecret));
        health.accepted();
        assert_eq!(health.ailment(1), None);
        health.time_refused();
        assert_eq!(health.ailment(1), Some(Ailment::Clock));
    }

    #[test]
    fn a_catalog_may_take_some_seconds_to_come() {
        let mut health = Health::default();
        (1..WITHOUT_CATALOG_AFTER).for_each(|_| health.catalog(false));
        assert_eq!(health.ailment(1), None);
        health.catalog(false);
        assert_eq!(health.ailment(1), Some(Ailment::NoCatalog));
        health.catalog(true);
        assert_eq!(health.ailment(1), None);
    }

    #[test]
    fn a_refused_notify_is_an_ailment_until_one_is_taken() {
        let mut health = Health::default();
        health.notify(false);
        assert_eq!(health.ailment(1), None);
        health.notify(false);
        assert_eq!(health.ailment(1), Some(Ailment::NotifyRefused));
        health.notify(true);
        assert_eq!(health.ailment(1), None);
    }
}
