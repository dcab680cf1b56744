//! Checks a document against the CRD's own schema: what the API server would refuse, with the place of each value.

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{JSONSchemaProps, JSONSchemaPropsOrArray};
use regex_lite::Regex;

use super::{Node, Position, Value, labels, shown};

/// The schemas of our kinds.
#[derive(Debug)]
pub struct Schemas {
    kinds: BTreeMap<String, JSONSchemaProps>,
    patterns: BTreeMap<String, Regex>,
}

/// What a schema refuses: where, at which field, and why.
pub(super) type Refused = (Position, String, String);

/// What is said of a text that misses its pattern.
const NOT_OF_THE_FORM: &str = "does not have the form this field needs";

/// Whether a refusal is of a pattern alone.
pub(super) fn is_of_pattern(message: &str) -> bool {
    message.contains(NOT_OF_THE_FORM)
}

impl Default for Schemas {
    fn default() -> Self {
        Self::new()
    }
}

impl Schemas {
    /// The schemas of the CRDs in the api crate.
    pub fn new() -> Self {
        let mut schemas = Self { kinds: BTreeMap::new(), patterns: BTreeMap::new() };
        for crd in cst_api::crds() {
            let version = crd.spec.versions.into_iter().next();
            if let Some(schema) = version.and_then(|v| v.schema).and_then(|s| s.open_api_v3_schema) {
                schemas.compile_patterns(&schema);
                schemas.kinds.insert(crd.spec.names.kind, schema);
            }
        }
        schemas
    }

    /// What the kind's schema refuses in a document's spec.
    pub(super) fn check(&self, kind: &str, document: &Node) -> Vec<Refused> {
        let mut refused = Vec::new();
        let Some(schema) = self.kinds.get(kind) else { return refused };
        for field in ["spec"] {
            let Some(schema) = schema.properties.as_ref().and_then(|p| p.get(field)) else { continue };
            match document.get(field) {
                Some(node) => self.value(schema, node, field, &mut refused),
                None => refused.push((document.at, field.into(), format!("`{field}` is missing"))),
            }
        }
        let known = ["apiVersion", "kind", "metadata", "spec", "status"];
        unknown_fields(document, "", |name| known.contains(&name), known.into_iter(), &mut refused);
        refused
    }

    fn value(&self, schema: &JSONSchemaProps, node: &Node, path: &str, refused: &mut Vec<Refused>) {
        let expected = schema.type_.as_deref().unwrap_or("object");
        match (&node.value, expected) {
            (Value::Map(_), "object") => self.fields(schema, node, path, refused),
            (Value::List(items), "array") => self.items(schema, node, items, path, refused),
            (Value::String(text), "string") => self.text(schema, node, text, path, refused),
            (Value::Number(number), "integer" | "number") => integer(schema, node, number, path, refused),
            (Value::Bool(_), "boolean") => {}
            (Value::Null, _) if schema.nullable == Some(true) => {}
            (found, _) => refused.push((node.at, path.into(), wrong_kind(found, expected))),
        }
    }

    fn fields(&self, schema: &JSONSchemaProps, node: &Node, path: &str, refused: &mut Vec<Refused>) {
        let Some(properties) = &schema.properties else { return };
        unknown_fields(
            node,
            path,
            |name| properties.contains_key(name),
            properties.keys().map(String::as_str),
            refused,
        );
        for required in schema.required.iter().flatten().filter(|name| node.get(name).is_none()) {
            refused.push((node.at, join(path, required), format!("`{required}` is missing")));
        }
        for (name, property) in properties {
            if let Some(value) = node.get(name) {
                self.value(property, value, &join(path, name), refused);
            }
        }
    }

    fn items(&self, schema: &JSONSchemaProps, node: &Node, items: &[Node], path: &str, refused: &mut Vec<Refused>) {
        let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
        if let Some(max) = schema.max_items.filter(|max| length > *max) {
            refused.push((node.at, path.into(), format!("{length} entries, at most {max} are allowed")));
        }
        if let Some(min) = schema.min_items.filter(|min| length < *min) {
            refused.push((node.at, path.into(), format!("{length} entries, at least {min} are needed")));
        }
        if let Some(JSONSchemaPropsOrArray::Schema(item)) = &schema.items {
            for (index, value) in items.iter().enumerate() {
                self.value(item, value, &format!("{path}[{index}]"), refused);
            }
        }
    }

    fn text(&self, schema: &JSONSchemaProps, node: &Node, text: &str, path: &str, refused: &mut Vec<Refused>) {
        let mut refuse = |message: String| refused.push((node.at, path.to_owned(), message));
        let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
        if let Some(max) = schema.max_length.filter(|max| length > *max) {
            return refuse(format!("{length} characters, at most {max} are allowed"));
        }
        if let Some(min) = schema.min_length.filter(|min| length < *min) {
            return refuse(format!("{length} characters, at least {min} are needed"));
        }
        if let Some(allowed) = &schema.enum_ {
            let allowed: Vec<&str> = allowed.iter().filter_map(|value| value.0.as_str()).collect();
            if !allowed.contains(&text) {
                return refuse(no_word(text, &allowed));
            }
        }
        if let Some(pattern) = &schema.pattern
            && let Some(regex) = self.patterns.get(pattern).filter(|regex| !regex.is_match(text))
        {
            refuse(pattern_missed(schema, pattern, regex, text));
        }
    }

    fn compile_patterns(&mut self, schema: &JSONSchemaProps) {
        if let Some(pattern) = &schema.pattern
            && let Ok(regex) = Regex::new(pattern)
        {
            self.patterns.insert(pattern.clone(), regex);
        }
        schema.properties.iter().flatten().for_each(|(_, property)| self.compile_patterns(property));
        if let Some(JSONSchemaPropsOrArray::Schema(item)) = &schema.items {
            self.compile_patterns(item);
        }
    }
}

/// What the API server takes in `metadata` (`ObjectMeta`).
const METADATA: [&str; 15] = [
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// What is wrong with a document's metadata for any kind.
pub(super) fn check_metadata(document: &Node) -> Vec<Refused> {
    let mut refused = Vec::new();
    let Some(metadata) = document.get("metadata") else { return refused };
    if !matches!(metadata.value, Value::Map(_)) {
        refused.push((metadata.at, "metadata".into(), wrong_kind(&metadata.value, "object")));
    }
    unknown_fields(metadata, "metadata", |name| METADATA.contains(&name), METADATA.into_iter(), &mut refused);
    for name in ["name", "namespace"] {
        if let Some(node) = metadata.get(name).filter(|node| !matches!(node.value, Value::String(_))) {
            refused.push((node.at, join("metadata", name), wrong_kind(&node.value, "string")));
        }
    }
    refused.extend(labels::problems(metadata));
    refused
}

fn integer(schema: &JSONSchemaProps, node: &Node, number: &serde_json::Number, path: &str, refused: &mut Vec<Refused>) {
    let Some(value) = number.as_f64() else { return };
    if schema.type_.as_deref() == Some("integer") && !number.is_i64() {
        refused.push((node.at, path.into(), format!("`{number}` is not a whole number")));
    } else if schema.minimum.is_some_and(|min| value < min) || schema.maximum.is_some_and(|max| value > max) {
        let (min, max) = (schema.minimum.unwrap_or_default(), schema.maximum.unwrap_or(f64::INFINITY));
        refused.push((node.at, path.into(), format!("`{number}` is not between {min} and {max}")));
    }
}

/// The alternatives of a pattern that is a list of words, the last of them perhaps a form.
fn words_of(pattern: &str) -> Option<Vec<&str>> {
    let list = pattern.strip_prefix("^(")?.strip_suffix(")$")?;
    let words: Vec<&str> = list.split('|').collect();
    let (_, all_but_last) = words.split_last()?;
    let is_word = |word: &&str| word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (!all_but_last.is_empty() && all_but_last.iter().all(is_word)).then_some(words)
}

fn no_word(text: &str, words: &[&str]) -> String {
    let hint = nearest(text, words.iter().copied()).map(|near| format!(", did you mean {near}?")).unwrap_or_default();
    format!("`{}` is not one of {}{hint}", shown(text), words.join(", "))
}

/// Of a text that misses its pattern: what the field's documentation says first, and the pattern.
fn pattern_missed(schema: &JSONSchemaProps, pattern: &str, regex: &Regex, text: &str) -> String {
    let (lower, upper) = (text.to_lowercase(), text.to_uppercase());
    if regex.is_match(&lower) {
        return format!("`{}` has upper-case letters: write `{}`", shown(text), shown(&lower));
    }
    if regex.is_match(&upper) {
        return format!("`{}` has lower-case letters: write `{}`", shown(text), shown(&upper));
    }
    if let Some(words) = words_of(pattern) {
        return no_word(text, &words);
    }
    let meaning = schema.description.as_deref().and_then(|text| text.split(['\n', ';']).next()).unwrap_or_default();
    let meaning = meaning.split(". ").next().unwrap_or_default().trim_end_matches('.');
    let meaning = if meaning.is_empty() { String::new() } else { format!(": {meaning}") };
    format!("`{}` {NOT_OF_THE_FORM} ({pattern}){meaning}", shown(text))
}

fn wrong_kind(found: &Value, expected: &str) -> String {
    let wanted = match expected {
        "string" => "a text",
        "array" => "a list",
        "object" => "a map",
        "integer" | "number" => "a number",
        "boolean" => "true or false",
        other => other,
    };
    let hint = match (found, expected) {
        (Value::Bool(_) | Value::Number(_), "string") => ": put it in quotes",
        (Value::Null, _) => ": give a value or remove the field",
        _ => "",
    };
    format!("this is {}, the field takes {wanted}{hint}", found.kind())
}

fn unknown_fields<'a>(
    node: &Node,
    path: &str,
    known: impl Fn(&str) -> bool,
    names: impl Iterator<Item = &'a str> + Clone,
    refused: &mut Vec<Refused>,
) {
    let Value::Map(fields) = &node.value else { return };
    for (name, at, _) in fields.iter().filter(|(name, ..)| !known(name)) {
        let hint = nearest(name, names.clone()).map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
        refused.push((*at, join(path, &shown(name)), format!("there is no field `{}`{hint}", shown(name))));
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// The known name that is at most two edits away.
pub(super) fn nearest<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = text.to_lowercase();
    names
        .map(|name| (edits(&lower, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= 2)
        .min()
        .map(|(_, name)| name)
}

/// Levenshtein's distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            let cheapest = substituted.min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], cheapest);
        }
    }
    row[b.len()]
}
