//! Sizes as Kubernetes writes them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A size in bytes, read from the forms Kubernetes uses for storage (`5Gi`, `300M`, `1024`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Quantity(
    /// Bytes.
    pub u64,
);

impl Quantity {
    /// The smallest size that holds anything; who wrote less meant something else.
    pub const SMALLEST_ROOM: Self = Self(1 << 20);

    /// Reads a size; the error says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a size: write a whole number with Ki, Mi, Gi or Ti, such as 5Gi");
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let factor = match unit {
            "" => 1,
            "k" => 1_000,
            "M" => 1_000_000,
            "G" => 1_000_000_000,
            "T" => 1_000_000_000_000,
            "Ki" => 1 << 10,
            "Mi" => 1 << 20,
            "Gi" => 1 << 30,
            "Ti" => 1_u64 << 40,
            _ => return Err(wrong()),
        };
        let number: u64 = number.parse().map_err(|_| wrong())?;
        // What the API server counts with (int64); two of them still fit into 64 bits here.
        let bytes = number.checked_mul(factor).filter(|bytes| i64::try_from(*bytes).is_ok());
        bytes.map(Self).ok_or_else(|| format!("`{text}` is larger than any storage"))
    }

    /// Reads a size that something is to be kept in; the error says what would be right.
    pub fn parse_room(text: &str) -> Result<Self, String> {
        let size = Self::parse(text)?;
        if size >= Self::SMALLEST_ROOM {
            Ok(size)
        } else {
            Err(format!("`{text}` holds nothing: write {} or more, such as 5Gi", Self::SMALLEST_ROOM))
        }
    }
}

impl fmt::Display for Quantity {
    /// The shortest exact form with a binary unit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (shift, unit) in [(40, "Ti"), (30, "Gi"), (20, "Mi"), (10, "Ki")] {
            if self.0 != 0 && self.0.trailing_zeros() >= shift {
                return write!(f, "{}{unit}", self.0 >> shift);
            }
        }
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints_sizes() {
        for (text, bytes, printed) in
            [("5Gi", 5 << 30, "5Gi"), ("1024", 1024, "1Ki"), ("1M", 1_000_000, "1000000"), ("0", 0, "0")]
        {
            let quantity = Quantity::parse(text).unwrap();
            assert_eq!((quantity.0, quantity.to_string().as_str()), (bytes, printed));
        }
    }

    #[test]
    fn refuses_what_is_no_size() {
        for text in ["", "Gi", "5gb", "-1", "1.5Gi", "99999999999Ti", "16000000Ti", "5 Gi"] {
            assert!(Quantity::parse(text).is_err(), "{text}");
        }
        assert!(Quantity::parse_room("0").is_err() && Quantity::parse_room("1023Ki").is_err());
        assert_eq!(Quantity::parse_room("1Mi"), Ok(Quantity(1 << 20)));
    }
}
