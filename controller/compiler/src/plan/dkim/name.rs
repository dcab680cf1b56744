//! The names of key sets, of which selectors are made: the day, and on one day a number.

use std::fmt;

use cst_api::Date;
use serde::{Deserialize, Serialize};

use crate::desired::mail::dkim::{DkimAlgorithm, DkimSelector};

/// The name of a set of keys: `20261201`, the second of a day `20261201-2`. Names rise, and none is given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SetName {
    /// The day on which it was made, unless the clock went back: then the newest day before.
    pub day: Date,
    /// Which of that day, from 1.
    pub number: u16,
}

impl SetName {
    /// A day's first name, or where there was a later one the next after that.
    pub fn after(newest: Option<Self>, today: Date) -> Self {
        match newest.filter(|newest| newest.day >= today) {
            Some(newest) => newest.next(),
            None => Self { day: today, number: 1 },
        }
    }

    /// The next name of the day.
    #[must_use]
    pub fn next(self) -> Self {
        Self { number: self.number.saturating_add(1), ..self }
    }

    /// The selector of the key of an algorithm: `r20261201`, `e20261201-2`.
    pub fn selector(self, algorithm: DkimAlgorithm) -> DkimSelector {
        DkimSelector::of_set(letter(algorithm), self)
    }

    /// Reads a selector that [`Self::selector`] made.
    pub fn of_selector(selector: &DkimSelector) -> Option<(Self, DkimAlgorithm)> {
        let text = selector.as_str();
        let algorithm = DkimAlgorithm::ALL.into_iter().find(|algorithm| text.starts_with(letter(*algorithm)))?;
        Some((Self::parse(text.get(1..)?)?, algorithm))
    }

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        let (day, number) = text.split_once('-').unwrap_or((text, "1"));
        let digits = day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit());
        let day = digits.then(|| format!("{}-{}-{}", &day[..4], &day[4..6], &day[6..]))?;
        let name = Self { day: Date::parse(&day).ok()?, number: number.parse().ok()? };
        (name.to_string() == text).then_some(name)
    }
}

fn letter(algorithm: DkimAlgorithm) -> char {
    match algorithm {
        DkimAlgorithm::RsaSha256 => 'r',
        DkimAlgorithm::Ed25519Sha256 => 'e',
    }
}

impl fmt::Display for SetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Date { year, month, day } = self.day;
        write!(f, "{year:04}{month:02}{day:02}")?;
        if self.number == 1 { Ok(()) } else { write!(f, "-{}", self.number) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    #[test]
    fn a_selector_tells_its_set_and_algorithm() {
        let first = SetName::after(None, day("2026-12-01"));
        let selectors: Vec<String> =
            DkimAlgorithm::ALL.iter().map(|algorithm| first.next().selector(*algorithm).to_string()).collect();
        assert_eq!(selectors, ["r20261201-2", "e20261201-2"]);
        for name in [first, first.next()] {
            let selector = name.selector(DkimAlgorithm::Ed25519Sha256);
            assert_eq!(SetName::of_selector(&selector), Some((name, DkimAlgorithm::Ed25519Sha256)));
        }
        for other in ["mail", "r2026", "r20261301", "r20261201-1", "r20261201-02", "x20261201", "r", "r20261201-70000"]
        {
            assert_eq!(SetName::of_selector(&DkimSelector::parse(other).unwrap()), None, "{other}");
        }
    }

    #[test]
    fn names_rise_also_when_the_clock_does_not() {
        let first = SetName::after(None, day("2026-12-01"));
        let second = SetName::after(Some(first), day("2026-12-01"));
        let back = SetName::after(Some(second), day("2024-01-01"));
        let later = SetName::after(Some(back), day("2026-12-02"));
        let names: Vec<String> = [first, second, back, later].iter().map(ToString::to_string).collect();
        assert_eq!(names, ["20261201", "20261201-2", "20261201-3", "20261202"]);
        assert!(first < second && second < back && back < later);
    }
}
