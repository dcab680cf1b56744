//! `$GENERATE` (BIND's shorthand for many like records): its range, and what stands for `$`, `${offset,width,base}`.

use super::lexer::Word;

/// How many records all `$GENERATE` of a file may make.
pub(super) const MOST: u32 = 65_536;
/// How many octets of zone-file text they may make: more than a hundred a record.
pub(super) const MOST_OCTETS: usize = 8 << 20;
/// How many digits a number may be padded to: no label holds more.
const WIDEST: usize = 63;

/// `start-stop` or `start-stop/step`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    start: u32,
    stop: u32,
    step: u32,
}

impl Range {
    pub(super) fn read(text: &str) -> Option<Self> {
        let (range, step) = text.split_once('/').unwrap_or((text, "1"));
        let (start, stop) = range.split_once('-')?;
        let number =
            |text: &str| text.parse::<u32>().ok().filter(|n| *n < 1 << 31 && text.bytes().all(|b| b.is_ascii_digit()));
        let range = Self { start: number(start)?, stop: number(stop)?, step: number(step)? };
        (range.start <= range.stop && range.step > 0).then_some(range)
    }

    /// How many numbers there are.
    pub(super) fn count(self) -> u32 {
        (self.stop - self.start) / self.step + 1
    }

    pub(super) fn numbers(self) -> impl Iterator<Item = u32> {
        (0..self.count()).map(move |nth| self.start + nth * self.step)
    }
}

/// A word with the number put in; else what is wrong.
pub(super) fn substituted(word: &Word<'_>, number: u32) -> Result<Vec<u8>, String> {
    substitute(word.raw, number).ok_or_else(|| {
        format!(
            "`{}` has a wrong modifier: write `$`, or `${{offset,width,base}}` with a base of d, o, x, X, n or N and a width up to {WIDEST}",
            word.text()
        )
    })
}

fn substitute(text: &[u8], number: u32) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after.first()) {
            (b'\\' | b'$', Some(b'$')) => {
                out.push(b'$');
                rest = after.get(1..)?;
            }
            (b'\\', Some(escaped)) => {
                out.extend([b'\\', *escaped]);
                rest = after.get(1..)?;
            }
            (b'$', Some(b'{')) => {
                let end = after.iter().position(|byte| *byte == b'}')?;
                out.extend(modified(std::str::from_utf8(after.get(1..end)?).ok()?, number)?.into_bytes());
                rest = after.get(end + 1..)?;
            }
            (b'$', _) => out.extend(number.to_string().into_bytes()),
            _ => out.push(*first),
        }
    }
    Some(out)
}

/// `offset`, `offset,width` or `offset,width,base`.
fn modified(modifier: &str, number: u32) -> Option<String> {
    let mut parts = modifier.split(',');
    let offset: i64 = parts.next()?.parse().ok()?;
    let width: usize = parts.next().map_or(Some(0), |width| width.parse().ok().filter(|width| *width <= WIDEST))?;
    let base = parts.next().unwrap_or("d");
    let value =
        u64::try_from(i64::from(number).checked_add(offset)?).ok().filter(|value| u32::try_from(*value).is_ok())?;
    if parts.next().is_some() {
        return None;
    }
    Some(match base {
        "d" => format!("{value:0width$}"),
        "o" => format!("{value:0width$o}"),
        "x" => format!("{value:0width$x}"),
        "X" => format!("{value:0width$X}"),
        "n" => nibbles(&format!("{value:x}"), width),
        "N" => nibbles(&format!("{value:X}"), width),
        _ => return None,
    })
}

/// Hexadecimal digits from the last to the first with dots between, as in `ip6.arpa`; the width counts the dots too.
fn nibbles(digits: &str, width: usize) -> String {
    let count = digits.len().max(width.div_ceil(2));
    let padded = format!("{digits:0>count$}");
    padded.chars().rev().map(String::from).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, number: u32) -> Option<String> {
        substitute(text.as_bytes(), number).map(|text| String::from_utf8(text).unwrap())
    }

    #[test]
    fn numbers_are_put_in() {
        for (text, expected) in [
            ("host-$", Some("host-10")),
            ("$.0", Some("10.0")),
            ("a", Some("a")),
            ("\\$$", Some("$10")),
            ("$$", Some("$")),
            ("\\\\$", Some("\\\\10")),
            ("h${0,3}", Some("h010")),
            ("h${-4}", Some("h6")),
            ("h${5,4,d}x", Some("h0015x")),
            ("${0,0,x}${0,4,X}${0,0,o}", Some("a000A12")),
            ("${16,0,n}", Some("a.1")),
            ("${0,7,N}", Some("A.0.0.0")),
            ("${-11}", None),
            ("${0,64}", None),
            ("${0,1,y}", None),
            ("${0,1,d,1}", None),
            ("${0", None),
            ("${}", None),
        ] {
            assert_eq!(read(text, 10).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn ranges_are_counted_without_being_gone_through() {
        let count = |text: &str| Range::read(text).map(Range::count);
        assert_eq!(count("1-127"), Some(127));
        assert_eq!(count("0-254/2"), Some(128));
        assert_eq!(count("0-2147483647"), Some(1 << 31));
        assert_eq!(Range::read("2-9/3").unwrap().numbers().collect::<Vec<_>>(), [2, 5, 8]);
        for wrong in ["1", "1-", "-1", "2-1", "1-2/0", "1-2147483648", "a-b", "+1-2", "1-2/", ""] {
            assert_eq!(count(wrong), None, "{wrong}");
        }
    }
}
