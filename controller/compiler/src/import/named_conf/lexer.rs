//! BIND's configuration as tokens: words, quoted texts, braces and semicolons; comments of C, C++ and the shell.

use super::{ConfError, MOST_TOKENS};
use crate::manifest::Position;

/// How long a word may be.
const LONGEST: usize = 1 << 16;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Word(String),
    Open,
    Close,
    End,
}

pub(super) struct Lexer<'a> {
    bytes: &'a [u8],
    next: usize,
    at: Position,
    /// How many tokens were read.
    tokens: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, next: 0, at: Position { line: 1, column: 1 }, tokens: 0 }
    }

    /// The next token and its place; `None` at the end.
    pub(super) fn token(&mut self) -> Result<Option<(Position, Token)>, ConfError> {
        self.skip_blank()?;
        let at = self.at;
        let Some(byte) = self.peek(0) else { return Ok(None) };
        self.tokens += 1;
        if self.tokens > MOST_TOKENS {
            let message = format!("the file has more than {MOST_TOKENS} words, braces and semicolons: split it");
            return Err(ConfError { at, message });
        }
        let token = match byte {
            b'{' | b'}' | b';' => {
                self.take();
                match byte {
                    b'{' => Token::Open,
                    b'}' => Token::Close,
                    _ => Token::End,
                }
            }
            b'"' => self.quoted(at)?,
            _ => self.word(at)?,
        };
        Ok(Some((at, token)))
    }

    fn quoted(&mut self, at: Position) -> Result<Token, ConfError> {
        self.take();
        let mut text = Vec::new();
        loop {
            match self.peek(0) {
                Some(b'"') => break self.take(),
                Some(b'\\') if self.peek(1).is_some() => {
                    self.take();
                    text.extend(self.peek(0));
                }
                Some(byte) if text.len() < LONGEST => text.push(byte),
                _ => return Err(ConfError { at, message: "the quote is not closed: add `\"`".into() }),
            }
            self.take();
        }
        Ok(Token::Word(String::from_utf8_lossy(&text).into_owned()))
    }

    fn word(&mut self, at: Position) -> Result<Token, ConfError> {
        let start = self.next;
        while self.peek(0).is_some_and(|byte| !byte.is_ascii_whitespace() && !b"{};\"".contains(&byte))
            && !self.is_at_comment()
        {
            self.take();
        }
        let word = self.bytes.get(start..self.next).unwrap_or_default();
        if word.len() > LONGEST || word.iter().any(u8::is_ascii_control) {
            return Err(ConfError { at, message: "this is no text of a configuration".into() });
        }
        Ok(Token::Word(String::from_utf8_lossy(word).into_owned()))
    }

    fn is_at_comment(&self) -> bool {
        matches!((self.peek(0), self.peek(1)), (Some(b'/'), Some(b'*')))
    }

    fn skip_blank(&mut self) -> Result<(), ConfError> {
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(byte), _) if byte.is_ascii_whitespace() => self.take(),
                (Some(b'#'), _) | (Some(b'/'), Some(b'/')) => {
                    while self.peek(0).is_some_and(|byte| byte != b'\n') {
                        self.take();
                    }
                }
                (Some(b'/'), Some(b'*')) => self.skip_block()?,
                _ => return Ok(()),
            }
        }
    }

    fn skip_block(&mut self) -> Result<(), ConfError> {
        let at = self.at;
        self.take();
        self.take();
        while (self.peek(0), self.peek(1)) != (Some(b'*'), Some(b'/')) {
            if self.peek(0).is_none() {
                return Err(ConfError { at, message: "the comment is not closed: add `*/`".into() });
            }
            self.take();
        }
        self.take();
        self.take();
        Ok(())
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.next + ahead).copied()
    }

    fn take(&mut self) {
        let Some(byte) = self.peek(0) else { return };
        self.next += 1;
        match byte {
            b'\n' => self.at = Position { line: self.at.line + 1, column: 1 },
            0x80..=0xBF => {}
            _ => self.at.column += 1,
        }
    }
}
