//! Which zones a BIND configuration has, and where their files are.

mod lexer;

use self::lexer::{Lexer, Token};
use crate::manifest::Position;
use crate::model::DomainName;

/// How deep blocks may be nested.
const DEEPEST: usize = 16;
/// How many words, braces and semicolons a file may have: a hundred thousand zones' worth.
const MOST_TOKENS: usize = 2_000_000;

/// What is wrong with a configuration file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConfError {
    /// Where.
    pub at: Position,
    /// What.
    pub message: String,
}

/// A statement: its words, and what stands in its braces.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Statement {
    at: Position,
    words: Vec<String>,
    block: Vec<Statement>,
}

/// What a statement of a configuration means to who looks for zones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// `include "FILE";`, to be read in its place.
    Include(Position, String),
    /// `directory "FOLDER";` of the options: relative files are in it.
    Directory(String),
    /// `allow-new-zones yes;`: zones that were added while the server ran stand in a file of its own.
    NewZones(Position),
    /// `new-zones-directory "FOLDER";`: that file is in it, not in the directory.
    NewZonesDirectory(String),
    /// A zone.
    Zone(ZoneStatement),
    /// A view and what is in it.
    View(Position, String, Vec<Item>),
}

/// A `zone` statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneStatement {
    /// Where it stands.
    pub at: Position,
    /// Its name as written.
    pub name: String,
    /// Whether it is of the class IN.
    pub is_internet: bool,
    /// What it is to this server.
    pub kind: ZoneKind,
    /// Its file.
    pub file: Option<String>,
    /// The statement by which it is changed while it is served, so that its file may be behind: `update-policy` or `allow-update`.
    pub updates: Option<&'static str>,
    /// The statement by which the server signs it: its file does not tell that it is signed.
    pub signing: Option<&'static str>,
}

/// What a zone is to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ZoneKind {
    /// `primary` or `master`: its file is the zone.
    Primary,
    /// `secondary` or `slave`, `mirror`, `stub`: another server has it.
    Secondary,
    /// The zone of another view, which answers for it.
    OfView(String),
    /// Anything else, such as `hint` and `forward`, is no zone to be had.
    Other(String),
}

impl ZoneStatement {
    /// Its name.
    pub fn zone(&self) -> Result<DomainName, ConfError> {
        DomainName::parse(&self.name).map_err(|error| ConfError { at: self.at, message: error.to_string() })
    }

    /// Whether it is one of those that BIND's packages bring along: the loopback's, the broadcast's, the root's hints.
    pub fn is_local(&self) -> bool {
        let name = self.name.trim_end_matches('.').to_ascii_lowercase();
        [
            "localhost",
            "127.in-addr.arpa",
            "0.in-addr.arpa",
            "255.in-addr.arpa",
            "0.0.127.in-addr.arpa",
            "localhost.localdomain",
        ]
        .contains(&name.as_str())
            || name.ends_with("0.0.0.0.0.0.ip6.arpa") && name.starts_with(['0', '1'])
    }
}

/// Reads one file of a configuration, in its order.
pub fn read(bytes: &[u8]) -> Result<Vec<Item>, ConfError> {
    let mut lexer = Lexer::new(bytes);
    Ok(items(&statements(&mut lexer, None)?))
}

/// The statements up to the brace that closes the block opened at `open`, or to the end.
fn statements(lexer: &mut Lexer<'_>, open: Option<(Position, usize)>) -> Result<Vec<Statement>, ConfError> {
    let depth = open.map_or(0, |(_, depth)| depth);
    let mut all = Vec::new();
    let mut current = Statement { at: Position::default(), words: Vec::new(), block: Vec::new() };
    let mut has_block = false;
    loop {
        let Some((at, token)) = lexer.token()? else {
            return match open {
                _ if !current.words.is_empty() => {
                    Err(ConfError { at: current.at, message: "the statement is not ended: add `;`".into() })
                }
                Some((at, _)) => Err(ConfError { at, message: "the block is not closed: add `};`".into() }),
                None => Ok(all),
            };
        };
        match token {
            Token::Word(word) => {
                if current.words.is_empty() {
                    current.at = at;
                }
                current.words.push(word);
            }
            Token::Open if depth >= DEEPEST => {
                return Err(ConfError { at, message: "blocks are nested too deep".into() });
            }
            Token::Open => {
                current.block.extend(statements(lexer, Some((at, depth + 1)))?);
                has_block = true;
            }
            Token::End => {
                if !current.words.is_empty() || has_block {
                    all.push(std::mem::replace(&mut current, Statement { at, words: Vec::new(), block: Vec::new() }));
                }
                has_block = false;
            }
            Token::Close if open.is_none() => {
                return Err(ConfError { at, message: "a `}` without its `{`: remove it".into() });
            }
            Token::Close if !current.words.is_empty() => {
                return Err(ConfError { at: current.at, message: "the statement is not ended: add `;`".into() });
            }
            Token::Close => return Ok(all),
        }
    }
}

fn items(statements: &[Statement]) -> Vec<Item> {
    statements.iter().flat_map(item).collect()
}

fn item(statement: &Statement) -> Vec<Item> {
    let Statement { at, words, block } = statement;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["include", file] => vec![Item::Include(*at, (*file).to_owned())],
        ["options"] => {
            let directory = value(block, "directory").map(Item::Directory);
            directory.into_iter().chain(block.iter().filter_map(new_zones)).collect()
        }
        ["view", name, ..] => vec![Item::View(*at, (*name).to_owned(), items(block))],
        ["zone", name, class @ ..] => vec![Item::Zone(zone(*at, name, class, block))],
        _ => new_zones(statement).into_iter().collect(),
    }
}

/// What options or a view say of zones that are added while the server runs.
fn new_zones(Statement { at, words, .. }: &Statement) -> Option<Item> {
    let [name, value, ..] = words.as_slice() else { return None };
    match (name.as_str(), value.to_ascii_lowercase().as_str()) {
        ("allow-new-zones", "yes" | "true" | "1") => Some(Item::NewZones(*at)),
        ("new-zones-directory", _) => Some(Item::NewZonesDirectory(value.clone())),
        _ => None,
    }
}

fn zone(at: Position, name: &str, class: &[&str], block: &[Statement]) -> ZoneStatement {
    let type_ = value(block, "type").unwrap_or_default().to_ascii_lowercase();
    let kind = match (type_.as_str(), value(block, "in-view")) {
        ("primary" | "master", _) => ZoneKind::Primary,
        ("secondary" | "slave" | "mirror" | "stub", _) => ZoneKind::Secondary,
        (_, Some(view)) => ZoneKind::OfView(view),
        (other, None) => ZoneKind::Other(other.to_owned()),
    };
    let is_internet = class.first().is_none_or(|class| class.eq_ignore_ascii_case("in"));
    let (updates, signing) =
        (is_set(block, &["update-policy", "allow-update"]), is_set(block, &["dnssec-policy", "auto-dnssec"]));
    ZoneStatement { at, name: name.to_owned(), is_internet, kind, file: value(block, "file"), updates, signing }
}

/// The first of these statements that a block has, with anything but a word for nothing.
fn is_set(block: &[Statement], names: &[&'static str]) -> Option<&'static str> {
    let nothing = ["none", "off", "insecure"].map(String::from);
    names.iter().copied().find(|name| {
        let mut found = block.iter().filter(|statement| statement.words.first().is_some_and(|word| word == name));
        found.any(|statement| {
            let mut words = statement.words.iter().skip(1).chain(statement.block.iter().flat_map(|inner| &inner.words));
            words.any(|word| !nothing.contains(word))
        })
    })
}

/// The second word of the first statement of a block that begins so.
fn value(block: &[Statement], name: &str) -> Option<String> {
    let found =
        block.iter().find(|statement| statement.words.first().is_some_and(|word| word.eq_ignore_ascii_case(name)));
    found?.words.get(1).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONF: &str = r#"
// the options
options { directory "/var/cache/bind"; allow-transfer { 192.0.2.1; key "k"; }; };
include "/etc/bind/named.conf.local"; # more
key "transfer" { algorithm hmac-sha256; secret "c2VjcmV0"; };
zone "Example.org" IN { type master; file "db.example.org"; allow-update { none; }; };
zone "2.0.192.in-addr.arpa" { type slave; masters { 192.0.2.1; }; file "x"; };
zone "." { type hint; file "/usr/share/dns/root.hints"; };
zone "localhost" { type master; file "/etc/bind/db.local"; };
view "inside" { match-clients { 10/8; }; zone "a.example" { type primary; file "a"; }; };
/* zone "gone" { type master; }; */
"#;

    #[test]
    fn zones_are_found_with_their_files() {
        let items = read(CONF.as_bytes()).unwrap();
        assert_eq!(items[0], Item::Directory("/var/cache/bind".into()));
        assert_eq!(items[1], Item::Include(Position { line: 4, column: 1 }, "/etc/bind/named.conf.local".into()));
        let Item::Zone(zone) = &items[2] else { panic!("{items:?}") };
        assert_eq!(
            (zone.zone().unwrap().as_str(), &zone.kind, zone.file.as_deref()),
            ("example.org", &ZoneKind::Primary, Some("db.example.org"))
        );
        assert_eq!((zone.updates, zone.signing), (None, None));
        let Item::Zone(reverse) = &items[3] else { panic!("{items:?}") };
        assert_eq!((&reverse.kind, reverse.is_local()), (&ZoneKind::Secondary, false));
        let Item::Zone(hints) = &items[4] else { panic!("{items:?}") };
        assert_eq!(hints.kind, ZoneKind::Other("hint".into()));
        let Item::Zone(local) = &items[5] else { panic!("{items:?}") };
        assert!(local.is_local());
        let Item::View(_, name, inside) = &items[6] else { panic!("{items:?}") };
        assert_eq!((name.as_str(), inside.len(), items.len()), ("inside", 1, 7));
    }

    #[test]
    fn a_zone_of_another_view_is_known() {
        let items = read(b"zone a { in-view \"inside\"; };").unwrap();
        let Item::Zone(zone) = &items[0] else { panic!("{items:?}") };
        assert_eq!(zone.kind, ZoneKind::OfView("inside".into()));
    }

    #[test]
    fn zones_added_while_the_server_runs_are_said_to_be() {
        let text = "options {\n directory \"/d\"; allow-new-zones yes; new-zones-directory \"/n\"; };\nview v { allow-new-zones Yes; };\nview w { allow-new-zones no; };";
        let items = read(text.as_bytes()).unwrap();
        let (at, in_view) = (Position { line: 2, column: 18 }, Position { line: 3, column: 10 });
        assert_eq!(
            items,
            [
                Item::Directory("/d".into()),
                Item::NewZones(at),
                Item::NewZonesDirectory("/n".into()),
                Item::View(Position { line: 3, column: 1 }, "v".into(), vec![Item::NewZones(in_view)]),
                Item::View(Position { line: 4, column: 1 }, "w".into(), vec![]),
            ]
        );
    }

    #[test]
    fn a_zone_that_changes_without_its_file_is_known() {
        for (statement, updates, signing) in [
            ("allow-update { none; };", None, None),
            ("allow-update { key k; };", Some("allow-update"), None),
            ("update-policy local;", Some("update-policy"), None),
            ("update-policy { grant k zonesub any; }; dnssec-policy none;", Some("update-policy"), None),
            ("dnssec-policy default; inline-signing yes;", None, Some("dnssec-policy")),
            ("auto-dnssec maintain; dnssec-policy insecure;", None, Some("auto-dnssec")),
        ] {
            let items = read(format!("zone a {{ type primary; file a; {statement} }};").as_bytes()).unwrap();
            let Item::Zone(zone) = &items[0] else { panic!("{items:?}") };
            assert_eq!((zone.updates, zone.signing), (updates, signing), "{statement}");
        }
    }

    #[test]
    fn no_configuration_is_a_panic() {
        let mut numbers = crate::import::numbers::Numbers(0xC0FF);
        let (mut read_whole, mut wrong) = (0, 0);
        for _ in 0..20_000 {
            let mut bytes = CONF.as_bytes().to_vec();
            for _ in 0..=numbers.below(3) {
                let at = numbers.below(bytes.len());
                bytes[at] = [numbers.octet(), b'{', b'"', b';', b'*', b'\\'][numbers.below(6)];
            }
            bytes.truncate(numbers.below(4) * CONF.len() + numbers.below(CONF.len()));
            match read(&bytes) {
                Ok(_) => read_whole += 1,
                Err(_) => wrong += 1,
            }
        }
        assert!(read_whole > 1000 && wrong > 1000, "{read_whole} were read, {wrong} were not");
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        for (text, line, column) in [
            ("zone \"a\" {\n type master; ", 1, 10),
            ("\n }", 2, 2),
            ("a \"b", 1, 3),
            ("/* a", 1, 1),
            ("zone a { type master }", 1, 10),
            ("zone a", 1, 1),
            (&"a {".repeat(100), 1, 51),
            ("a\0;", 1, 1),
        ] {
            let error = read(text.as_bytes()).unwrap_err();
            assert_eq!((error.at.line, error.at.column), (line, column), "{text}: {error}");
        }
    }
}
