//! YAML into [`Node`]s, read as `kubectl` reads it, with bounds: anchors cannot explode, nesting and documents cannot grow without end.

mod merge;
mod scalar;

use std::collections::{BTreeMap, BTreeSet};
use std::str::Chars;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span};

use super::{Node, Position, Value, shown};

/// What an object may be at the API server (etcd's request limit).
const MAX_DOCUMENT: usize = 1_500_000;
const MAX_DEPTH: usize = 64;
/// Values in one file after anchors are expanded.
const MAX_NODES: usize = 2_000_000;
/// Values that aliases may add: anchors save typing, a hundred thousand values are an attack.
const MAX_ALIASED: usize = 100_000;
/// Problems told of one file: who has more has one mistake many times.
const MAX_PROBLEMS: usize = 1_000;

/// The documents of a file and what is wrong with its text.
#[derive(Debug, Default)]
pub struct ReadDocuments {
    /// The documents that could be read, empty ones left out.
    pub documents: Vec<Node>,
    /// Which of them have a doubled key or an ambiguous value, so that nothing is to be taken on trust.
    pub suspect: BTreeSet<usize>,
    /// What is wrong, with where.
    pub problems: Vec<(Position, String)>,
}

/// Reads all documents of a file. After text that does not parse nothing more of the file is read.
pub fn read_documents(text: &str) -> ReadDocuments {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader {
        out: ReadDocuments::default(),
        anchors: BTreeMap::new(),
        open: Vec::new(),
        nodes: 0,
        aliased: 0,
        cursor: Cursor { rest: text.chars(), index: 0, bytes: 0 },
        document: Begun::default(),
    };
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let step = match event {
            Ok((event, span)) => reader.take(event, span),
            Err(error) => Err(not_yaml(text, &error)),
        };
        if let Err(problem) = step {
            reader.out.problems.push(problem);
            return reader.out;
        }
    }
    reader.out
}

/// What does not parse. A NUL ends a text for the parser: that one is in it says more than what is missing behind it.
fn not_yaml(text: &str, error: &ScanError) -> (Position, String) {
    match text.split_once('\0') {
        Some((before, _)) => {
            let (line, last) = before.split('\n').enumerate().last().unwrap_or_default();
            let at = Position { line: line + 1, column: last.chars().count() + 1 };
            (at, "not YAML: a NUL character, which no text has: save the file as UTF-8 text".into())
        }
        None => (position(error.marker()), format!("not YAML: {}", error.info())),
    }
}

struct Reader<'a> {
    out: ReadDocuments,
    anchors: BTreeMap<usize, (Node, usize)>,
    open: Vec<Open>,
    nodes: usize,
    aliased: usize,
    cursor: Cursor<'a>,
    document: Begun,
}

/// The document being read.
#[derive(Default)]
struct Begun {
    at: Position,
    /// Where in the file, in bytes.
    offset: usize,
    /// How many problems were told before it.
    problems: usize,
    /// It is too large: the rest of it is passed over.
    too_large: bool,
}

/// Turns the parser's count of characters into bytes; it only goes forward.
struct Cursor<'a> {
    rest: Chars<'a>,
    index: usize,
    bytes: usize,
}

impl Cursor<'_> {
    fn bytes(&mut self, marker: &Marker) -> usize {
        let step = marker.index().saturating_sub(self.index);
        self.bytes += self.rest.by_ref().take(step).map(char::len_utf8).sum::<usize>();
        self.index += step;
        self.bytes
    }
}

/// A list or map being read.
struct Open {
    at: Position,
    anchor: usize,
    nodes_before: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { fields: Vec<(String, Position, Node)>, seen: BTreeMap<String, Position>, key: Option<(String, Position)> },
}

type Step = Result<(), (Position, String)>;

impl Reader<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Step {
        let at = position(&span.start);
        match event {
            Event::StreamStart | Event::StreamEnd => return Ok(()),
            Event::DocumentStart(_) => self.begin(at, &span.start),
            _ if self.is_passed_over(&span.end) => return Ok(()),
            _ => {}
        }
        if self.out.problems.len() >= MAX_PROBLEMS {
            return Err((at, format!("{MAX_PROBLEMS} problems are above: the rest of the file is not read")));
        }
        match event {
            Event::SequenceStart(anchor, _) => self.open(at, anchor, Content::List(Vec::new())),
            Event::MappingStart(anchor, _) => {
                self.open(at, anchor, Content::Map { fields: Vec::new(), seen: BTreeMap::new(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => self.alias(at, anchor),
            Event::Scalar(text, style, anchor, tag) => {
                let tagged = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
                let value = if tagged || style != ScalarStyle::Plain {
                    Value::String(text.into_owned())
                } else {
                    self.plain(at, &text)
                };
                let node = Node { at, value };
                if anchor != 0 {
                    self.anchors.insert(anchor, (node.clone(), 1));
                }
                self.put(node, 1)
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, at: Position, marker: &Marker) {
        let offset = self.cursor.bytes(marker);
        self.document = Begun { at, offset, problems: self.out.problems.len(), too_large: false };
        self.anchors.clear();
        self.open.clear();
    }

    /// Whether the document is too large up to here; the first time it is told.
    fn is_passed_over(&mut self, end: &Marker) -> bool {
        let Begun { at, offset, too_large, .. } = self.document;
        if !too_large && self.cursor.bytes(end) - offset > MAX_DOCUMENT {
            let message =
                format!("the document is larger than the {MAX_DOCUMENT} bytes that the API server takes: split it");
            self.out.problems.push((at, message));
            self.document.too_large = true;
        }
        self.document.too_large
    }

    fn open(&mut self, at: Position, anchor: usize, content: Content) -> Step {
        if self.open.len() >= MAX_DEPTH {
            return Err((at, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        self.open.push(Open { at, anchor, nodes_before: self.nodes, content });
        Ok(())
    }

    fn close(&mut self) -> Step {
        let Some(Open { at, anchor, nodes_before, content }) = self.open.pop() else { return Ok(()) };
        let value = match content {
            Content::List(items) => Value::List(items),
            Content::Map { fields, .. } => Value::Map(merge::merged(fields)?),
        };
        let node = Node { at, value };
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), self.nodes - nodes_before + 1));
        }
        self.put(node, 1)
    }

    fn alias(&mut self, at: Position, anchor: usize) -> Step {
        let Some((node, size)) = self.anchors.get(&anchor) else {
            return Err((at, "this alias names no anchor above it".into()));
        };
        self.aliased += size;
        if self.aliased > MAX_ALIASED {
            return Err((at, format!("aliases expand to more than {MAX_ALIASED} values: write them out, or fewer")));
        }
        let (node, size) = (Node { at, ..node.clone() }, *size);
        self.put(node, size)
    }

    /// Puts a finished value where it belongs.
    fn put(&mut self, node: Node, size: usize) -> Step {
        self.nodes += size;
        if self.nodes > MAX_NODES {
            return Err((node.at, format!("the file holds more than {MAX_NODES} values: split it")));
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None if node.value == Value::Null => {}
            None => {
                if self.out.problems.len() > self.document.problems {
                    self.out.suspect.insert(self.out.documents.len());
                }
                self.out.documents.push(node);
            }
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map { fields, seen, key }) => match key.take() {
                Some((name, at)) => fields.push((name, at, node)),
                None => *key = Some(read_key(node, seen, &mut self.out.problems)?),
            },
        }
        Ok(())
    }

    /// A plain scalar by the YAML 1.1 rules of the API server's clients; what the two YAML versions read differently is refused.
    fn plain(&mut self, at: Position, text: &str) -> Value {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
            "true" | "True" | "TRUE" => return Value::Bool(true),
            "false" | "False" | "FALSE" => return Value::Bool(false),
            _ => {}
        }
        if ["y", "n", "yes", "no", "on", "off"].contains(&text.to_ascii_lowercase().as_str()) {
            self.out.problems.push((at, format!("`{text}` is a boolean to some tools and a text to others: write true or false, or \"{text}\" in quotes")));
        } else if scalar::is_number_elsewhere(text) {
            let message = format!("`{}` is a number to some tools and a text to others: put it in quotes", shown(text));
            self.out.problems.push((at, message));
        } else if scalar::is_octal(text) {
            self.out.problems.push((
                at,
                format!(
                    "`{}` is an octal number to some tools: put it in quotes, or leave the leading zero out",
                    shown(text)
                ),
            ));
        }
        scalar::number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number)
    }
}

/// A map's key: a text, not there yet.
fn read_key(
    node: Node,
    seen: &mut BTreeMap<String, Position>,
    problems: &mut Vec<(Position, String)>,
) -> Result<(String, Position), (Position, String)> {
    let name = match node.value {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        other => return Err((node.at, format!("a field's name is a text, this is {}", other.kind()))),
    };
    if let Some(first) = seen.insert(name.clone(), node.at) {
        let message = format!("`{}` is written twice, first in line {}: keep one", shown(&name), first.line);
        problems.push((node.at, message));
    }
    Ok((name, node.at))
}

fn position(marker: &Marker) -> Position {
    Position { line: marker.line(), column: marker.col() + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        read_documents(text)
            .problems
            .into_iter()
            .map(|(at, message)| format!("{}:{} {message}", at.line, at.column))
            .collect()
    }

    #[test]
    fn positions_of_values_and_of_what_is_missing() {
        let read = read_documents("a: 1\nspec:\n  records:\n    - name: www\n      values: [x, y1]\n---\nb: {c: d}\n");
        assert_eq!(read.documents.len(), 2);
        let at = |path: &str| (read.documents[0].locate(path).line, read.documents[0].locate(path).column);
        assert_eq!(at("spec.records[0].values[1]"), (5, 19));
        assert_eq!(at("spec.records[0].ttl"), (4, 7));
        assert_eq!(at("spec.nothing"), (2, 1));
        assert_eq!(read.documents[1].text("b"), None);
    }

    #[test]
    fn doubled_keys_booleans_and_octals_are_named() {
        assert_eq!(problems("a: 1\nb: 2\na: 3\n"), ["3:1 `a` is written twice, first in line 1: keep one"]);
        assert!(problems("country: no\n")[0].starts_with("1:10 `no` is a boolean"));
        assert!(problems("mode: 0755\n")[0].contains("octal"));
        for text in ["0x1F", "0b101", "1_000", "-1_0.5", ".inf", "+.NaN"] {
            assert!(problems(&format!("a: {text}\n"))[0].contains("is a number to some tools"), "{text}");
        }
        assert!(problems("a: [0xfg, a_1, 1_000x, _1, 2001:db8::1, .info, 0b12, 192.0.2.1, 1_2.3.4]\n").is_empty());
        assert!(problems("a: \"no\"\nb: 'on'\nc: 0\nd: 0.5\ne: 2021-01-01\n").is_empty());
    }

    #[test]
    fn broken_text_has_its_line() {
        assert!(problems("a: [1\nb: 2\n")[0].contains("not YAML"));
        assert!(problems("a: *nobody\n").len() == 1);
        assert!(problems("a:\n\t- b\n").len() == 1);
        for text in ["a: 1\nb: \"\0y\"\n", "a: 1\nbbbb\0: c\n", "a: 1\n# no\0thing\n---\nb: 1\n"] {
            let told = problems(text);
            assert!(told.len() == 1 && told[0].starts_with("2:5 not YAML: a NUL character"), "{told:?}");
        }
    }

    #[test]
    fn anchors_and_nesting_are_bounded() {
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
        for level in 1..12 {
            let below = format!("*a{}", level - 1);
            bomb += &format!("a{level}: &a{level} [{}]\n", [below.as_str(); 9].join(","));
        }
        assert!(problems(&bomb)[0].contains("aliases expand"));
        assert!(problems(&format!("{}{}", "[".repeat(65), "]".repeat(65)))[0].contains("nested deeper"));
        assert_eq!(problems(&"[".repeat(100_000)).len(), 1);
        assert_eq!(
            read_documents("a: &x [1, 2]\nb: *x\n").documents[0].to_json(),
            serde_json::json!({"a": [1, 2], "b": [1, 2]})
        );
    }

    #[test]
    fn a_document_is_bounded_in_bytes_and_harms_no_other() {
        for (character, count) in [("x", MAX_DOCUMENT), ("è", MAX_DOCUMENT / 2)] {
            let read = read_documents(&format!("a: 1\n---\nb: {}\n---\nc: no\n", character.repeat(count)));
            assert_eq!(read.documents.len(), 2);
            assert_eq!(read.problems[0].0, Position { line: 2, column: 1 });
            assert!(read.problems[0].1.contains("larger than the 1500000 bytes"), "{:?}", read.problems);
            assert_eq!((read.problems.len(), read.suspect), (2, [1].into()));
        }
        let most = "x".repeat(MAX_DOCUMENT - 10);
        assert!(problems(&format!("# {most}\na: {most}\n")).is_empty(), "comments before a document are not of it");
    }

    #[test]
    fn text_that_does_not_parse_casts_no_doubt_on_what_is_above() {
        let read = read_documents("a: 1\n---\nb: [1\n---\nc: 1\n");
        assert_eq!((read.documents.len(), read.problems.len(), read.suspect.len()), (1, 1, 0));
    }

    #[test]
    fn problems_are_bounded_in_number_and_length() {
        let told = problems(&"a: b\n".repeat(100_000));
        assert_eq!(told.len(), MAX_PROBLEMS + 1);
        assert!(told[MAX_PROBLEMS].contains("1000 problems are above"), "{}", told[MAX_PROBLEMS]);
        let told = problems(&format!("{0}: a\n{0}: {1}\n", "x".repeat(1_000), "0".repeat(100_000)));
        assert_eq!(told.len(), 2);
        assert!(told.iter().all(|problem| problem.len() < 200), "{told:?}");
    }

    #[test]
    fn marks_and_line_ends_of_other_systems() {
        let read = read_documents("\u{feff}a: b\r\nc: d\r\n");
        assert_eq!((read.documents[0].text("c"), read.problems.len()), (Some("d"), 0));
    }
}
