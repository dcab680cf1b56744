use std::collections::BTreeSet;

use super::{Node, Position, Value};

type Fields = Vec<(String, Position, Node)>;

/// A map with what its merge key brings in (`<<: *anchor`, <https://yaml.org/type/merge.html>), as kubectl reads it: what the map says
/// itself stays, of several maps the first one counts.
pub(super) fn merged(mut fields: Fields) -> Result<Fields, (Position, String)> {
    let Some(at) = fields.iter().position(|(name, ..)| name == "<<") else { return Ok(fields) };
    let (_, _, source) = fields.remove(at);
    let wrong = |at: Position| (at, "`<<` takes an alias of a map, such as `<<: *defaults`, or a list of them".into());
    let maps = match source.value {
        Value::List(items) => items,
        _ => vec![source],
    };
    let mut known: BTreeSet<String> = fields.iter().map(|(name, ..)| name.clone()).collect();
    for map in maps {
        let Value::Map(more) = map.value else { return Err(wrong(map.at)) };
        fields.extend(more.into_iter().filter(|(name, ..)| known.insert(name.clone())));
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::super::read_documents;
    use serde_json::json;

    #[test]
    fn a_merge_key_brings_in_what_the_map_does_not_say() {
        let read = read_documents(
            "p: &p {a: 1, b: 2}\nq: &q {b: 3, c: 4}\nr: {<<: [*p, *q], a: 0, d: 5}\ns: {b: 7, <<: *p}\n",
        );
        assert_eq!(read.problems, []);
        let json = read.documents[0].to_json();
        assert_eq!(json["r"], json!({"a": 0, "d": 5, "b": 2, "c": 4}));
        assert_eq!(json["s"], json!({"a": 1, "b": 7}));
    }

    #[test]
    fn a_merge_key_takes_maps_only() {
        for text in ["a: {<<: 1}\n", "a: {<<: [{b: 1}, 2]}\n"] {
            let read = read_documents(text);
            assert!(read.problems[0].1.contains("takes an alias of a map"), "{:?}", read.problems);
        }
    }
}
