//! What the API server takes as labels and annotations
//! (<https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set>).

use super::object::is_object_name;
use super::schema::Refused;
use super::{Node, Value, shown};

/// The longest name in a key, and the longest value of a label, in characters.
const MAX_WORD: usize = 63;

/// What is wrong with the labels and annotations of an object.
pub(super) fn problems(metadata: &Node) -> Vec<Refused> {
    let mut refused = Vec::new();
    for field in ["labels", "annotations"] {
        let Some(Value::Map(entries)) = metadata.get(field).map(|node| &node.value) else { continue };
        for (key, at, node) in entries {
            let path = format!("metadata.{field}.{}", shown(key));
            if !is_key(key) {
                let message = format!(
                    "`{}` is no key: use at most {MAX_WORD} letters, digits and inner `-`, `_`, `.`, after a DNS name and `/` if it has an owner",
                    shown(key)
                );
                refused.push((*at, path.clone(), message));
            }
            if let Value::String(text) = &node.value
                && field == "labels"
                && !(text.is_empty() || is_word(text))
            {
                let message = format!(
                    "`{}` is no label's value: use at most {MAX_WORD} letters, digits and inner `-`, `_`, `.`, or an annotation, which takes any text",
                    shown(text)
                );
                refused.push((node.at, path, message));
            }
        }
    }
    refused
}

fn is_key(key: &str) -> bool {
    match key.split_once('/') {
        Some((owner, name)) => is_object_name(owner) && is_word(name),
        None => is_word(key),
    }
}

fn is_word(text: &str) -> bool {
    let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.len() <= MAX_WORD && ends(text.bytes().next()) && ends(text.bytes().last()) && text.bytes().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_keys_are_those_of_the_api_server() {
        for right in ["a", "A", "1-_.x", &"x".repeat(63)] {
            assert!(is_word(right) && is_key(right) && is_key(&format!("a.b-c/{right}")), "{right}");
        }
        for wrong in ["", "a b", "Città", "-a", "a-", "a/b", &"x".repeat(64)] {
            assert!(!is_word(wrong), "{wrong}");
        }
        for wrong in ["", "bad key", "/a", "a/", "A.B/c", "a/b/c", "a_b/c"] {
            assert!(!is_key(wrong), "{wrong}");
        }
    }
}
