//! A zone version's serial.

/// The serial of the next version: after the stored one and every one a server answered, and the current time when that is later, so
/// that a lost record of serials is made good by the clock. Compared by RFC 1982.
pub fn next(stored: Option<u32>, seen: impl IntoIterator<Item = u32>, now: u32) -> u32 {
    let newest = stored.into_iter().chain(seen).reduce(|a, b| if is_newer(b, a) { b } else { a });
    match newest {
        Some(serial) if !is_newer(now, serial) => serial.wrapping_add(1).max(1),
        _ => now.max(1),
    }
}

/// How far ahead of the clock a serial may be that is believed: far beyond the year and day that people write (RFC 1912 §2.2), and so near
/// that no serial above it is older, by the arithmetic of serials, than one by the clock.
const BELIEVABLE: u32 = 1 << 30;

/// Whether a serial that a server answers can be one of the zone's.
pub fn is_believable(seen: u32, now: u32) -> bool {
    !is_newer(seen, now.wrapping_add(BELIEVABLE))
}

/// Whether `a` comes after `b` in serial arithmetic (RFC 1982 §3.2).
pub fn is_newer(a: u32, b: u32) -> bool {
    a != b && a.wrapping_sub(b) < 1 << 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_up_whatever_the_clock_does() {
        assert_eq!(next(None, [], 1_700_000_000), 1_700_000_000);
        assert_eq!(next(Some(1_700_000_000), [], 1_600_000_000), 1_700_000_001);
        assert_eq!(next(Some(5), [9, 7], 3), 10);
        assert_eq!(next(Some(5), [9], 100), 100);
        assert_eq!(next(Some(u32::MAX), [], 4_000_000_000), 1, "zero is skipped at the wrap");
    }

    #[test]
    fn who_answers_anything_moves_no_serial_out_of_reach() {
        let now = 1_795_000_000;
        assert!(is_believable(2_026_112_499, now), "the year and day");
        assert!(is_believable(now - 1, now) && is_believable(now + (1 << 30), now));
        assert!(!is_believable(now + (1 << 30) + 1, now));
        assert!(!is_believable(now.wrapping_add((1 << 31) - 1), now));
    }

    #[test]
    fn serial_arithmetic_wraps() {
        assert!(is_newer(1, u32::MAX));
        assert!(!is_newer(u32::MAX, 1));
        assert!(!is_newer(7, 7));
    }
}
