//! A folder of manifests as one index, with every problem at its place.

use std::collections::BTreeMap;

use super::{Declared, Diagnostic, Node, Position, Schemas, Value, read_documents};
use crate::index::{Change, Index};
use crate::model::ObjectKey;
use crate::problem::{ObjectRef, Problem, Severity};
use crate::settings::Settings;

/// A file's text, and its path as it shall be named.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// The path.
    pub path: String,
    /// The text.
    pub text: String,
}

/// What the files of a repository declare.
#[derive(Debug)]
pub struct Repository {
    /// All objects that could be read.
    pub index: Index,
    /// What is wrong with the files as such.
    pub diagnostics: Vec<Diagnostic>,
    places: BTreeMap<ObjectRef, (String, Node)>,
    secrets: BTreeMap<ObjectKey, (String, Position)>,
}

impl Repository {
    /// Reads all files. One bad document or object harms no other.
    pub fn read(files: &[SourceFile], settings: Settings, schemas: &Schemas) -> Self {
        let mut repository = Self {
            index: Index::new(settings),
            diagnostics: Vec::new(),
            places: BTreeMap::new(),
            secrets: BTreeMap::new(),
        };
        for file in files {
            let read = read_documents(&file.text);
            for (at, message) in &read.problems {
                repository.tell(&file.path, *at, Severity::Error, message.clone(), String::new());
            }
            for (number, document) in read.documents.into_iter().enumerate() {
                let sound = !read.suspect.contains(&number);
                repository.take(&file.path, document, sound, schemas);
            }
        }
        repository
    }

    /// The objects declared, with the file of each.
    pub fn objects(&self) -> impl Iterator<Item = (&ObjectRef, &str)> {
        self.places.iter().map(|(object, (file, _))| (object, file.as_str()))
    }

    /// A problem of an object at its place.
    pub fn diagnose(&self, problem: &Problem) -> Diagnostic {
        let (file, at) = match self.places.get(&problem.object) {
            Some((file, node)) => (file.clone(), node.locate(&problem.field)),
            None => (problem.object.to_string(), Position::default()),
        };
        Diagnostic {
            file,
            at,
            severity: problem.severity,
            message: problem.message.clone(),
            field: problem.field.clone(),
        }
    }

    fn take(&mut self, path: &str, document: Node, sound: bool, schemas: &Schemas) {
        let at = document.at;
        let document = match listed(document) {
            Ok(Some(items)) => return items.into_iter().for_each(|item| self.take(path, item, sound, schemas)),
            Ok(None) => {
                let message = "a list holds its objects in `items`, each with a `-` before it: write them there, or leave the list out";
                return self.tell(path, at, Severity::Error, message.into(), "items".into());
            }
            Err(document) => document,
        };
        match Declared::read(&document, schemas, sound) {
            Declared::Ours(object, change, refused) => {
                for (at, field, message) in refused {
                    self.tell(path, at, Severity::Error, message, field);
                }
                self.place(path, object, document, change);
            }
            Declared::Secret(key, change) => self.place_secret(path, key, document.at, change),
            Declared::Nothing(message) => self.tell(path, document.at, Severity::Error, message, String::new()),
            Declared::Foreign(_) => {}
        }
    }

    fn place(&mut self, path: &str, object: ObjectRef, document: Node, change: Option<Change>) {
        if object.key.name.is_empty() {
            return;
        }
        if let Some((first, node)) = self.places.get(&object) {
            let message = format!("{object} is declared in {first}:{} too: keep one", node.at.line);
            let at = document.locate("metadata.name");
            self.tell(path, at, Severity::Error, message, "metadata.name".into());
            return;
        }
        self.places.insert(object, (path.to_owned(), document));
        if let Some(change) = change {
            self.index.apply(change);
        }
    }

    fn place_secret(&mut self, path: &str, key: ObjectKey, at: Position, change: Change) {
        if let Some((first, place)) = self.secrets.get(&key) {
            let message = format!("Secret {key} is declared in {first}:{} too: keep one", place.line);
            self.tell(path, at, Severity::Error, message, "metadata.name".into());
            return;
        }
        self.secrets.insert(key, (path.to_owned(), at));
        self.index.apply(change);
    }

    fn tell(&mut self, file: &str, at: Position, severity: Severity, message: String, field: String) {
        self.diagnostics.push(Diagnostic { file: file.to_owned(), at, severity, message, field });
    }
}

/// The objects of a list (`kind: List` or `DomainList`, as `kubectl get -o yaml` prints it), which kubectl takes one by one, `None` where it
/// holds none; else the document itself. Somebody else's kind may end in `List` and be none.
fn listed(document: Node) -> Result<Option<Vec<Node>>, Node> {
    let kind = document.text("kind").unwrap_or_default();
    let is_ours = ["List", "TenantList", "DomainList", "MailboxList", "WebSiteList"].contains(&kind);
    let is_list = kind.ends_with("List");
    match document.value {
        Value::Map(mut fields) if is_list => match fields.iter().position(|(name, ..)| name == "items") {
            Some(items) => match fields.swap_remove(items).2.value {
                Value::List(items) => Ok(Some(items)),
                _ => Ok(None),
            },
            None if is_ours => Ok(None),
            None => Err(Node { value: Value::Map(fields), ..document }),
        },
        value => Err(Node { value, ..document }),
    }
}

/// Reads the settings file: one document of kind Settings. `knows_time_zone`: whether an IANA time zone is known where it is asked.
pub fn read_settings(file: &SourceFile, knows_time_zone: impl Fn(&str) -> bool) -> Result<Settings, Vec<Diagnostic>> {
    let read = read_documents(&file.text);
    let tell = |at: Position, message: String| Diagnostic {
        file: file.path.clone(),
        at,
        severity: Severity::Error,
        message,
        field: String::new(),
    };
    if !read.problems.is_empty() {
        return Err(read.problems.into_iter().map(|(at, message)| tell(at, message)).collect());
    }
    let [document] = read.documents.as_slice() else {
        return Err(vec![tell(
            Position { line: 1, column: 1 },
            format!("one document of kind Settings is needed, there are {}", read.documents.len()),
        )]);
    };
    if document.text("kind") != Some("Settings") || document.text("apiVersion") != Some(cst_api::API_VERSION) {
        return Err(vec![tell(
            document.at,
            format!("this is no settings file: write apiVersion: {} and kind: Settings", cst_api::API_VERSION),
        )]);
    }
    let at_field =
        |field: String, message: String| Diagnostic { field: field.clone(), ..tell(document.locate(&field), message) };
    let settings: Settings = serde_path_to_error::deserialize(document.to_json())
        .map_err(|error| vec![at_field(error.path().to_string(), in_words(&error.into_inner().to_string()))])?;
    let problems = settings.problems(knows_time_zone);
    if problems.is_empty() {
        return Ok(settings);
    }
    Err(problems.into_iter().map(|(field, message)| at_field(field, message)).collect())
}

/// What the deserializer expects of a number, for who does not know its types.
fn in_words(message: &str) -> String {
    message.replace("expected u16", "expected a whole number from 0 to 65535")
}
