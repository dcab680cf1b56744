//! A Domain as people write it: a record set a line, in order, what is left out said above.

use cst_api::{DomainMail, DomainSpec, Pec, Record};
use serde::Serialize;
use serde_json::Value;

use crate::model::{DomainName, ObjectKey, RecordSet};

/// How long a line may be.
const WIDTH: usize = 140;
/// Words that YAML takes for something else than text.
const TAKEN: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

/// The manifest of a Domain, with comments above it.
pub(super) fn domain(key: &ObjectKey, spec: &DomainSpec, comments: &[String]) -> String {
    let mut text: String = comments.iter().map(|comment| wrapped(&one_line(comment))).collect();
    let (name, namespace) = (scalar(&key.name), scalar(&key.namespace));
    text += &format!(
        "apiVersion: {}\nkind: Domain\nmetadata: {{name: {name}, namespace: {namespace}}}\n",
        cst_api::API_VERSION
    );
    let DomainSpec { zone, ttl, records, mail, pec, .. } = spec;
    let fields = [
        zone.as_ref().map(|zone| format!("  zone: {}\n", scalar(zone))),
        ttl.map(|ttl| format!("  ttl: {ttl}\n")),
        (!records.is_empty()).then(|| format!("  records:\n{}", records.iter().map(record).collect::<String>())),
        mail.as_ref().map(|mail| format!("  mail: {}\n", flow_mail(mail))),
        pec.as_ref().map(|pec| format!("  pec: {}\n", flow_pec(pec))),
    ];
    let fields: String = fields.into_iter().flatten().collect();
    text + &if fields.is_empty() { "spec: {}\n".to_owned() } else { format!("spec:\n{fields}") }
}

/// What is said of mail that a preset would change.
pub(super) fn mail_differs(mail: &DomainMail, differing: &[RecordSet], apex: &DomainName) -> String {
    let sets = differing.iter().map(|set| {
        let values: Vec<String> = set.values().iter().map(ToString::to_string).collect();
        format!("{} {} {} {}", set.name.relative_to(apex).unwrap_or("@"), set.ttl, set.type_(), values.join(", "))
    });
    format!(
        "The mail is written record by record: `mail: {}` would publish {}",
        flow_mail(mail),
        sets.collect::<Vec<_>>().join("; ")
    )
}

fn record(record: &Record) -> String {
    let Record { name, type_, values, ttl, .. } = record;
    let (name, ttl) = (scalar(name), ttl.map(|ttl| format!(", ttl: {ttl}")).unwrap_or_default());
    let type_ = type_.in_manifests();
    let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
    let line = format!("    - {{name: {name}, type: {type_}, values: [{}]{ttl}}}\n", values.join(", "));
    if line.chars().count() <= WIDTH || values.len() == 1 {
        return line;
    }
    let values: String = values.iter().map(|value| format!("        - {value}\n")).collect();
    let ttl = ttl.strip_prefix(", ").map(|ttl| format!("      {ttl}\n")).unwrap_or_default();
    format!("    - name: {name}\n      type: {type_}\n{ttl}      values:\n{values}")
}

fn flow_mail(mail: &DomainMail) -> String {
    // No zone tells of a catch-all, of addresses that are valid in two domains, or of limits.
    let DomainMail { mode, provider, hosts, spf, dmarc, .. } = mail;
    let fields = [
        field("mode", Some(mode)),
        field("provider", provider.as_ref()),
        field("hosts", Some(hosts).filter(|hosts| !hosts.is_empty())),
        field("spf", spf.as_ref()),
        field("dmarc", dmarc.as_ref()),
    ];
    format!("{{{}}}", fields.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

fn flow_pec(pec: &Pec) -> String {
    let Pec { name, provider, hosts } = pec;
    let hosts = Some(hosts).filter(|hosts| !hosts.is_empty());
    let fields = [field("name", name.as_ref()), field("provider", provider.as_ref()), field("hosts", hosts)];
    format!("{{{}}}", fields.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

fn field<V: Serialize>(name: &str, value: Option<&V>) -> Option<String> {
    let value = serde_json::to_value(value?).ok()?;
    Some(format!("{name}: {}", flow(&value)))
}

/// A value in flow style.
fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {}", flow(value))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

/// A text without quotes where it cannot be taken for anything else.
fn scalar(text: &str) -> String {
    let begins_well = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let is_plain = begins_well && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if is_plain && !TAKEN.iter().any(|word| word.eq_ignore_ascii_case(text)) { text.to_owned() } else { quoted(text) }
}

/// A double-quoted scalar (YAML 1.2 §7.3.1): what is not printed, or would end a line, as its escape.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            ' '..='~' => out.push(character),
            _ if character.is_alphanumeric() => out.push(character),
            _ => out += &format!("\\U{:08X}", u32::from(character)),
        }
    }
    out.push('"');
    out
}

/// A comment's text, whatever was in the file that it tells of.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}' | '\u{FEFF}') {
                ' '
            } else {
                character
            }
        })
        .collect()
}

/// A comment in lines, those after the first indented.
fn wrapped(text: &str) -> String {
    let mut lines = vec!["#".to_owned()];
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let is_full = lines.last().is_some_and(|line| line.chars().count() + word.chars().count() >= WIDTH);
        if is_full && lines.last().is_some_and(|line| line != "#  ") {
            lines.push("#  ".into());
        }
        lines.last_mut().into_iter().for_each(|line| line.extend([" ", word]));
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_read_back_as_they_are() {
        for text in [
            "",
            "@",
            "*",
            "www",
            "no",
            "Y",
            "1",
            "0x1",
            "a: b",
            "#",
            "a #b",
            "\"\\",
            "è",
            "\u{FEFF}\u{2028}\u{85}\u{7F}",
            "~",
            "1e3",
            "_dmarc",
            "a.b-c",
            "-",
            "😀",
            "2001-01-01",
        ] {
            for written in [scalar(text), quoted(text)] {
                let back: Value = serde_yaml::from_str(&format!("{{a: {written}}}")).unwrap();
                assert_eq!(back["a"], Value::String(text.into()), "{written}");
            }
        }
    }
}
