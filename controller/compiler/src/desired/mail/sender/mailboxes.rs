//! Reads the addresses of a header field, strictly: what mail programs write is read, and what two programs might read in two ways is
//! refused.
//!
//! ```text
//! Anna Rossi <anna@x>    "Rossi, Anna" <anna@x>    =?utf-8?q?Niccol=C3=B2?= <n@x>    anna@x (Anna)    anna@x, Luca <luca@x>
//! ```
//!
//! Of RFC 5322 §3.4 groups, address literals and white space or comments within an address are left out, and of §4.4 routes and empty
//! entries; dots in unquoted names (§4.1) are taken.

use std::iter::Peekable;
use std::str::Chars;

/// One entry of a list of addresses.
#[derive(Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// `local@domain`, without quotes; not yet known to be an address.
    pub address: String,
    /// The name and the comments beside it, as they are written.
    pub shown: String,
}

/// Why a field cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A control character, or a line end within a line.
    #[error("it has a control character")]
    Control,
    /// A quoted text or a comment without end.
    #[error("a quotation mark or a parenthesis is not closed")]
    Open,
    /// A character that means something else here.
    #[error("one of : ; [ ] \\ ) stands outside of quotation marks: write \"Name\" <local@domain>")]
    Mark,
    /// Something that is no address.
    #[error("write Name <local@domain>, with a name in quotation marks if it has a comma or an @")]
    Form,
    /// An encoded word (RFC 2047) that is broken, or in a charset that cannot be read here.
    #[error("write its name in UTF-8")]
    Word,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Space,
    Atom(String),
    Quoted(String),
    Comment(String),
    Mark(char),
}

impl Token {
    fn is_blank(&self) -> bool {
        matches!(self, Self::Space | Self::Comment(_))
    }

    fn is_of_name(&self) -> bool {
        !matches!(self, Self::Mark(mark) if *mark != '.')
    }
}

/// Reads a field's value, folded or not: one address or more.
pub fn read(value: &[u8]) -> Result<Vec<Mailbox>, Unreadable> {
    let tokens = tokens(&unfold(value)?)?;
    tokens.split(|token| *token == Token::Mark(',')).map(mailbox).collect()
}

/// One line of the lines of a field (RFC 5322 §2.2.3).
fn unfold(value: &[u8]) -> Result<String, Unreadable> {
    let text = String::from_utf8_lossy(value).replace("\r\n", "\n").replace("\n ", " ").replace("\n\t", "\t");
    if text.chars().any(|c| c.is_control() && c != '\t') { Err(Unreadable::Control) } else { Ok(text) }
}

fn tokens(text: &str) -> Result<Vec<Token>, Unreadable> {
    let (mut tokens, mut chars) = (Vec::new(), text.chars().peekable());
    while let Some(c) = chars.next() {
        tokens.push(match c {
            ' ' | '\t' => Token::Space,
            '"' => Token::Quoted(quoted(&mut chars)?),
            '(' => Token::Comment(comment(&mut chars)?),
            '<' | '>' | '@' | ',' | '.' => Token::Mark(c),
            c if is_of_atom(c) => Token::Atom(atom(c, &mut chars)),
            _ => return Err(Unreadable::Mark),
        });
    }
    Ok(tokens)
}

/// `atext` of RFC 5322 §3.2.3 and RFC 6532 §3.2.
fn is_of_atom(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || !c.is_ascii()
}

fn atom(first: char, chars: &mut Peekable<Chars<'_>>) -> String {
    let mut text = String::from(first);
    while let Some(c) = chars.next_if(|c| is_of_atom(*c)) {
        text.push(c);
    }
    text
}

fn quoted(chars: &mut Peekable<Chars<'_>>) -> Result<String, Unreadable> {
    let mut text = String::new();
    loop {
        match chars.next().ok_or(Unreadable::Open)? {
            '"' => return Ok(text),
            '\\' => text.push(chars.next().ok_or(Unreadable::Open)?),
            c => text.push(c),
        }
    }
}

/// With the comments in it, and its parentheses.
fn comment(chars: &mut Peekable<Chars<'_>>) -> Result<String, Unreadable> {
    let (mut text, mut depth) = (String::from('('), 1_usize);
    while depth > 0 {
        let c = chars.next().ok_or(Unreadable::Open)?;
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            '\\' => {
                text.push(chars.next().ok_or(Unreadable::Open)?);
                continue;
            }
            _ => {}
        }
        text.push(c);
    }
    Ok(text)
}

/// An entry: an address alone or a name with one in angle brackets, with comments around.
fn mailbox(tokens: &[Token]) -> Result<Mailbox, Unreadable> {
    let mut angles = tokens.split(|token| matches!(token, Token::Mark('<' | '>')));
    let parts = [angles.next(), angles.next(), angles.next(), angles.next()];
    let (name, address, after) = match parts {
        [Some(alone), None, None, None] => around(alone),
        [Some(name), Some(within), Some(after), None] if is_pair(tokens) => (name, within, after),
        _ => return Err(Unreadable::Form),
    };
    if !name.iter().all(Token::is_of_name) || !after.iter().all(Token::is_blank) {
        return Err(Unreadable::Form);
    }
    Ok(Mailbox { address: addr_spec(address)?, shown: name.iter().chain(after).map(text).collect() })
}

/// Whether of two angle brackets the first opens and the second closes.
fn is_pair(tokens: &[Token]) -> bool {
    let marks = tokens.iter().filter(|token| matches!(token, Token::Mark('<' | '>')));
    marks.eq([&Token::Mark('<'), &Token::Mark('>')])
}

/// The blanks before, what stands between, and the blanks after.
fn around(tokens: &[Token]) -> (&[Token], &[Token], &[Token]) {
    let start = tokens.iter().take_while(|token| token.is_blank()).count();
    let (before, rest) = tokens.split_at(start);
    let end = rest.len() - rest.iter().rev().take_while(|token| token.is_blank()).count();
    let (between, after) = rest.split_at(end);
    (before, between, after)
}

/// `addr-spec` of RFC 5322 §3.4.1 without comments and literals.
fn addr_spec(tokens: &[Token]) -> Result<String, Unreadable> {
    let at = tokens.iter().position(|token| *token == Token::Mark('@')).ok_or(Unreadable::Form)?;
    let local = match &tokens[..at] {
        [Token::Quoted(local)] if !local.is_empty() && !local.contains('@') => local.clone(),
        local => dot_atom(local)?,
    };
    Ok(format!("{local}@{}", dot_atom(&tokens[at + 1..])?))
}

/// `dot-atom-text` of RFC 5322 §3.2.3, in ASCII.
fn dot_atom(tokens: &[Token]) -> Result<String, Unreadable> {
    let is_sound = tokens.iter().enumerate().all(|(position, token)| match token {
        Token::Atom(atom) => position % 2 == 0 && atom.is_ascii(),
        Token::Mark('.') => position % 2 == 1,
        _ => false,
    });
    if is_sound && tokens.len() % 2 == 1 { Ok(tokens.iter().map(text).collect()) } else { Err(Unreadable::Form) }
}

fn text(token: &Token) -> String {
    match token {
        Token::Space => " ".to_owned(),
        Token::Atom(text) | Token::Quoted(text) | Token::Comment(text) => text.clone(),
        Token::Mark(mark) => mark.to_string(),
    }
}
