//! A master file's octets as entries of words (RFC 1035 §5.1): parentheses, quotes, escapes, comments. Comments may be in any encoding.

use crate::manifest::Position;

/// How many octets an entry may have: twice what the longest record takes when each of its octets is written as `\DDD`.
const LONGEST_ENTRY: usize = 1 << 19;
/// How deep parentheses may be nested; they mean nothing but that the entry goes on.
const DEEPEST: usize = 64;

/// A word as it stands, with its quotes and escapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub(super) at: Position,
    pub(super) raw: &'a [u8],
    /// Whether it follows the word before it without white space between.
    pub(super) is_adjacent: bool,
}

/// A control entry or a record.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    /// Whether it begins with white space: its owner is that of the record before it.
    pub(super) is_indented: bool,
    /// At least one.
    pub(super) words: Vec<Word<'a>>,
}

/// What is wrong with an entry's text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    pub(super) at: Position,
    pub(super) message: String,
    /// Whether nothing after it can be trusted.
    pub(super) is_fatal: bool,
}

/// What is still to be read.
pub(super) struct Lexer<'a> {
    bytes: &'a [u8],
    next: usize,
    at: Position,
}

impl Word<'_> {
    pub(super) fn is_quoted(&self) -> bool {
        self.raw.first() == Some(&b'"')
    }

    /// The word for messages, and where plain ASCII is expected: what is not is written as its escape.
    pub(super) fn text(&self) -> String {
        let escape = |byte: &u8| match byte {
            b'!'..=b'~' | b' ' => char::from(*byte).to_string(),
            _ => format!("\\{byte:03}"),
        };
        self.raw.iter().map(escape).collect()
    }
}

impl<'a> Lexer<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        Self { bytes, next: 0, at: Position { line: 1, column: 1 } }
    }

    /// A lexer of one entry's part that stands at `at` of its file.
    pub(super) fn part(bytes: &'a [u8], at: Position) -> Self {
        Self { bytes, next: 0, at }
    }

    /// The next entry that has a word; `None` at the end.
    pub(super) fn entry(&mut self) -> Option<Result<Entry<'a>, Malformed>> {
        while self.peek().is_some() {
            let read = self.read_entry();
            if read.as_ref().is_err_and(|malformed| !malformed.is_fatal) {
                self.skip_line();
            }
            match read {
                Ok(entry) if entry.words.is_empty() => {}
                read => return Some(read),
            }
        }
        None
    }

    fn read_entry(&mut self) -> Result<Entry<'a>, Malformed> {
        let start = self.next;
        let is_indented = self.peek().is_some_and(is_blank);
        let mut words: Vec<Word<'a>> = Vec::new();
        let mut open: Vec<Position> = Vec::new();
        let mut word_end = usize::MAX;
        loop {
            if self.next - start > LONGEST_ENTRY {
                return Err(self.fatal(words.first().map(|word| word.at), TOO_LONG));
            }
            match self.peek() {
                None | Some(b'\n') if open.is_empty() => {
                    self.take();
                    return Ok(Entry { is_indented, words });
                }
                None => return Err(self.fatal(open.last().copied(), "the parenthesis is not closed: add `)`")),
                Some(b';') => self.skip_comment(),
                Some(b'(') => {
                    open.push(self.at);
                    if open.len() > DEEPEST {
                        return Err(
                            self.fatal(None, "parentheses are nested too deep: one pair around the entry is enough")
                        );
                    }
                    self.take();
                }
                Some(b')') => match open.pop() {
                    Some(_) => self.take(),
                    None => return Err(self.wrong("a `)` without its `(`: remove it, or quote it as `\\)`")),
                },
                Some(byte) if is_blank(byte) || byte == b'\n' => self.take(),
                Some(_) => {
                    let is_adjacent = word_end == self.next;
                    let word = self.word()?;
                    words.push(Word { is_adjacent, ..word });
                    word_end = self.next;
                }
            }
        }
    }

    fn word(&mut self) -> Result<Word<'a>, Malformed> {
        let (at, start) = (self.at, self.next);
        let is_quoted = self.peek() == Some(b'"');
        if is_quoted {
            self.take();
        }
        loop {
            match self.peek() {
                None | Some(b'\n') if is_quoted => {
                    return Err(Malformed {
                        at,
                        message: "the quote is not closed on its line: add `\"`".into(),
                        is_fatal: false,
                    });
                }
                Some(b'"') if is_quoted => {
                    self.take();
                    break;
                }
                Some(b'\\') => self.escape()?,
                Some(byte) if !is_quoted && ends_word(byte) => break,
                None => break,
                Some(byte) if byte < b' ' && byte != b'\t' => {
                    return Err(self.wrong(&format!(
                        "the control character \\{byte:03} is no text: is this a zone file in text form?"
                    )));
                }
                Some(_) => self.take(),
            }
            if self.next - start > LONGEST_ENTRY {
                return Err(self.fatal(Some(at), TOO_LONG));
            }
        }
        Ok(Word { at, raw: self.bytes.get(start..self.next).unwrap_or_default(), is_adjacent: false })
    }

    /// A backslash and what it escapes.
    fn escape(&mut self) -> Result<(), Malformed> {
        self.take();
        match self.peek() {
            None | Some(b'\n' | b'\r') => {
                Err(self.wrong("a backslash at the end of a line escapes nothing: remove it, or write `\\\\`"))
            }
            Some(_) => {
                self.take();
                Ok(())
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.next).copied()
    }

    fn take(&mut self) {
        let Some(byte) = self.peek() else { return };
        self.next += 1;
        match byte {
            b'\n' => self.at = Position { line: self.at.line + 1, column: 1 },
            // The later octets of a character of UTF-8.
            0x80..=0xBF => {}
            _ => self.at.column += 1,
        }
    }

    fn skip_comment(&mut self) {
        while self.peek().is_some_and(|byte| byte != b'\n') {
            self.take();
        }
    }

    fn skip_line(&mut self) {
        self.skip_comment();
        self.take();
    }

    fn wrong(&self, message: &str) -> Malformed {
        Malformed { at: self.at, message: message.into(), is_fatal: false }
    }

    fn fatal(&self, at: Option<Position>, message: &str) -> Malformed {
        Malformed { at: at.unwrap_or(self.at), message: message.into(), is_fatal: true }
    }
}

const TOO_LONG: &str = "the entry goes on for more than 524288 octets: close its parenthesis or its quote";

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | 0x0C)
}

fn ends_word(byte: u8) -> bool {
    is_blank(byte) || matches!(byte, b'\n' | b';' | b'(' | b')' | b'"')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Vec<String> {
        let mut lexer = Lexer::new(text.as_bytes());
        let show = |entry: Result<Entry<'_>, Malformed>| match entry {
            Ok(entry) => {
                let words: Vec<String> = entry.words.iter().map(Word::text).collect();
                format!("{}{}", if entry.is_indented { "_ " } else { "" }, words.join("|"))
            }
            Err(Malformed { at, message, is_fatal }) => format!("{}:{} {is_fatal} {message}", at.line, at.column),
        };
        std::iter::from_fn(|| lexer.entry().map(show)).collect()
    }

    #[test]
    fn entries_end_at_lines_outside_of_parentheses() {
        let text = "a IN SOA ( ns ; the server\r\n  root ) 1\n\n ; nothing\n\tTXT \"a;(b\" \"c\\\" d\"x\\;y;z\nalpn=\"h2\" è\n";
        assert_eq!(
            entries(text),
            ["a|IN|SOA|ns|root|1", "_ TXT|\"a;(b\"|\"c\\\" d\"|x\\;y", "alpn=|\"h2\"|\\195\\168"]
        );
    }

    #[test]
    fn what_is_malformed_has_its_place_and_harms_no_other_line() {
        let text = "a \"b\nc )\nd e\\\nf\x01g h\ni j\nè k (\n l";
        assert_eq!(
            entries(text),
            [
                "1:3 false the quote is not closed on its line: add `\"`",
                "2:3 false a `)` without its `(`: remove it, or quote it as `\\)`",
                "3:5 false a backslash at the end of a line escapes nothing: remove it, or write `\\\\`",
                "4:2 false the control character \\001 is no text: is this a zone file in text form?",
                "i|j",
                "6:5 true the parenthesis is not closed: add `)`",
            ]
        );
    }

    #[test]
    fn what_never_ends_is_given_up() {
        for text in [
            "(".repeat(1 << 20),
            "(\n".repeat(1 << 20),
            "a ".repeat(1 << 20),
            "x".repeat(1 << 20),
            format!("( {}", "\n".repeat(1 << 20)),
        ] {
            let all = entries(&text);
            assert!(all[0].contains(" true "), "{}", all[0]);
        }
    }
}
