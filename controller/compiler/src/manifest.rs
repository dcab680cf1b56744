//! Manifests as files: YAML with the position of every value, checked against the CRDs' own schemas, so that every problem has its
//! file, line and column.

mod labels;
mod object;
mod remnant;
mod repository;
mod schema;
mod yaml;

use std::fmt;

use serde::Serialize;

pub use object::{Declared, Foreign};
pub use repository::{Repository, SourceFile, read_settings};
pub use schema::Schemas;
pub use yaml::{ReadDocuments, read_documents};

use crate::model::shown;
use crate::problem::Severity;

/// A place in a file; both count from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// A YAML value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub at: Position,
    /// What it is.
    pub value: Value,
}

/// A YAML value as the API server reads it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(serde_json::Number),
    /// A text.
    String(String),
    /// A list.
    List(Vec<Node>),
    /// Fields, in the order written, with where each name stands.
    Map(Vec<(String, Position, Node)>),
}

/// Something to tell the user about a file, printed as `FILE:LINE:COLUMN: severity: message (field)`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Diagnostic {
    /// The file, as it was named to us.
    pub file: String,
    /// Where.
    #[serde(flatten)]
    pub at: Position,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong and what would be right.
    pub message: String,
    /// The field's path; empty for the file as such.
    pub field: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, at, severity, message, field } = self;
        write!(f, "{file}:{}:{}: {severity}: {message}", at.line, at.column)?;
        if field.is_empty() { Ok(()) } else { write!(f, " ({field})") }
    }
}

impl Node {
    /// A field's value.
    pub fn get(&self, field: &str) -> Option<&Self> {
        self.entry(field).map(|(_, node)| node)
    }

    /// A field's text.
    pub fn text(&self, field: &str) -> Option<&str> {
        match &self.get(field)?.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// Where the value of a path such as `spec.records[3].name` stands; for what is not there, the nearest place above it.
    pub fn locate(&self, path: &str) -> Position {
        let mut node = self;
        let mut at = self.at;
        for step in path.split(['.', '[']).map(|step| step.trim_end_matches(']')).filter(|step| !step.is_empty()) {
            let next = match (&node.value, step.parse::<usize>()) {
                (Value::List(items), Ok(index)) => items.get(index).map(|item| (item.at, item)),
                _ => node.entry(step),
            };
            let Some((position, found)) = next else { break };
            (at, node) = (position, found);
        }
        match &node.value {
            Value::Map(_) | Value::List(_) => at,
            _ => node.at,
        }
    }

    /// The value as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Number(number) => serde_json::Value::Number(number.clone()),
            Value::String(text) => text.as_str().into(),
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Map(fields) => fields
                .iter()
                .map(|(name, _, node)| (name.clone(), node.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }

    /// A field with where its name stands.
    fn entry(&self, field: &str) -> Option<(Position, &Self)> {
        match &self.value {
            Value::Map(fields) => fields.iter().find(|(name, ..)| name == field).map(|(_, at, node)| (*at, node)),
            _ => None,
        }
    }
}

impl Value {
    /// What it is, for messages.
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}
