//! What is said of an import, and how it ends.

use std::fs;

use serde_json::{Value, json};

use crate::{cst, path, repository, text};

/// The one document that a command prints, whatever came of it.
fn document(arguments: &[&str], code: i32) -> Value {
    let output = cst(&[arguments, &["-o", "json"]].concat());
    assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(&output.stdout)))
}

#[test]
fn as_json_it_is_one_document_also_when_it_fails() {
    let repository = repository();
    let (root, file) = (path(&repository, ""), path(&repository, "zone.db"));
    let import = ["import", "zone", "--with", &root, &file, "--origin", "urbino.example"];
    fs::write(&file, "@ 60 SOA ns root 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\nx DNAME y\n").unwrap();
    let told = document(&import, 0);
    let zone = &told["zones"][0];
    assert_eq!((&told["version"], &told["errors"], &zone["zone"]), (&json!(1), &json!(0), &json!("urbino.example")));
    assert_eq!((&zone["same"], &zone["file"]), (&json!(false), &Value::Null));
    assert!(zone["differences"][0].as_str().unwrap().starts_with("- x.urbino.example DNAME"), "{zone}");
    assert!(zone["manifest"].as_str().unwrap().contains("kind: Domain"), "{zone}");
    assert_eq!(told["diagnostics"][0]["line"], json!(4), "{told}");

    let elsewhere = tempfile::tempdir().unwrap();
    let out = [&import[..], &["--out", elsewhere.path().to_str().unwrap()]].concat();
    let zone = document(&out, 0)["zones"][0].clone();
    let written = zone["file"].as_str().unwrap();
    assert!(zone["manifest"].is_null() && fs::read_to_string(written).unwrap().contains("kind: Domain"), "{zone}");
    fs::write(written, "other").unwrap();
    let told = document(&out, 3);
    assert_eq!((&told["errors"], &told["diagnostics"][1]["file"]), (&json!(1), &json!(written)), "{told}");

    fs::write(&file, "@ 60 SOA ns root 1 2 3 4 5\na ( A 192.0.2.1\n").unwrap();
    let told = document(&import, 3);
    assert_eq!((&told["zones"], &told["diagnostics"][0]["line"]), (&json!([]), &json!(2)), "{told}");
    fs::remove_file(&file).unwrap();
    let failure = document(&import, 1)["failure"].as_str().unwrap().to_owned();
    assert!(failure.contains("zone.db"), "{failure}");

    let rendered = path(&repository, "rendered");
    assert_eq!(document(&["render", &root, "--out", &rendered], 0)["errors"], json!(0));
    let failure = document(&["render", &path(&repository, "nowhere"), "--out", &rendered], 1);
    assert!(failure["failure"].as_str().unwrap().contains("nowhere"), "{failure}");
}
