//! What is left of an object when what cannot be read is taken out, so that the rest of it can be judged at the same time.

use serde_json::{Map, Value, json};

/// Takes the value at a path such as `spec.records[3].ttl` out; whether there was one. Entries keep their numbers: a record set stands
/// aside as one that collides with nothing, of any other list with a wrong entry the whole is taken out.
pub(super) fn take_out(object: &mut Value, path: &str) -> bool {
    let steps: Vec<&str> =
        path.split(['.', '[']).map(|step| step.trim_end_matches(']')).filter(|step| !step.is_empty()).collect();
    let Some((last, above)) = steps.split_last() else { return false };
    let Some(parent) = above.iter().try_fold(&mut *object, |value, step| child(value, step)) else { return false };
    match parent {
        Value::Object(fields) => remove(fields, last),
        Value::Array(items) => match (above, last.parse::<usize>()) {
            (["spec", "records"], Ok(index)) => stand_aside(items, index),
            _ => take_out(object, &above.join(".")),
        },
        _ => false,
    }
}

fn child<'a>(value: &'a mut Value, step: &str) -> Option<&'a mut Value> {
    match value {
        Value::Object(fields) => fields.get_mut(step),
        Value::Array(items) => items.get_mut(step.parse::<usize>().ok()?),
        _ => None,
    }
}

fn remove(fields: &mut Map<String, Value>, name: &str) -> bool {
    fields.remove(name).is_some()
}

fn stand_aside(records: &mut [Value], index: usize) -> bool {
    let aside = json!({"name": format!("_refused-{index}"), "type": "TXT", "values": [""]});
    records.get_mut(index).is_some_and(|record| *record != aside && std::mem::replace(record, aside) != Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_out_leaves_the_rest_in_its_place() {
        let mut object =
            json!({"spec": {"ttl": "x", "aliases": ["a", 5], "records": [{"name": "a", "ttl": -1}, {"type": 3}]}});
        for path in ["spec.ttl", "spec.aliases[1]", "spec.records[0].ttl", "spec.records[1]"] {
            assert!(take_out(&mut object, path), "{path}");
        }
        let aside = json!({"name": "_refused-1", "type": "TXT", "values": [""]});
        assert_eq!(object, json!({"spec": {"records": [{"name": "a"}, aside]}}));
        for path in ["", "spec.ttl", "spec.records[1]", "spec.records[2]", "other.path[1]"] {
            assert!(!take_out(&mut object, path), "{path}: nothing is there to take out");
        }
    }
}
