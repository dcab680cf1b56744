//! Which units are to be compiled: each waits once however often it is marked, is in work at most once, and comes back after a failure
//! with a growing delay.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::time::{Duration, Instant};

const FIRST_DELAY: Duration = Duration::from_millis(100);
const LAST_DELAY: Duration = Duration::from_mins(1);

/// The units that wait, are in work, or failed. Time is an argument.
#[derive(Debug)]
pub struct Queue<U> {
    waiting: VecDeque<U>,
    marked: HashSet<U>,
    in_work: HashSet<U>,
    failed: HashMap<U, Failure>,
    later: HashMap<U, Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Failure {
    times: u32,
    again: Option<Instant>,
}

/// How the work on a unit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All was done.
    Done,
    /// It failed, after doing a part that the next attempt need not do.
    Advanced,
    /// It failed.
    Failed,
}

impl<U: Clone + Eq + Hash> Default for Queue<U> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            marked: HashSet::new(),
            in_work: HashSet::new(),
            failed: HashMap::new(),
            later: HashMap::new(),
        }
    }
}

impl<U: Clone + Eq + Hash> Queue<U> {
    /// The unit is to be compiled, first come first served. One that is in work is taken again afterwards.
    pub fn mark(&mut self, unit: U) {
        if let Some(failure) = self.failed.get_mut(&unit) {
            failure.again = None;
        }
        self.later.remove(&unit);
        if self.marked.insert(unit.clone()) {
            self.waiting.push_back(unit);
        }
    }

    /// The unit is to be compiled at that time, or with the next mark before it; of two times the earlier counts.
    pub fn mark_later(&mut self, unit: U, at: Instant) {
        if !self.marked.contains(&unit) {
            self.later.entry(unit).and_modify(|due| *due = at.min(*due)).or_insert(at);
        }
    }

    /// The next unit to work on; it is in work until [`Self::done`].
    pub fn take(&mut self, now: Instant) -> Option<U> {
        self.requeue_due(now);
        let position = self.waiting.iter().position(|unit| !self.in_work.contains(unit))?;
        let unit = self.waiting.remove(position)?;
        self.marked.remove(&unit);
        self.in_work.insert(unit.clone());
        Some(unit)
    }

    /// The work on a unit ended; after a failure it comes back by itself. Its delay grows only while it gets no further: work of many
    /// writes must not wait for a minute because one of three fails.
    pub fn done(&mut self, unit: &U, end: End, now: Instant) {
        self.in_work.remove(unit);
        let times = match end {
            End::Done => {
                self.failed.remove(unit);
                return;
            }
            End::Advanced => 0,
            End::Failed => self.failed.get(unit).map_or(0, |failure| failure.times),
        };
        let delay = FIRST_DELAY.saturating_mul(1 << times.min(16)).min(LAST_DELAY);
        let again = (!self.marked.contains(unit)).then_some(now + delay);
        self.failed.insert(unit.clone(), Failure { times: times + 1, again });
    }

    /// Drops what waits or is to come back, but not what is in work.
    pub fn clear(&mut self, such: impl Fn(&U) -> bool) {
        self.waiting.retain(|unit| !such(unit));
        self.marked.retain(|unit| !such(unit));
        self.failed.retain(|unit, _| !such(unit));
        self.later.retain(|unit, _| !such(unit));
    }

    /// When the next unit that failed or was put off comes back.
    pub fn next_due(&self) -> Option<Instant> {
        self.failed.values().filter_map(|failure| failure.again).chain(self.later.values().copied()).min()
    }

    /// Whether every such unit has been worked on, be it that it failed and is to be tried again.
    pub fn has_tried(&self, such: impl Fn(&U) -> bool) -> bool {
        !self.untried().any(such)
    }

    /// Whether this one has.
    pub fn is_tried(&self, unit: &U) -> bool {
        self.failed.contains_key(unit) || !self.marked.contains(unit) && !self.in_work.contains(unit)
    }

    /// The units that have not been worked on yet, or not since they were marked.
    pub fn untried(&self) -> impl Iterator<Item = &U> {
        self.waiting.iter().chain(&self.in_work).filter(|unit| !self.failed.contains_key(unit))
    }

    fn requeue_due(&mut self, now: Instant) {
        let failed = self.failed.iter().filter(|(_, failure)| failure.again.is_some_and(|at| at <= now));
        let later = self.later.iter().filter(|(_, at)| **at <= now);
        let due: Vec<U> = failed.map(|(unit, _)| unit).chain(later.map(|(unit, _)| unit)).cloned().collect();
        for unit in due {
            self.mark(unit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_of_marks_is_one_compile() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        (0..2500).for_each(|_| queue.mark("zone"));
        assert_eq!(queue.take(now), Some("zone"));
        assert_eq!(queue.take(now), None);
        queue.done(&"zone", End::Done, now);
        assert!(queue.has_tried(|_| true));
    }

    #[test]
    fn a_unit_in_work_waits_for_its_end_and_blocks_nobody() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.mark("a");
        assert_eq!(queue.take(now), Some("a"));
        queue.mark("a");
        queue.mark("b");
        assert_eq!(queue.take(now), Some("b"));
        assert_eq!(queue.take(now), None);
        queue.done(&"a", End::Done, now);
        assert_eq!(queue.take(now), Some("a"));
    }

    #[test]
    fn a_failed_unit_comes_back_later_and_later() {
        let (mut queue, mut now) = (Queue::default(), Instant::now());
        queue.mark("a");
        let mut delays = Vec::new();
        for _ in 0..12 {
            assert_eq!(queue.take(now), Some("a"));
            queue.done(&"a", End::Failed, now);
            assert_eq!(queue.take(now), None);
            let due = queue.next_due().unwrap();
            delays.push((due - now).as_millis());
            now = due;
        }
        assert_eq!(delays[..4], [100, 200, 400, 800]);
        assert_eq!(delays[11], 60_000);
        assert_eq!(queue.take(now), Some("a"));
        queue.done(&"a", End::Done, now);
        assert!(queue.has_tried(|_| true));
    }

    #[test]
    fn a_failed_unit_that_got_further_comes_back_soon() {
        let (mut queue, mut now) = (Queue::default(), Instant::now());
        queue.mark("a");
        let mut delay = |end| {
            assert_eq!(queue.take(now), Some("a"));
            queue.done(&"a", end, now);
            let due = queue.next_due().unwrap();
            let delay = due - now;
            now = due;
            delay.as_millis()
        };
        let ends = [End::Failed, End::Failed, End::Advanced, End::Advanced, End::Failed, End::Failed];
        assert_eq!(ends.map(&mut delay), [100, 200, 100, 100, 200, 400]);
    }

    #[test]
    fn a_change_is_not_kept_waiting_by_an_earlier_failure() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.mark("a");
        queue.take(now);
        queue.done(&"a", End::Failed, now);
        queue.mark("a");
        assert_eq!(queue.take(now), Some("a"));
        queue.mark("a");
        queue.done(&"a", End::Failed, now);
        assert_eq!(queue.take(now), Some("a"));
    }

    #[test]
    fn what_is_put_off_comes_at_its_time_or_with_an_earlier_mark() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        let (soon, late) = (now + Duration::from_secs(1), now + Duration::from_secs(2));
        queue.mark_later("a", late);
        queue.mark_later("a", soon);
        assert_eq!((queue.take(now), queue.next_due()), (None, Some(soon)));
        assert_eq!(queue.take(soon), Some("a"));
        queue.done(&"a", End::Done, soon);
        queue.mark_later("a", late);
        queue.mark("a");
        assert_eq!((queue.take(soon), queue.next_due()), (Some("a"), None));
    }
}
