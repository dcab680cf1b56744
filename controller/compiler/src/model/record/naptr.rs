//! Rewriting of names for dynamic delegation (RFC 3403).

use std::fmt;

use super::words::Words;
use super::{Absolute, DomainName, RecordError, strings};

pub(super) const EXPECTED: &str = "write order, preference, flags, services, regular expression and replacement, such as \
                                   `100 10 \"s\" \"SIP+D2U\" \"\" _sip._udp.example.org`";
const EXPRESSION: &str = "its regular expression is `!expression!replacement!` (RFC 3402 §3.2), with balanced parentheses and \
                          a `\\\\1` for each it refers to";

/// A rule for rewriting (RFC 3403 §4.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Naptr {
    /// Lower is looked at first.
    pub order: u16,
    /// Among equal orders.
    pub preference: u16,
    /// Letters and digits.
    pub flags: String,
    /// The services it is for.
    pub services: String,
    /// A substitution, or nothing.
    pub expression: String,
    /// The next name, or the root.
    pub replacement: DomainName,
}

impl Naptr {
    pub(super) fn read(words: &mut Words<'_>) -> Result<Self, RecordError> {
        let (order, preference) = (words.number()?, words.number()?);
        let [flags, services, expression] = [text(words)?, text(words)?, text(words)?];
        if !flags.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(words.wrong());
        }
        if !expression.is_empty() && !is_substitution(&expression) {
            return Err(words.because(EXPRESSION));
        }
        Ok(Self { order, preference, flags, services, expression, replacement: words.name()? })
    }

    pub(super) fn write_wire(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.order.to_be_bytes());
        out.extend_from_slice(&self.preference.to_be_bytes());
        for text in [&self.flags, &self.services, &self.expression] {
            strings::write_wire(text.as_bytes(), out);
        }
        self.replacement.write_wire(out);
    }
}

fn text(words: &mut Words<'_>) -> Result<String, RecordError> {
    let text = String::from_utf8(words.string()?).map_err(|_| words.wrong())?;
    let is_right = text.len() <= strings::LONGEST && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if is_right { Ok(text) } else { Err(words.wrong()) }
}

/// Whether it is a substitution that every server reads: name servers refuse a whole zone for one that they do not understand.
fn is_substitution(text: &str) -> bool {
    let Some(delimiter) = text.chars().next().filter(|c| c.is_ascii_punctuation() && *c != '\\') else { return false };
    let mut parts = Vec::from([String::new()]);
    let mut rest = text.chars().skip(1);
    while let Some(character) = rest.next() {
        let Some(part) = parts.last_mut() else { return false };
        match character {
            '\\' => match rest.next() {
                Some(escaped) => part.extend(['\\', escaped]),
                None => return false,
            },
            _ if character == delimiter => parts.push(String::new()),
            _ => part.push(character),
        }
    }
    let [expression, replacement, flags] = parts.as_slice() else { return false };
    let Some(groups) = groups_of(expression) else { return false };
    matches!(flags.as_str(), "" | "i") && !replacement.is_empty() && refers_to(replacement, groups)
}

/// What stands before a character of an expression.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Nothing, so far.
    Nothing,
    /// Something that can be repeated.
    Atom,
    /// Something that is repeated, or an anchor.
    Closed,
}

/// How many parentheses an extended regular expression has (POSIX.2 §2.8.4); `None` when it is none.
fn groups_of(expression: &str) -> Option<u32> {
    let (mut open, mut groups, mut before) = (0_u32, 0_u32, Before::Nothing);
    let mut rest = expression.chars();
    while let Some(character) = rest.next() {
        before = match character {
            '\\' => rest.next().filter(char::is_ascii_punctuation).map(|_| Before::Atom)?,
            '[' => {
                rest = after_set(rest.as_str())?.chars();
                Before::Atom
            }
            '(' => {
                (open, groups) = (open + 1, groups + 1);
                Before::Nothing
            }
            ')' if before != Before::Nothing => {
                open = open.checked_sub(1)?;
                Before::Atom
            }
            '*' | '+' | '?' if before == Before::Atom => Before::Closed,
            '{' if before == Before::Atom => {
                rest = after_bound(rest.as_str())?.chars();
                Before::Closed
            }
            '|' if before != Before::Nothing => Before::Nothing,
            '^' | '$' => Before::Closed,
            '{' | '}' | '*' | '+' | '?' | '|' | ')' => return None,
            _ => Before::Atom,
        };
    }
    (open == 0 && before != Before::Nothing).then_some(groups)
}

/// What follows a set of characters, `]` or `^]` the first of them perhaps.
fn after_set(text: &str) -> Option<&str> {
    let members = text.strip_prefix('^').unwrap_or(text);
    let end = members.char_indices().skip(1).find(|(_, character)| *character == ']')?.0;
    members.get(..end).filter(|set| !set.contains(['[', '\\']) && has_ranges_in_order(set))?;
    members.get(end + 1..)
}

/// Whether each `-` within a set is its first or last character, or leads from a character to one that does not come before it.
fn has_ranges_in_order(set: &str) -> bool {
    let (mut rest, mut from) = (set.chars().peekable(), None);
    let mut is_first = true;
    while let Some(character) = rest.next() {
        from = match (character, rest.peek()) {
            ('-', Some(_)) if is_first => None,
            ('-', Some(_)) => match (from, rest.next()) {
                (Some(from), Some(to)) if from <= to => None,
                _ => return false,
            },
            _ => Some(character),
        };
        is_first = false;
    }
    true
}

/// What follows a bound (`{2}`, `{2,}`, `{2,5}`), of numbers up to `RE_DUP_MAX`.
fn after_bound(text: &str) -> Option<&str> {
    let (bound, after) = text.split_once('}')?;
    let number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u8>().ok())?;
    let is_right = match bound.split_once(',') {
        None => number(bound).is_some(),
        Some((least, "")) => number(least).is_some(),
        Some((least, most)) => number(least)? <= number(most)?,
    };
    is_right.then_some(after)
}

/// Whether every `\1` to `\9` of a replacement is one of so many parentheses.
fn refers_to(replacement: &str, groups: u32) -> bool {
    let escaped = replacement.split('\\').skip(1).filter_map(|after| after.chars().next()?.to_digit(10));
    escaped.into_iter().all(|number| (1..=groups).contains(&number))
}

impl fmt::Display for Naptr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.order, self.preference)?;
        for text in [&self.flags, &self.services, &self.expression] {
            strings::write_quoted(text.as_bytes(), f)?;
            f.write_str(" ")?;
        }
        Absolute(&self.replacement).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn substitutions_are_told_from_what_is_none() {
        for right in [
            "!^.*$!sip:info@example.org!",
            "!^(.*)$!sip:\\1@example.org!i",
            "/a[^x]b+(c|d)?/x/",
            "!^\\+39(.+)$!\\1!",
            "![-a-z0-9]*[+-][]-a][^]]!b!",
            "!^[0-9]{3}(a|b){0,255}c{2,}$!\\1!",
        ] {
            assert!(is_substitution(right), "{right}");
        }
        for wrong in [
            "!",
            "!a!",
            "!a!b",
            "!a!b!x",
            "1a1b1",
            "\\a\\b\\",
            "!(!b!",
            "!a)!b!",
            "!a!\\1!",
            "!*!b!",
            "!a|!b!",
            "![a!b!",
            "!a!!",
            "!a\\",
            "!{3}!b!",
            "!a{5,3}!b!",
            "!a{256}!b!",
            "!a{2}{2}!b!",
            "!a{2}*!b!",
            "!a{2!b!",
            "!^{2}!b!",
            "!a{+2}!b!",
            "!a!\\0!",
            "!(a)!\\1\\2!",
            "![z-a]!b!",
            "![a-b-c]!b!",
            "![--a]!b!",
        ] {
            assert!(!is_substitution(wrong), "{wrong}");
        }
    }
}
