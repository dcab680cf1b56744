use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A calendar day, `YYYY-MM-DD`; `YYYY-MM-DDT00:00:00Z` is read too, because kustomize rewrites dates to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// The year, 0–9999.
    pub year: u16,
    /// The month, 1–12.
    pub month: u8,
    /// The day of the month, 1–31.
    pub day: u8,
}

impl Date {
    /// Reads a day; the error says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a date: write YYYY-MM-DD, such as 2026-01-31");
        let day = text.strip_suffix("T00:00:00Z").unwrap_or(text);
        let mut parts = day.split('-');
        let (Some(y), Some(m), Some(d), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(wrong());
        };
        if (y.len(), m.len(), d.len()) != (4, 2, 2) || !day.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
            return Err(wrong());
        }
        let (Ok(year), Ok(month), Ok(day)) = (y.parse(), m.parse(), d.parse()) else { return Err(wrong()) };
        let date = Self { year, month, day };
        if date.is_real() { Ok(date) } else { Err(format!("`{text}` is not a day of the calendar")) }
    }

    fn is_real(self) -> bool {
        let leap = self.year.is_multiple_of(4) && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        let days = match self.month {
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            1..=12 => 31,
            _ => 0,
        };
        (1..=days).contains(&self.day)
    }

    /// Days since 1970-01-01, negative before it (the civil calendar, proleptic Gregorian).
    pub fn days(self) -> i64 {
        let (month, day) = (i64::from(self.month), i64::from(self.day));
        let year = i64::from(self.year) - i64::from(month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
    }

    /// The day so many days later.
    #[must_use]
    pub fn plus(self, days: u16) -> Self {
        (0..days).fold(self, |day, _| day.tomorrow())
    }

    fn tomorrow(self) -> Self {
        let next = [
            Self { day: self.day + 1, ..self },
            Self { month: self.month + 1, day: 1, ..self },
            Self { year: self.year + 1, month: 1, day: 1 },
        ];
        next.into_iter().find(|day| day.is_real()).unwrap_or(self)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Cow::<str>::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl JsonSchema for Date {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Date".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "maxLength": 20, "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T00:00:00Z)?$"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_days_and_kustomize_timestamps() {
        assert_eq!(Date::parse("2024-02-29").unwrap().to_string(), "2024-02-29");
        assert_eq!(Date::parse("2021-01-01T00:00:00Z").unwrap().to_string(), "2021-01-01");
    }

    #[test]
    fn refuses_what_is_no_day() {
        for text in [
            "2023-02-29",
            "2021-13-01",
            "2021-00-10",
            "21-01-01",
            "2021-1-1",
            "2021-01-01T12:00:00Z",
            "",
            "2100-02-29",
            "+021-01-01",
        ] {
            assert!(Date::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn goes_over_the_ends_of_months_and_years() {
        let plus = |text: &str, days| Date::parse(text).unwrap().plus(days).to_string();
        assert_eq!(plus("2026-11-24", 30), "2026-12-24");
        assert_eq!(plus("2028-02-28", 1), "2028-02-29");
        assert_eq!(plus("2026-12-31", 1), "2027-01-01");
        let begin = Date::parse("2026-11-24").unwrap();
        assert_eq!(begin.plus(3650).days() - begin.days(), 3650);
    }

    #[test]
    fn counts_days_from_the_epoch() {
        for (text, days) in [("1970-01-01", 0), ("1969-12-31", -1), ("2000-03-01", 11017), ("2026-11-23", 20780)] {
            assert_eq!(Date::parse(text).unwrap().days(), days, "{text}");
        }
    }
}
