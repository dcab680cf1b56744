//! What is known of one zone at one secondary, and when to do what next. Pure: time is an argument.

use std::time::Duration;

use cst_compiler::plan::serial::{is_believable, is_newer};

use super::First;

/// The first pause after a question that was not answered as hoped; it doubles.
const SHORTEST: Duration = Duration::from_millis(8);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(30);
/// From this pause on every question is preceded by a NOTIFY again.
const RENOTIFY: Duration = Duration::from_secs(1);
/// The same for a zone that the server does not have: the catalog is what it waits for, not us.
const RENOTIFY_UNKNOWN: Duration = Duration::from_secs(8);

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Notify,
    Ask,
}

/// One zone's way to being in sync.
#[derive(Debug)]
pub(super) struct Track {
    target: u32,
    /// What was reported last; `None` before the first report of a version.
    reported: Option<Option<u32>>,
    serial: Option<u32>,
    pub(super) step: Step,
    attempt: u32,
    /// Counts plans, so that what was due under an earlier one is known to be stale.
    pub(super) plan: u64,
    is_settled: bool,
    /// Whether this version's NOTIFY was sent.
    is_notified: bool,
}

/// What follows from an answer, or from none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Next {
    /// What is to be reported.
    pub(super) report: Option<Option<u32>>,
    /// After what pause the next step is; `None` when there is none.
    pub(super) pause: Option<Duration>,
}

impl Track {
    pub(super) fn new(target: u32, first: First) -> Self {
        let step = if first == First::Notify { Step::Notify } else { Step::Ask };
        Self { target, reported: None, serial: None, step, attempt: 0, plan: 0, is_settled: false, is_notified: false }
    }

    /// A new version of the zone.
    pub(super) fn publish(&mut self, target: u32, first: First) {
        let next = Self::new(target, first);
        *self = Self { serial: self.serial, plan: self.plan + 1, ..next };
    }

    /// The server took the NOTIFY: it is asked at once whether it has transferred.
    pub(super) fn notified(&mut self) -> Next {
        self.step = Step::Ask;
        self.is_notified = true;
        Next { report: None, pause: Some(self.pause().min(SHORTEST)) }
    }

    /// The server answered with a serial, or that it has none. One that can be none of the zone's waits to be put right there. `now`:
    /// seconds since 1970.
    pub(super) fn answered(&mut self, serial: Option<u32>, now: u32) -> Next {
        let next = self.heard(serial);
        self.is_settled = serial.is_some_and(|serial| !is_newer(self.target, serial) && is_believable(serial, now));
        Next { pause: (!self.is_settled).then(|| self.again()), ..next }
    }

    /// Whether the server answered for the zone when last heard.
    pub(super) fn is_served(&self) -> bool {
        self.serial.is_some()
    }

    fn heard(&mut self, serial: Option<u32>) -> Next {
        self.serial = serial;
        let report = (self.reported != Some(serial)).then_some(serial);
        self.reported = Some(serial);
        Next { report, pause: None }
    }

    /// The server did not answer.
    pub(super) fn unanswered(&mut self) -> Next {
        match self.step {
            Step::Notify => Next { report: None, pause: Some(self.again()) },
            Step::Ask => {
                let next = self.heard(None);
                Next { pause: Some(self.again()), ..next }
            }
        }
    }

    /// The pause before the next step, which is a NOTIFY when it can help.
    fn again(&mut self) -> Duration {
        let pause = self.pause();
        let threshold = if self.serial.is_some() { RENOTIFY } else { RENOTIFY_UNKNOWN };
        let never_notified = self.serial.is_some() && !self.is_notified && self.step == Step::Ask;
        self.step = if pause >= threshold || never_notified { Step::Notify } else { Step::Ask };
        self.attempt += 1;
        pause
    }

    fn pause(&self) -> Duration {
        SHORTEST.saturating_mul(1 << self.attempt.min(16)).min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u32 = 8;

    /// Steps and pauses while the server answers `serial`, until it is settled or `count` steps are made.
    fn follow(track: &mut Track, serial: Option<u32>, count: usize) -> Vec<(Step, Duration)> {
        let mut steps = Vec::new();
        while steps.len() < count && !track.is_settled {
            let step = track.step;
            let next = if step == Step::Notify { track.notified() } else { track.answered(serial, NOW) };
            steps.push((step, next.pause.unwrap_or_default()));
        }
        steps
    }

    #[test]
    fn an_update_is_notified_then_asked_for_until_it_is_there() {
        let mut track = Track::new(7, First::Notify);
        assert_eq!(track.notified(), Next { report: None, pause: Some(SHORTEST) });
        assert_eq!(track.answered(Some(6), NOW), Next { report: Some(Some(6)), pause: Some(SHORTEST) });
        assert_eq!(track.answered(Some(6), NOW).report, None, "told once");
        assert_eq!(track.answered(Some(7), NOW), Next { report: Some(Some(7)), pause: None });
    }

    #[test]
    fn what_is_in_sync_after_a_restart_is_asked_for_once_and_never_notified() {
        let mut track = Track::new(7, First::Ask);
        assert_eq!(track.answered(Some(7), NOW), Next { report: Some(Some(7)), pause: None });
        track.publish(7, First::Ask);
        assert_eq!(
            track.answered(Some(7), NOW).report,
            Some(Some(7)),
            "a publication is confirmed even when nothing changed"
        );
    }

    #[test]
    fn what_is_behind_after_a_restart_is_notified() {
        let mut track = Track::new(7, First::Ask);
        track.answered(Some(5), NOW);
        assert_eq!(track.step, Step::Notify);
    }

    #[test]
    fn pauses_double_to_a_bound_and_late_questions_follow_a_notify() {
        let mut track = Track::new(7, First::Notify);
        let steps = follow(&mut track, Some(6), 40);
        assert!(steps.iter().all(|(_, pause)| *pause <= LONGEST));
        let quick = steps.iter().take_while(|(_, pause)| *pause < RENOTIFY);
        assert_eq!(quick.filter(|(step, _)| *step == Step::Notify).count(), 1);
        let late: Vec<Step> = steps[20..].iter().map(|(step, _)| *step).collect();
        assert!(late.chunks(2).all(|pair| pair.contains(&Step::Notify) && pair.contains(&Step::Ask)), "{late:?}");
    }

    #[test]
    fn a_zone_the_server_does_not_have_waits_for_the_catalog() {
        let mut track = Track::new(7, First::Ask);
        let steps = follow(&mut track, None, 10);
        assert!(steps.iter().all(|(step, _)| *step == Step::Ask), "{steps:?}");
        assert_eq!(track.answered(Some(7), NOW).pause, None);
    }

    #[test]
    fn silence_is_reported_once_and_a_serial_ahead_of_ours_is_in_sync() {
        let mut track = Track::new(7, First::Ask);
        assert_eq!(track.unanswered().report, Some(None));
        assert_eq!(track.unanswered().report, None);
        assert_eq!(track.answered(Some(9), NOW), Next { report: Some(Some(9)), pause: None });
    }

    #[test]
    fn a_serial_that_can_be_none_of_the_zone_is_asked_for_until_it_is_put_right() {
        let now = 1_796_000_000;
        let mut track = Track::new(now, First::Ask);
        let ahead = track.answered(Some(3_500_000_000), now);
        assert_eq!((ahead.report, ahead.pause.is_some()), (Some(Some(3_500_000_000)), true));
        assert_eq!(track.answered(Some(now), now), Next { report: Some(Some(now)), pause: None });
        track.publish(now + 1, First::Notify);
        assert_eq!(track.answered(Some(now + 5), now).pause, None, "a version is made above it");
    }
}
