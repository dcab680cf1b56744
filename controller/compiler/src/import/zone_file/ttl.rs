//! Times in seconds or in units: `3600`, `1h30m`, `2W` (BIND's form, which zone files everywhere use).

/// Seconds of a time; `None` when it is none or beyond 32 bits. A time begins with a digit.
pub(super) fn seconds(text: &str) -> Option<u32> {
    let mut total = 0_u32;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at_checked(digits).filter(|(number, _)| !number.is_empty())?;
        let mut units = after.chars();
        let unit = match units.next() {
            // Without unit seconds are meant, and only of the whole.
            None => return if total == 0 && digits == text.len() { number.parse().ok() } else { None },
            Some(unit) => unit_of(unit)?,
        };
        total = total.checked_add(number.parse::<u32>().ok()?.checked_mul(unit)?)?;
        rest = units.as_str();
    }
    (!text.is_empty()).then_some(total)
}

fn unit_of(unit: char) -> Option<u32> {
    Some(match unit.to_ascii_lowercase() {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_added_up() {
        for (text, expected) in [
            ("0", Some(0)),
            ("3600", Some(3600)),
            ("1h30m", Some(5400)),
            ("1W2D3h4M5s", Some(788_645)),
            ("4294967295", Some(u32::MAX)),
            ("4294967296", None),
            ("9999999w", None),
            ("1h30", None),
            ("h", None),
            ("1x", None),
            ("-1", None),
            ("", None),
            ("IN", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
