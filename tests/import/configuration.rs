//! BIND's configuration: which zones it has.

use std::fs;
use std::process::Command;

use crate::bind::{Bind, ZONES, bind_folder, stanzas};
use crate::{cst, import_and_render, path, repository, text};

#[test]
fn a_bind_folder_is_served_as_before() {
    let (folder, repository) = (bind_folder(), repository());
    let (zones, told) =
        import_and_render(&repository, &["--named-conf", folder.path().to_str().unwrap(), "--detailed-exitcode"]);
    assert_eq!(told.matches("renders to the same zone").count(), 3, "{told}");
    assert!(told.contains("named.conf.local:4:1: warning: other.example is skipped"), "{told}");
    assert!(
        told.contains("warning: `/var/cache/bind/zones/db.scuola` is taken to be `zones/db.scuola` here"),
        "{told}"
    );
    assert_eq!(told.matches("is taken to be").count(), 1, "{told}");
    assert!(!told.contains("localhost"), "{told}");
    let written = fs::read_to_string(repository.path().join("members/urbino/urbino.example.yaml")).unwrap();
    assert!(written.ends_with("  mail: {mode: Hosted}\n  pec: {provider: Aruba}\n"), "{written}");
    let allow = "allow-transfer { key \"transfer\"; };";
    let old =
        Bind::start(folder.path(), allow, &stanzas(folder.path(), |_, name| format!("zones/{name}")), "urbino.example");
    let place = tempfile::tempdir().unwrap();
    let new = Bind::start(place.path(), allow, &stanzas(&zones, |zone, _| format!("{zone}.zone")), "urbino.example");
    for (zone, _) in ZONES {
        let served = old.served(zone);
        assert!(served.len() > 1, "{zone}: {served:?}");
        assert_eq!(new.served(zone), served, "{zone}");
    }
    // Imported again, nothing is written anew; a file that somebody changed is left alone.
    let root = path(&repository, "");
    let again = ["import", "zone", "--with", &root, "--out", &root, "--named-conf", folder.path().to_str().unwrap()];
    assert_eq!(cst(&again).status.code(), Some(0));
    fs::write(repository.path().join("members/urbino/urbino.example.yaml"), format!("{written}# mine\n")).unwrap();
    let output = cst(&again);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("says something else"), "{}", text(&output.stderr));
}

#[test]
fn a_zone_whose_file_does_not_tell_all_is_warned_of() {
    let (folder, repository) = (bind_folder(), repository());
    let (root, place) = (path(&repository, ""), folder.path().to_str().unwrap());
    let conf = "zone \"urbino.example\" { type primary; file \"zones/db.urbino\"; update-policy local; dnssec-policy default; };\n\
                zone \"2.0.192.in-addr.arpa\" { type master; file \"zones/db.192.0.2\"; };\n";
    fs::write(folder.path().join("named.conf"), conf).unwrap();
    fs::write(folder.path().join("zones/db.192.0.2.jnl"), "").unwrap();
    let output = cst(&["import", "zone", "--with", &root, "--named-conf", place]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
    for expected in [
        "named.conf:1:1: warning: urbino.example changes without its file (`update-policy`)",
        "named.conf:1:1: warning: the server signs urbino.example (`dnssec-policy`)",
        "named.conf:2:1: warning: 2.0.192.in-addr.arpa changes without its file (its journal `zones/db.192.0.2.jnl`)",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
}

#[test]
fn files_that_include_each_other_come_to_an_end() {
    let (folder, repository) = (bind_folder(), repository());
    let (root, conf) = (path(&repository, ""), folder.path().to_str().unwrap());
    let import = || {
        let mut import = Command::new("timeout");
        let output = import.arg("60").arg(env!("CARGO_BIN_EXE_cst")).args([
            "import",
            "zone",
            "--with",
            &root,
            "--named-conf",
            conf,
        ]);
        let output = output.output().unwrap();
        (output.status.code(), text(&output.stderr))
    };
    let chain = |includes: usize, length: usize, is_closed: bool| {
        for number in 0..length {
            let next = format!("include \"/etc/bind/{}.conf\";\n", (number + 1) % length);
            let is_end = number + 1 == length && !is_closed;
            let text = if is_end { String::new() } else { next.repeat(includes) };
            fs::write(folder.path().join(format!("{number}.conf")), text).unwrap();
        }
        fs::write(folder.path().join("named.conf"), "include \"/etc/bind/0.conf\";\n").unwrap();
    };
    let ends = [
        ((1, 3, true), "2.conf:1:1: error: `/etc/bind/0.conf` includes itself", 1),
        ((50, 1, true), "0.conf:50:1: error: `/etc/bind/0.conf` includes itself", 50),
        ((1, 30, false), "is included by 16 files in a row", 1),
        ((50, 10, false), "is one included over and over", 1),
    ];
    for ((includes, length, is_closed), says, errors) in ends {
        chain(includes, length, is_closed);
        let (code, told) = import();
        assert_eq!(code, Some(3), "{told}");
        assert!(told.contains(says), "{told}");
        assert_eq!(told.matches("error: ").count(), errors, "{told}");
    }
}

#[test]
fn views_are_taken_one_by_one() {
    let (folder, repository) = (bind_folder(), repository());
    let root = path(&repository, "");
    let conf = "view \"inside\" { match-clients { 10.0.0.0/8; }; zone \"urbino.example\" { type master; file \"zones/db.urbino\"; }; };\n\
                view \"outside\" { zone \"urbino.example\" { type master; file \"zones/db.scuola\"; }; zone \"in.example\" { in-view \"inside\"; }; zone \"out.example\" { type master; file \"../../etc/passwd\"; }; };\n";
    fs::write(folder.path().join("named.conf"), conf).unwrap();
    let import = |more: &[&str]| {
        let conf = folder.path().to_str().unwrap();
        let output = cst(&[&["import", "zone", "--with", &root, "--named-conf", conf][..], more].concat());
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, written, told) = import(&[]);
    assert_eq!((code, written.as_str()), (Some(3), ""));
    assert!(told.contains("the views inside, outside") && told.contains("--view"), "{told}");
    let (code, written, told) = import(&["--view", "inside"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(written.contains("verification=1"), "{written}");
    let (code, written, told) = import(&["--view", "outside"]);
    assert!(told.contains("in.example is skipped: the view `inside` has it"), "{told}");
    assert_eq!(code, Some(3));
    assert!(written.contains("192.0.2.90") && told.contains("named.conf:2:"), "{written}{told}");
    assert!(told.contains("`../../etc/passwd` of out.example is not in the folder"), "{told}");
    let (code, _, told) = import(&["--view", "other"]);
    assert!(code == Some(3) && told.contains("there is no view other"), "{told}");
    fs::remove_file(folder.path().join("named.conf")).unwrap();
    let (code, _, told) = import(&[]);
    assert!(code == Some(1) && told.contains("there is no named.conf in") && told.contains("name the"), "{told}");
}
