//! Reads zone files (RFC 1035 §5, RFC 2308 §4, RFC 3597 §5) as the servers that have them do, whoever wrote them.
//!
//! Every problem has its place, and one harms no other. `$INCLUDE` is refused: a zone file names no other file of who reads it.

mod data;
mod generate;
mod lexer;
mod mnemonic;
mod name;
mod others;
#[cfg(test)]
mod tests;
mod ttl;

use cst_api::RecordType;

use self::data::NoData;
use self::generate::Range;
use self::lexer::{Entry, Lexer, Malformed, Word};
use super::source::{Collector, ReadZone};
use crate::manifest::Position;
use crate::model::{DomainName, RecordData};

pub(super) use mnemonic::{is_of_signing, mnemonic};

/// The longest time to live (RFC 2181 §8).
const LONGEST_TTL: u32 = 0x7FFF_FFFF;

/// Reads a zone file. `file`: how it is named in messages; `origin`: the zone's name, where it is known.
pub fn read(file: &str, bytes: &[u8], origin: Option<&DomainName>) -> ReadZone {
    let mut reader = Reader {
        out: Collector::new(file),
        origin: origin.cloned(),
        written_origin: origin.map(ToString::to_string).unwrap_or_default(),
        owner: None,
        default_ttl: None,
        last_ttl: None,
        generated: 0,
        generated_octets: 0,
        is_over: false,
    };
    let mut lexer = Lexer::new(bytes);
    while !reader.is_over {
        match lexer.entry() {
            None => break,
            Some(Ok(entry)) => reader.entry(&entry),
            Some(Err(malformed)) => reader.malformed(malformed),
        }
    }
    reader.out.finish(origin)
}

/// Why a name cannot be held here.
pub(super) struct NotHeld(pub(super) String);

/// The name of an absolute name in zone-file form.
pub(super) fn owner(text: &str) -> Result<DomainName, NotHeld> {
    let word = Word { at: Position::default(), raw: text.as_bytes(), is_adjacent: false };
    name::absolute(&word, None).map_err(|error| NotHeld(error.to_string()))
}

/// An owner: a name, or the text of one that cannot be held, and why.
type Owner = Result<DomainName, (String, String)>;

struct Reader {
    out: Collector,
    origin: Option<DomainName>,
    /// The origin in the case in which it is written.
    written_origin: String,
    owner: Option<Owner>,
    /// Of `$TTL`.
    default_ttl: Option<u32>,
    /// Of the record before.
    last_ttl: Option<u32>,
    generated: u32,
    generated_octets: usize,
    /// Nothing more is to be read.
    is_over: bool,
}

/// What stands before a record's data.
struct Head {
    ttl: Option<u32>,
    type_: RecordType,
}

impl Reader {
    fn entry(&mut self, entry: &Entry<'_>) {
        let Some((first, rest)) = entry.words.split_first() else { return };
        if !entry.is_indented && first.raw.first() == Some(&b'$') {
            self.control(first, rest);
        } else {
            self.record(first.at, entry);
        }
    }

    fn malformed(&mut self, Malformed { at, message, is_fatal }: Malformed) {
        self.out.error(at, message);
        self.is_over |= is_fatal;
    }

    /// A control entry (RFC 1035 §5.1, RFC 2308 §4).
    fn control(&mut self, first: &Word<'_>, rest: &[Word<'_>]) {
        let control = first.text().to_ascii_uppercase();
        match (control.as_str(), rest) {
            ("$ORIGIN", [word]) => match name::absolute(word, self.origin.as_ref()) {
                Ok(name) => {
                    self.written_origin = name::as_written(word, &self.written_origin);
                    self.origin = Some(name);
                }
                Err(error) => self.out.error(word.at, error.to_string()),
            },
            ("$TTL", [word]) => match read_ttl(&word.text()) {
                Some(ttl) => self.default_ttl = Some(ttl),
                None => self.out.error(word.at, no_ttl(word)),
            },
            ("$GENERATE", [range, lhs, rest @ ..]) => self.generate(first.at, range, lhs, rest),
            ("$INCLUDE", _) => self.out.error(
                first.at,
                "$INCLUDE is refused: put the file's text in its place, or import what the server makes of it: \
                 `named-compilezone -o WHOLE ZONE FILE`, or a transfer with --axfr"
                    .into(),
            ),
            ("$ORIGIN" | "$TTL" | "$GENERATE", _) => {
                let message = format!(
                    "{control} is not of its form: write `$ORIGIN NAME`, `$TTL TIME` or `$GENERATE RANGE NAME TYPE DATA`"
                );
                self.out.error(first.at, message);
            }
            _ => self
                .out
                .error(first.at, format!("`{control}` is no control entry: $ORIGIN, $TTL and $GENERATE are read")),
        }
    }

    /// A record, its problems told at `at` where no word of its own is to blame.
    fn record(&mut self, at: Position, entry: &Entry<'_>) {
        let mut words = entry.words.as_slice();
        if !entry.is_indented
            && let Some((first, rest)) = words.split_first()
        {
            words = rest;
            self.owner = self.owner(first);
            if self.owner.is_none() {
                return;
            }
            self.out.owner(name::as_written(first, &self.written_origin));
        }
        let Some(owner) = self.owner.clone() else {
            return self.out.error(at, "the first record has no name: write one at the line's beginning".into());
        };
        if let Some(head) = self.head(at, &mut words) {
            self.data(at, owner, &head, words);
        }
    }

    fn owner(&mut self, word: &Word<'_>) -> Option<Owner> {
        match name::absolute(word, self.origin.as_ref()) {
            Ok(name) => Some(Ok(name)),
            Err(error) if error.is_legal() => Some(Err((word.text(), error.to_string()))),
            Err(error) => {
                self.out.error(word.at, error.to_string());
                None
            }
        }
    }

    /// TTL and class in either order, each perhaps, and the type; `words` are then the data's.
    fn head(&mut self, at: Position, words: &mut &[Word<'_>]) -> Option<Head> {
        let (mut ttl, mut is_internet) = (None, None);
        while let Some((word, rest)) = words.split_first() {
            let text = word.text();
            if is_internet.is_none() && mnemonic::class(&text).is_some() {
                is_internet = mnemonic::class(&text);
            } else if ttl.is_none() && text.starts_with(|first: char| first.is_ascii_digit()) {
                ttl = read_ttl(&text);
                if ttl.is_none() {
                    self.out.error(word.at, no_ttl(word));
                    return None;
                }
            } else {
                *words = rest;
                return self.type_(word, ttl, is_internet != Some(false));
            }
            *words = rest;
        }
        self.out.error(at, "the record has no type: write `NAME TTL IN TYPE DATA`".into());
        None
    }

    fn type_(&mut self, word: &Word<'_>, ttl: Option<u32>, is_internet: bool) -> Option<Head> {
        let text = word.text();
        if !is_internet {
            self.out.error(word.at, "the record is not of the class IN, which alone is served".into());
            return None;
        }
        let Some(type_) = mnemonic::type_of(&text) else {
            self.out.error(
                word.at,
                format!("`{text}` is no record type: write its mnemonic, such as MX, or TYPE and its number"),
            );
            return None;
        };
        Some(Head { ttl, type_ })
    }

    fn data(&mut self, at: Position, owner: Owner, head: &Head, words: &[Word<'_>]) {
        let type_ = head.type_;
        if words.is_empty() {
            return self.out.error(at, format!("the {type_} record has no data: write it after the type"));
        }
        let data = if self.out.signed(type_) { None } else { self.read_data(at, &owner, type_, words) };
        let Some(ttl) = self.ttl(at, head, data.as_ref()) else { return };
        let (Some(data), Ok(name)) = (data, owner) else { return };
        if data::is_cut_anew(type_, words) {
            let message = format!(
                "the strings of this TXT of {name} are joined and cut anew at 255 octets: whoever reads it as one text (SPF, DKIM, …) sees the same"
            );
            self.out.warning(at, message);
        }
        self.is_over |= !self.out.record(at, name, ttl, data);
    }

    fn read_data(&mut self, at: Position, owner: &Owner, type_: RecordType, words: &[Word<'_>]) -> Option<RecordData> {
        let name = owner.as_ref().map_or_else(|(text, _)| text.clone(), ToString::to_string);
        let not_held = match (owner, data::read(type_, words, self.origin.as_ref())) {
            (Ok(_), Ok(data)) => return Some(data),
            (_, Err(NoData::Wrong(message))) => {
                self.out.error(at, message);
                return None;
            }
            (Err((_, why)), _) => why.clone(),
            (Ok(_), Err(NoData::NotHeld(why))) => why,
        };
        self.out.leave_out(at, name, type_, not_held);
        None
    }

    /// The record's own TTL, else that of `$TTL`, else that of the record before, else the SOA's minimum (RFC 2308 §4, RFC 1035 §5.1).
    fn ttl(&mut self, at: Position, head: &Head, data: Option<&RecordData>) -> Option<u32> {
        if let (None, None, None, Some(RecordData::Soa(soa))) = (head.ttl, self.default_ttl, self.last_ttl, data) {
            self.default_ttl = Some(soa.minimum.min(LONGEST_TTL));
        }
        let ttl = head.ttl.or(self.default_ttl).or(self.last_ttl);
        if ttl.is_none() {
            self.out.error(at, "nothing says the record's time to live: write $TTL before it".into());
        }
        self.last_ttl = ttl;
        ttl
    }

    fn generate(&mut self, at: Position, range: &Word<'_>, lhs: &Word<'_>, rest: &[Word<'_>]) {
        let Some(numbers) = Range::read(&range.text()) else {
            return self
                .out
                .error(range.at, format!("`{}` is no range: write START-STOP or START-STOP/STEP", range.text()));
        };
        let total = self.generated.saturating_add(numbers.count());
        if total > generate::MOST {
            let message = format!(
                "$GENERATE makes {total} records by now, at most {} are made of a file: write fewer",
                generate::MOST
            );
            return self.out.error(range.at, message);
        }
        self.generated = total;
        // A record without a name after them has that of the record before them; their time to live, though, is the last one.
        let before = self.owner.clone();
        self.out.apart(true);
        let wrong = numbers.numbers().find_map(|number| self.generated(at, number, lhs, rest).err());
        self.out.apart(false);
        self.owner = before;
        if let Some(message) = wrong {
            self.out.error(at, message);
        }
    }

    /// One record of a range.
    fn generated(&mut self, at: Position, number: u32, lhs: &Word<'_>, rest: &[Word<'_>]) -> Result<(), String> {
        let mut line = generate::substituted(lhs, number)?;
        for (position, word) in rest.iter().enumerate() {
            let raw = unquoted(word, position + 1 == rest.len());
            line.push(b' ');
            line.extend(generate::substituted(&Word { raw: &raw, ..*word }, number)?);
        }
        self.generated_octets += line.len();
        if self.generated_octets > generate::MOST_OCTETS {
            let most = generate::MOST_OCTETS;
            return Err(format!(
                "$GENERATE makes more than {most} octets of text by now: write fewer or shorter records"
            ));
        }
        let mut lexer = Lexer::part(&line, at);
        let entry = lexer.entry().ok_or("$GENERATE makes an empty line")?.map_err(|malformed| malformed.message)?;
        let words = entry.words.into_iter().map(|word| Word { at, ..word }).collect();
        self.record(at, &Entry { words, ..entry });
        Ok(())
    }
}

/// The data of `$GENERATE` is one word; where it is several they stand in quotes, and quotes among them are escaped.
fn unquoted(word: &Word<'_>, is_last: bool) -> Vec<u8> {
    let inner = word.raw.strip_prefix(b"\"").and_then(|raw| raw.strip_suffix(b"\"")).filter(|_| is_last);
    let Some(mut rest) = inner else { return word.raw.to_vec() };
    let mut out = Vec::with_capacity(rest.len());
    while let Some((first, after)) = rest.split_first() {
        let is_escaped_quote = *first == b'\\' && after.first() == Some(&b'"');
        if !is_escaped_quote {
            out.push(*first);
        }
        rest = after;
    }
    out
}

fn read_ttl(text: &str) -> Option<u32> {
    ttl::seconds(text).filter(|ttl| *ttl <= LONGEST_TTL)
}

fn no_ttl(word: &Word<'_>) -> String {
    format!(
        "`{}` is no time to live: write seconds up to 2147483647, or numbers with s, m, h, d or w such as 1h30m",
        word.text()
    )
}
