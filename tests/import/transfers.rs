//! Zones by transfer.

use std::fs;

use crate::bind::{Bind, SECRET, ZONES, bind_folder, compiled, stanzas};
use crate::zone_files::ODD;
use crate::{cst, import_and_render, path, repository, text};

#[test]
fn a_transfer_is_the_zone_that_the_server_has() {
    let folder = bind_folder();
    let keys = tempfile::tempdir().unwrap();
    fs::write(keys.path().join("transfer"), format!("hmac-sha256:{SECRET}\n")).unwrap();
    fs::write(keys.path().join("other"), "hmac-sha256:b3RoZXJvdGhlcm90aGVyb3RoZXI=\n").unwrap();
    // Large enough for many messages, in the server's form of them; and every odd zone that has all types.
    let large: String = (0..5000).map(|n| format!("h{n} TXT \"some text of the host number {n}\"\n")).collect();
    fs::write(folder.path().join("zones/db.scuola"), format!("{}{large}", ODD[2])).unwrap();
    let stanzas = stanzas(folder.path(), |_, name| format!("zones/{name}"));
    let bind = Bind::start(folder.path(), "allow-transfer { key \"transfer\"; };", &stanzas, "scuola.urbino.example");
    let server = format!("127.0.0.1:{}", bind.port);
    let key = path(&keys, "transfer");
    for (zone, _) in ZONES {
        let repository = repository();
        let (zones, told) =
            import_and_render(&repository, &["--axfr", &server, "--key", &key, zone, "--detailed-exitcode"]);
        assert!(told.contains("renders to the same zone"), "{told}");
        let rendered = compiled(zone, zones.join(format!("{zone}.zone")).to_str().unwrap());
        let served = bind.served(zone);
        assert!(zone != "scuola.urbino.example" || served.len() > 5000, "{}", served.len());
        assert_eq!(rendered, served, "{zone}");
    }
    let repository = repository();
    let root = path(&repository, "");
    for (arguments, reason) in [
        (vec!["urbino.example"], "REFUSED"),
        (vec!["--key", &path(&keys, "other"), "urbino.example"], "NOTAUTH"),
        (vec!["--key", &key, "elsewhere.example"], "NOTAUTH"),
    ] {
        let output = cst(&[&["import", "zone", "--with", &root, "--axfr", &server][..], &arguments].concat());
        let told = text(&output.stderr);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{told}");
        assert!(told.contains(reason) && !told.contains(SECRET), "{told}");
    }
}

/// The manifests of an import without what is said above them.
fn manifest(arguments: &[&str]) -> String {
    let output = cst(&[&["import", "zone"], arguments].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let lines = text(&output.stdout);
    lines.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_zone_is_the_same_domain_by_its_file_and_by_transfer() {
    let (folder, repository) = (tempfile::tempdir().unwrap(), repository());
    let root = path(&repository, "");
    for odd in ODD {
        fs::write(folder.path().join("odd"), odd).unwrap();
        let zone = format!("zone \"urbino.example\" {{ type primary; file \"{}\"; }};\n", path(&folder, "odd"));
        let bind = Bind::start(folder.path(), "allow-transfer { any; };", &zone, "urbino.example");
        let server = format!("127.0.0.1:{}", bind.port);
        let by_transfer = manifest(&["--with", &root, "--axfr", &server, "urbino.example"]);
        let by_file = manifest(&["--with", &root, &path(&folder, "odd"), "--origin", "urbino.example"]);
        assert!(by_file.lines().count() > 8, "{by_file}");
        assert_eq!(by_transfer, by_file);
    }
}
