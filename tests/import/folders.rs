//! BIND's configuration: which files are read, of those that a server had in many folders.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::TempDir;

use crate::{cst, path, repository, text};

/// A zone whose one address tells which file it is of.
fn zone(address: &str) -> String {
    format!(
        "$TTL 1h\n@ SOA ns1.cst.example.net. hostmaster.cst.example.net. 1 2h 15M 4w 5m\n NS ns1.cst.example.net.\nw A {address}\n"
    )
}

fn primary(name: &str, file: &str) -> String {
    format!("zone \"{name}.urbino.example\" {{ type primary; file \"{file}\"; }};\n")
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// The exit code, the manifests, and what was said.
fn import(folder: &Path, more: &[&str]) -> (Option<i32>, String, String) {
    let repository = repository();
    let (root, conf) = (path(&repository, ""), folder.to_str().unwrap());
    let output = cst(&[&["import", "zone", "--with", &root, "--named-conf", conf][..], more].concat());
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// The zones that were made, each with its address.
fn made(manifests: &str) -> Vec<String> {
    let of = |manifest: &str| {
        let word =
            |after: &str| manifest.split_once(after).unwrap().1.split(['.', '"', ',']).next().unwrap().to_owned();
        format!("{} {}", word("name: "), word("[\"192.0.2."))
    };
    manifests.split("---\n").filter(|text| !text.is_empty()).map(of).collect()
}

#[test]
fn a_pattern_includes_its_files_in_order() {
    let (a, b, c, d) = (primary("a", "a"), primary("b", "b"), primary("c", "c"), primary("d", "d"));
    let zones = ["1", "2", "3", "4"].map(|last| zone(&format!("192.0.2.{last}")));
    let folder = folder(&[
        ("named.conf", "include \"/etc/bind/zones.d/*.conf\";\ninclude \"/etc/bind/[vw]/?.inc\";\n"),
        ("zones.d/b.conf", &b),
        ("zones.d/a.conf", &a),
        ("zones.d/.hidden.conf", &c),
        ("zones.d/c.conf~", &c),
        ("w/d.inc", &d),
        ("v/none", &c),
        ("a", &zones[0]),
        ("b", &zones[1]),
        ("c", &zones[2]),
        ("d", &zones[3]),
    ]);
    let (code, written, told) = import(folder.path(), &[]);
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(made(&written), ["a 1", "b 2", "d 4"], "{told}");
    // Files outside of the folder are not read, though a link leads there.
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("c.conf"), &c).unwrap();
    symlink(outside.path().join("c.conf"), folder.path().join("zones.d/c.conf")).unwrap();
    symlink(outside.path(), folder.path().join("u")).unwrap();
    let conf = "include \"/etc/bind/zones.d/*.conf\";\ninclude \"/etc/bind/u/*.conf\";\ninclude \"/etc/bind/gone/*\";\ninclude \"/etc/bind/a**b/*\";\n";
    fs::write(folder.path().join("named.conf"), conf).unwrap();
    let (code, written, told) = import(folder.path(), &[]);
    assert_eq!(code, Some(3), "{told}");
    assert_eq!(made(&written), ["a 1", "b 2"], "{told}");
    assert!(told.contains("named.conf:2:1: error: `/etc/bind/u/*.conf` matches no file in the folder"), "{told}");
    assert!(told.contains("named.conf:3:1: error: `/etc/bind/gone/*` matches no file in the folder"), "{told}");
    assert!(told.contains("named.conf:4:1: error: `/etc/bind/a**b/*` is no pattern"), "{told}");
}

#[test]
fn a_pattern_whose_folder_is_not_there_takes_no_other_files() {
    let folder = folder(&[
        ("named.conf", "include \"/etc/bind/named.conf.local\";\ninclude \"/etc/bind/zones.d/*.conf\";\n"),
        ("named.conf.local", ""),
        ("other.conf", &primary("a", "a")),
        ("a", &zone("192.0.2.1")),
    ]);
    let (code, written, told) = import(folder.path(), &[]);
    assert_eq!((code, made(&written).len()), (Some(3), 0), "{told}");
    let to = format!("copy its files to {}", folder.path().canonicalize().unwrap().join("zones.d/*.conf").display());
    assert!(
        told.contains("named.conf:2:1: error: `/etc/bind/zones.d/*.conf` matches no file") && told.contains(&to),
        "{told}"
    );
    // A pattern that is the whole of what the folder was is known by the files before it.
    fs::write(
        folder.path().join("named.conf"),
        "include \"/etc/bind/named.conf.local\";\ninclude \"/etc/bind/*.conf\";\n",
    )
    .unwrap();
    fs::rename(folder.path().join("named.conf"), folder.path().join("main")).unwrap();
    let (code, written, told) = import(&folder.path().join("main"), &[]);
    assert_eq!((code, made(&written)), (Some(0), vec!["a 1".to_owned()]), "{told}");
}

#[test]
fn patterns_come_to_an_end() {
    let folder = folder(&[("named.conf", &"include \"/etc/bind/d/*.conf\";\n".repeat(1000)), ("d/none", "")]);
    for number in 0..2000 {
        fs::write(folder.path().join(format!("d/{number}")), "").unwrap();
    }
    let (code, _, told) = import(folder.path(), &[]);
    assert_eq!(code, Some(3), "{told}");
    let (others, last) = told.trim_end().rsplit_once('\n').unwrap();
    assert!(last.contains("error: too many files are looked at for `/etc/bind/d/*.conf`"), "{last}");
    let others = others.lines().count();
    assert!((500..530).contains(&others), "{others} patterns matched nothing before");
}

#[test]
fn an_include_that_is_not_there_is_an_error_and_harms_no_other() {
    let folder = folder(&[
        ("named.conf", "include \"/etc/bind/first\";\ninclude \"/etc/bind/more/missing.conf\";\n"),
        ("first", &primary("a", "/etc/bind/a")),
        ("a", &zone("192.0.2.1")),
    ]);
    let (code, written, told) = import(folder.path(), &[]);
    assert_eq!((code, made(&written)), (Some(3), vec!["a 1".to_owned()]), "{told}");
    assert!(told.contains("named.conf:2:1: error: `/etc/bind/more/missing.conf` is not in the folder"), "{told}");
    let there = folder.path().canonicalize().unwrap().join("more/missing.conf");
    assert!(told.contains(&format!("copy it to {}", there.display())), "{told}");
    fs::create_dir(there.parent().unwrap()).unwrap();
    fs::write(there, "").unwrap();
    assert_eq!(import(folder.path(), &[]).0, Some(0));
}

#[test]
fn a_zone_does_not_get_the_file_of_another() {
    let a = zone("192.0.2.1");
    let conf = |directory: &str, zones: &[(&str, &str)]| {
        let zones: String = zones.iter().map(|(name, file)| primary(name, file)).collect();
        format!("options {{ {directory} }};\n{zones}")
    };
    let refused = |told: &str, zone: &str| {
        told.lines().any(|line| {
            line.contains(&format!(" of {zone}.urbino.example is not in the folder by its whole path"))
                && line.contains("error: ")
        })
    };
    let folder = folder(&[("named.conf", &conf("", &[("a", "a"), ("c", "/x/y/a")])), ("a", &a)]);
    let (code, written, told) = import(folder.path(), &[]);
    assert_eq!((code, made(&written)), (Some(3), vec!["a 1".to_owned()]), "{told}");
    assert!(refused(&told, "c") && !refused(&told, "a"), "{told}");
    // Of two nobody can say which one is meant.
    fs::write(folder.path().join("named.conf"), conf("directory \"/etc/bind\";", &[("a", "a"), ("c", "/x/y/a")]))
        .unwrap();
    let (code, written, told) = import(folder.path(), &[]);
    assert_eq!((code, made(&written).len()), (Some(3), 0), "{told}");
    assert!(refused(&told, "c") && refused(&told, "a"), "{told}");
    // With its whole path the file is known.
    fs::create_dir_all(folder.path().join("x/y")).unwrap();
    fs::write(folder.path().join("x/y/a"), zone("192.0.2.2")).unwrap();
    let (code, written, told) = import(folder.path(), &[]);
    assert_eq!((code, made(&written)), (Some(0), vec!["a 1".to_owned(), "c 2".to_owned()]), "{told}");
    assert!(!told.contains("is taken to be"), "{told}");
    // A file may be that of several zones, by whichever way it is named.
    fs::write(
        folder.path().join("named.conf"),
        conf("directory \"/etc/bind\";", &[("a", "a"), ("b", "/etc/bind/a"), ("d", "../bind/./a")]),
    )
    .unwrap();
    let (code, written, told) = import(folder.path(), &[]);
    assert_eq!((code, made(&written).len()), (Some(0), 3), "{told}");
    assert!(!told.contains("is taken to be"), "{told}");
    // Files that were apart on the server are told of once.
    let zones = [("a", "a"), ("b", "/var/lib/bind/b"), ("c", "/var/lib/bind/c")];
    fs::write(folder.path().join("named.conf"), conf("directory \"/etc/bind\";", &zones)).unwrap();
    fs::write(folder.path().join("b"), &a).unwrap();
    fs::write(folder.path().join("c"), &a).unwrap();
    let (code, written, told) = import(folder.path(), &[]);
    assert_eq!((code, made(&written).len()), (Some(0), 3), "{told}");
    assert!(told.contains("named.conf:3:1: warning: `/var/lib/bind/b` is taken to be `b` here"), "{told}");
    assert_eq!(told.matches("is taken to be").count(), 1, "{told}");
}

#[test]
fn zones_added_while_the_server_ran_are_read() {
    let options = "options { directory \"/var/cache/bind\"; allow-new-zones yes; };\n";
    let conf = format!("{options}{}", primary("a", "a"));
    let folder = folder(&[("named.conf", &conf), ("a", &zone("192.0.2.1")), ("b", &zone("192.0.2.2"))]);
    let (code, _, told) = import(folder.path(), &[]);
    assert_eq!(code, Some(0), "{told}");
    assert!(
        told.contains("named.conf:1:40: warning: the zones that `rndc addzone` made, if any, are not imported"),
        "{told}"
    );
    // As servers with LMDB have it.
    fs::write(folder.path().join("_default.nzd"), "\0").unwrap();
    let (code, written, told) = import(folder.path(), &[]);
    assert_eq!((code, made(&written).len()), (Some(3), 1), "{told}");
    assert!(told.contains("error: ") && told.contains("named-nzd2nzf _default.nzd > _default.nzf"), "{told}");
    fs::write(folder.path().join("_default.nzf"), format!("# New zone file for view: _default\n{}", primary("b", "b")))
        .unwrap();
    let (code, written, told) = import(folder.path(), &[]);
    assert_eq!((code, made(&written)), (Some(0), vec!["a 1".to_owned(), "b 2".to_owned()]), "{told}");
    // In a folder of its own, of a view.
    let view = format!(
        "options {{ new-zones-directory \"/new\"; }};\nview in {{ allow-new-zones yes; {} }};\nview out {{ {} }};\n",
        primary("a", "a"),
        primary("a", "a")
    );
    fs::write(folder.path().join("named.conf"), view).unwrap();
    fs::create_dir(folder.path().join("new")).unwrap();
    fs::write(folder.path().join("new/in.nzf"), primary("c", "b")).unwrap();
    let (code, written, told) = import(folder.path(), &["--view", "in"]);
    assert_eq!((code, made(&written)), (Some(0), vec!["a 1".to_owned(), "c 2".to_owned()]), "{told}");
    let (code, written, told) = import(folder.path(), &["--view", "out"]);
    assert_eq!((code, made(&written).len()), (Some(0), 1), "{told}");
    assert!(!told.contains("addzone"), "{told}");
}

#[test]
fn the_old_servers_catalog_is_no_domain() {
    let catalog =
        "$TTL 1h\n@ SOA . . 1 2h 15M 4w 5m\n NS invalid.\nversion TXT \"2\"\na1b2.zones PTR a.urbino.example.\n";
    let conf = format!(
        "options {{ catalog-zones {{ zone \"cat.urbino.example\" default-primaries {{ 192.0.2.1; }}; }}; }};\n{}{}",
        primary("cat", "cat"),
        primary("a", "a")
    );
    let folder = folder(&[("named.conf", &conf), ("cat", catalog), ("a", &zone("192.0.2.1"))]);
    let (code, written, told) = import(folder.path(), &[]);
    assert_eq!((code, made(&written)), (Some(0), vec!["a 1".to_owned()]), "{told}");
    assert!(
        told.contains("cat:1:1: warning: cat.urbino.example is left out: it is a catalog zone (RFC 9432)"),
        "{told}"
    );
}
