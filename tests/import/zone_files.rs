//! Zone files, in every way to write what servers read alike.

use std::fs;

use crate::bind::compiled;
use crate::{cst, import_and_render, path, repository, text};

/// Zones that are legal and odd: every way to write what servers read alike.
pub const ODD: [&str; 4] = [
    // Names, origins, owners that are left out, parentheses, classes and times in either order.
    "$TTL 1h30m\n$ORIGIN example.\nurbino IN 1D SOA ns.urbino host\\.master.urbino ( 7 8H 2h\n 4w ; a comment with ( and \"\n 1d )\n\
     \tNS ns.urbino\n NS ns2.elsewhere.net.\n$ORIGIN urbino\n@ 60 IN A 192.0.2.1\n IN 120 AAAA 2001:db8::1\nns A 192.0.2.53\nWWW cname @\n\
     \\097\\b A 192.0.2.2\n$ORIGIN sub\n@ TXT x\nmail MX 10 mail\nmail A 192.0.2.3\n$ORIGIN urbino.example.\n*.w A 192.0.2.4\n_sip._tcp SRV 0 5 5061 ns\n",
    // Texts.
    "@ 300 SOA ns root 1 1 1 1 1\n@ NS ns\nns A 192.0.2.53\na TXT \"semi;colon\" (\n \"two\" three\\032words ) four\nb TXT \"\\\"quoted\\\" \\\\ \\065\"\n\
     c TXT \"\"\nd TXT a\\;b\\\"c\ne SPF \"v=spf1 -all\"\ne TXT \"v=spf1 -all\"\nf CAA 0 issue \"ca.example.net; x=y\"\nf CAA 128 iodef \"mailto:a@example.net\"\n\
     g NAPTR 100 10 \"u\" \"E2U+sip\" \"!^(.*)$!sip:\\\\1@example.org!i\" .\nh URI 10 1 \"https://www.example.org/;a\"\n",
    // Types: in their own form and in that of RFC 3597.
    "$TTL 600\n@ SOA ns root 1 1 1 1 1\n@ NS ns\nns A \\# 4 C0000235\na TYPE1 \\# 4 C0 00 02 01\nm TYPE15 \\# 11 000A 03 6D7831 03 6E6574 00\nu CLASS1 TYPE65280 \\# 3 0a 00ff\nz TYPE65281 \\# 0\n\
     l LOC 43 43 33 N 12 38 11.5 E 485m\nl2 LOC 52 S 4 30 W -24m 30m 1m 2.5m\ns SSHFP 4 2 49FD46E6C4B45C55D4AC69CBD3CD34AC 1AFE51DEF1D8F8BBBAA2A5B43FC1D4B1\n\
     _443._tcp.s TLSA 3 1 1 ( 49fd46e6c4b45c55d4ac69cbd3cd34ac\n 1afe51def1d8f8bbbaa2a5b43fc1d4b1 )\nd NS ns.d\nns.d A 192.0.2.9\n\
     d DS 12345 13 2 49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DEF1D8F8BBBAA2A5B43FC1D4B1\nh HTTPS 1 . alpn=\"h2,h3\" port=8443 ipv4hint=192.0.2.1\nh2 HTTPS 0 ns\nv SVCB 1 ns alpn=h2 key667=\"a b\"\n\
     i HINFO \"Intel PC\" Linux\ni RP hostmaster i.txt\ni AFSDB 1 afs\ni OPENPGPKEY aGVs bG8=\ni SMIMEA 3 1 0 ( aabb\n cc )\n\
     i EUI48 00-00-5e-00-53-2a\ni EUI64 00-00-5e-ef-10-00-00-2a\nk TYPE61 \\# 2 0000\nk TYPE53 \\# 4 03010000\nt TXT \\# 2 0161\nt TXT \\# a\n",
    // Ranges, records without a name after them, and times to live that differ within a set, perhaps of names in another case, or are given once.
    "@ 3600 SOA ns root 1 1 1 1 1\n@ NS ns\nns A 192.0.2.53\n$GENERATE 1-4/2 h${0,3} 60 A 192.0.2.$\n$GENERATE 0-2 r$ CNAME $.0/25\n$GENERATE 1-2 @ MX \"$ ns\"\n\
     $GENERATE 10-11 n${0,5,n} PTR p-${6,4,x}\n$GENERATE 0-0 t TXT \"\\\"a b\\\" $\"\na 60 A 192.0.2.1\na 120 A 192.0.2.2\nb 120 A 192.0.2.1\nc A 192.0.2.1\nb 60 A 192.0.2.2\nd A 192.0.2.1\n\
     $GENERATE 1-2 e$ 90 A 10.0.0.$\n MX 10 after\n_dMARC 5M MX 10 a\n_dmarc 1h MX 20 b\nf 5M MX 10 a\n$GENERATE 3-3 f 9 MX \"$ c\"\nf 6M MX 20 b\n",
];

#[test]
fn odd_zone_files_are_read_as_bind_reads_them() {
    for (number, odd) in ODD.iter().enumerate() {
        let repository = repository();
        let file = path(&repository, "odd.db");
        fs::write(&file, odd).unwrap();
        let expected = compiled("urbino.example", &file);
        let (zones, told) = import_and_render(&repository, &[&file, "--origin", "urbino.example"]);
        let rendered = compiled("urbino.example", zones.join("urbino.example.zone").to_str().unwrap());
        assert_eq!(rendered, expected, "zone {number}: {told}");
        assert!(expected.len() >= 8, "zone {number}: {expected:?}");
        assert!(told.contains("renders to the same zone"), "zone {number}: {told}");
    }
}

#[test]
fn what_is_wrong_is_told_at_its_place_and_nothing_is_written() {
    let repository = repository();
    let (root, file) = (path(&repository, ""), path(&repository, "bad.db"));
    fs::write(&file, "$INCLUDE /etc/passwd\n@ 60 SOA ns root 1 2 3 4 5\na ( A 192.0.2.1\n").unwrap();
    let out = path(&repository, "");
    let output = cst(&["import", "zone", "--with", &root, "--out", &out, &file, "--origin", "urbino.example"]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{told}");
    let places: Vec<&str> = told
        .lines()
        .filter_map(|line| line.strip_prefix(&file))
        .map(|line| line.split(" error: ").next().unwrap())
        .collect();
    assert_eq!(places, [":1:1:", ":3:3:"], "{told}");
    assert!(!repository.path().join("members").exists());
    // The exit code of a difference is asked for.
    fs::write(&file, "@ 60 SOA ns root 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\nx DNAME y\n").unwrap();
    let import = ["import", "zone", "--with", &root, &file, "--origin", "urbino.example"];
    assert_eq!(cst(&import).status.code(), Some(0));
    let output = cst(&[&import[..], &["--detailed-exitcode"]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stdout).contains("kind: Domain"), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("- x.urbino.example DNAME: "), "{}", text(&output.stderr));
    assert_eq!(cst(&["import", "zone"]).status.code(), Some(64));
}
