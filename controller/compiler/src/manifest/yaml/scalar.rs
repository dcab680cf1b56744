//! Which plain texts are numbers, and to whom.

/// Whether YAML 1.1 reads an octal number.
pub(super) fn is_octal(text: &str) -> bool {
    let digits = text.strip_prefix("0o").or_else(|| text.strip_prefix('0')).unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Whether YAML 1.1 reads a number where others read a text: `0x1f`, `0b11`, `1_000`, `.inf`.
pub(super) fn is_number_elsewhere(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let lower = unsigned.to_ascii_lowercase();
    let of = |prefix: &str, radix: u32| {
        lower
            .strip_prefix(prefix)
            .is_some_and(|digits| !digits.is_empty() && digits.chars().all(|c| c == '_' || c.is_digit(radix)))
    };
    let grouped = lower.contains('_') && lower.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    of("0x", 16)
        || of("0b", 2)
        || matches!(lower.as_str(), ".inf" | ".nan")
        || (grouped && number(&lower.replace('_', "")).is_some())
}

/// The number of a plain text, when both YAML versions read one.
pub(super) fn number(text: &str) -> Option<serde_json::Number> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.')) {
        return None;
    }
    if let Ok(integer) = text.parse::<i64>() {
        return Some(integer.into());
    }
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E'));
    text.parse::<f64>().ok().filter(|_| plain).and_then(serde_json::Number::from_f64)
}
