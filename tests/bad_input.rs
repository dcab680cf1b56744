//! Input that is too much: refused at once, in a few lines, each with its place; what stands beside it is judged as ever.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

const FIVE_MB: usize = 5_000_000;

/// The time of a processor that one run may take: many times what an unoptimised build needs, and far below what grows with the square.
const SECONDS: u32 = 60;

const DOMAIN: &str = "apiVersion: territorial.services/v1alpha1
kind: Domain
metadata: {name: comune.urbino.pu.it, namespace: t-urbino}
spec:
";

/// The tenant's limits, which what is many reaches.
const LIMITS: &str = "{mailboxes: 29900, mailStorage: 99999Gi, webSites: 9900, webStorage: 99999Gi}";

/// Checks a file of this text in a folder where all else is right: the exit code and what is told of it, without the path.
fn validate(text: &str) -> (i32, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let settings = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/minimal/cst.yaml");
    fs::copy(settings, folder.path().join("cst.yaml")).unwrap();
    let tenant = "apiVersion: territorial.services/v1alpha1\nkind: Tenant\nmetadata: {name: urbino}\n\
                  spec: {displayName: Comune di Urbino, entityType: Comune, domains: [comune.urbino.pu.it], limits: LIMITS}\n"
        .replace("LIMITS", LIMITS);
    // Read first, so that its limits hold for all that follows.
    fs::write(folder.path().join("a-tenant.yaml"), tenant).unwrap();
    let file = folder.path().join("big.yaml");
    fs::write(&file, text).unwrap();
    let mut limited = Command::new("sh");
    limited.args(["-c", &format!("ulimit -t {SECONDS}; exec \"$@\""), "sh", env!("CARGO_BIN_EXE_cst"), "validate"]);
    let output = limited.arg(folder.path()).output().unwrap();
    let (told, errors) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(errors.is_empty(), "{errors}");
    assert!(told.len() < 200_000, "{} bytes are told", told.len());
    let of_file = told.lines().filter_map(|line| line.strip_prefix(&format!("{}:", file.display()))).map(str::to_owned);
    (output.status.code().expect("it ends by itself, in time"), of_file.collect())
}

/// A list of so many bytes.
fn repeat(before: &str, text: &str, after: &str) -> String {
    let mut all = String::with_capacity(FIVE_MB + 100);
    all.push_str(before);
    while all.len() < FIVE_MB {
        all.push_str(text);
    }
    all + after
}

#[test]
fn a_document_of_5_mb_is_refused_whatever_is_in_it() {
    let mut records = format!("{DOMAIN}  records:\n");
    for number in 0.. {
        writeln!(records, "    - {{name: h{number}, type: A, values: [\"192.0.2.1\"]}}").unwrap();
        if records.len() > FIVE_MB {
            break;
        }
    }
    let value = format!("{DOMAIN}  records: [{{name: www, type: TXT, values: [\"");
    for text in [
        records,
        repeat(&value, "x", "\"]}]\n"),
        repeat(&format!("{DOMAIN}  description: |\n"), "    a line of text\n", ""),
    ] {
        let (code, told) = validate(&text);
        let wanted = "1:1: error: the document is larger than the 1500000 bytes that the API server takes: split it";
        assert_eq!((code, told.as_slice()), (3, [wanted.to_owned()].as_slice()));
    }
}

#[test]
fn text_of_5_mb_that_is_no_manifest_is_refused_at_its_place() {
    for (text, place, message) in [
        (repeat("", "[", ""), "1:", "not YAML"),
        (repeat("", "{a: ", ""), "1:", "not YAML"),
        (repeat("", "- ", ""), "1:129", "nested deeper than 64 levels"),
        (repeat("a: \"", "x", ""), "1:4", "not YAML"),
        (repeat("a: \"", "\0", "\""), "1:5", "not YAML: a NUL character"),
        (repeat("", "@", ""), "1:1", "not YAML"),
        (repeat("a: *", "a", "\n"), "1:4", "not YAML"),
        (repeat("", "a: b\n", ""), "2:1", "`a` is written twice, first in line 1: keep one"),
        (repeat("a: [", "yes,", "]\n"), "1:5", "`yes` is a boolean to some tools"),
    ] {
        let (code, told) = validate(&text);
        assert_eq!(code, 3, "{told:?}");
        let first = told.first().unwrap();
        assert!(first.starts_with(place) && first.contains(": error: ") && first.contains(message), "{first}");
    }
}

#[test]
fn text_of_5_mb_that_says_nothing_is_nothing() {
    for text in [repeat("", "# somebody's\n", ""), repeat("", " ", ""), repeat("", "\n", "")] {
        assert_eq!(validate(&text), (0, vec![]));
    }
    let objects = repeat("", "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: somebodys}\n", "");
    assert_eq!(validate(&objects), (0, vec![]), "a file may be as large, if its documents are not");
}

#[test]
fn a_long_word_is_not_repeated_at_length() {
    let long = "x".repeat(1_400_000);
    for (text, place, message) in [
        (format!("{DOMAIN}  mail: {{mode: {long}}}\n"), "5:16", "is not one of Hosted, External, None"),
        (format!("{DOMAIN}  ? {long}\n  : 1\n"), "5:5", "there is no field"),
        (format!("{DOMAIN}  mail: {{mode: Hosted, spf: {{include: [{long}]}}}}\n"), "5:40", "at most 253 are allowed"),
        (
            format!("apiVersion: territorial.services/v1alpha1\nkind: {long}\n"),
            "1:1",
            "use Tenant, Domain, Mailbox or WebSite",
        ),
        (
            DOMAIN.replace("comune.urbino.pu.it", &long) + "  ttl: 60\n",
            "3:18",
            "inner `-` and `.`, at most 253 of them",
        ),
        (DOMAIN.replace("t-urbino", &long) + "  ttl: 60\n", "3:", "is no tenant's namespace: write t-<tenant>"),
    ] {
        let (code, told) = validate(&text);
        assert_eq!((code, told.len()), (3, 1), "{told:?}");
        assert!(told[0].starts_with(place) && told[0].contains(message), "{}", told[0]);
        assert!(told[0].len() < 400, "{}", told[0]);
    }
}

#[test]
fn a_text_record_holds_4096_bytes() {
    let of = |value: &str| format!("{DOMAIN}  records:\n    - {{name: www, type: TXT, values: [\"{value}\"]}}\n");
    assert_eq!(validate(&of(&"x".repeat(4096))), (0, vec![]));
    assert_eq!(validate(&of(&"è".repeat(2048))), (0, vec![]));
    let place = "6:39: error: ";
    let field = " (spec.records[0].values[0])";
    for (value, message) in [
        ("x".repeat(4097), "4097 characters, at most 4096 are allowed"),
        ("è".repeat(4097), "4097 characters, at most 4096 are allowed"),
        ("è".repeat(2049), "a TXT value has at most 4096 bytes, this one has 4098"),
    ] {
        assert_eq!(validate(&of(&value)), (3, vec![format!("{place}{message}{field}")]));
    }
}

/// What a careless reader would do in a time that grows with the square of its length.
#[test]
fn no_shape_of_5_mb_takes_long() {
    let many = |line: &dyn Fn(usize) -> String| {
        let mut text = String::new();
        for number in 0.. {
            text += &line(number);
            if text.len() > FIVE_MB {
                break;
            }
        }
        text
    };
    for (name, text) in [
        ("fields", many(&|n| format!("f{n}: {n}\n"))),
        ("keys of a flow map", format!("a: {{{}}}\n", many(&|n| format!("a{n},")))),
        ("anchors", many(&|n| format!("a{n}: &a{n} x\n"))),
        ("lines of a plain text", repeat("a: ", "word\n  ", "\n")),
    ] {
        assert_ne!(validate(&text).0, 1, "{name}");
    }
}

/// Whoever looked at all that a tenant has for each of them would not be done in time. They come in the reverse of the order in which they
/// are admitted, so that beyond the limit each takes another's place.
#[test]
fn many_objects_under_a_limit_are_judged_one_by_one() {
    let many = |kind: &str, count: usize, spec: &dyn Fn(usize) -> String| {
        let mut text = format!("{DOMAIN}  mail: {{mode: Hosted}}\n");
        for number in (0..count).rev() {
            let metadata = format!("{{name: n{number:05}, namespace: t-urbino}}");
            let spec = spec(number);
            writeln!(
                text,
                "---\napiVersion: territorial.services/v1alpha1\nkind: {kind}\nmetadata: {metadata}\nspec: {spec}"
            )
            .unwrap();
        }
        text
    };
    let mailbox = |n: usize| format!("{{address: n{n:05}@comune.urbino.pu.it, quota: {}Gi}}", 1 + n % 3);
    let site = |n: usize| format!("{{application: Static, host: n{n:05}.comune.urbino.pu.it}}");
    for (text, first) in [(many("Mailbox", 30_000, &mailbox), "n29900"), (many("WebSite", 10_000, &site), "n09900")] {
        let (code, told) = validate(&text);
        assert_eq!((code, told.len()), (3, 100), "{:?}", told.first());
        assert!(told.iter().all(|line| line.contains("has reached its limit")), "{:?}", told.first());
        let refused = text.lines().position(|line| line.contains(&format!("name: {first},"))).unwrap();
        assert!(told[99].starts_with(&format!("{}:", refused + 2)), "the last by name are refused: {}", told[99]);
    }
}

/// What is said of files beside a sound one, with the folder's path taken out.
fn told_of(folder: &Path) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_cst")).arg("validate").arg(folder).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.is_empty(), "{errors}");
    let told = String::from_utf8(output.stdout).unwrap().replace(&format!("{}/", folder.display()), "");
    (output.status.code().expect("it ends by itself"), told)
}

fn sound_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let settings = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/minimal/cst.yaml");
    fs::copy(settings, folder.path().join("cst.yaml")).unwrap();
    fs::write(folder.path().join("tenant.yaml"), "apiVersion: v1\nkind: Namespace\nmetadata: {name: t-fano}\n")
        .unwrap();
    folder
}

/// As a hook calls it, with the files that a commit changes.
#[test]
fn settings_that_are_named_like_a_manifest_are_checked_and_no_mistake() {
    let folder = sound_folder();
    let told = |files: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_cst")).current_dir(&folder).arg("validate").args(files).output();
        let output = output.unwrap();
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap(),
        )
    };
    assert_eq!(told(&["tenant.yaml", "cst.yaml"]), told(&["tenant.yaml"]));
    let (code, alone) = told(&["cst.yaml"]);
    assert!(
        code == 0 && alone.starts_with("cst.yaml:1:1: warning: the settings are checked: name a folder"),
        "{alone}"
    );
    fs::copy(folder.path().join("cst.yaml"), folder.path().join("settings.yaml")).unwrap();
    let (code, second) = told(&["."]);
    assert!(code == 3 && second.contains("error: these are settings, no manifest: keep them in cst.yaml"), "{second}");
    fs::remove_file(folder.path().join("settings.yaml")).unwrap();
    fs::write(folder.path().join("cst.yaml"), "kind: Settings\n").unwrap();
    assert_eq!(told(&["cst.yaml"]).0, 3, "settings that are wrong are told as ever");
}

/// A pipe would be waited for, a device never ends, a link to nothing or to itself cannot be opened.
#[test]
fn what_is_no_file_is_told_and_harms_nothing_else() {
    use std::os::unix::fs::symlink;
    let folder = sound_folder();
    let at = |name: &str| folder.path().join(name);
    assert!(Command::new("mkfifo").arg(at("pipe.yaml")).status().unwrap().success());
    for (link, target) in
        [("zero.yaml", "/dev/zero"), ("gone.yaml", "nothing"), ("loop.yaml", "loop.yaml"), ("up.yaml", "..")]
    {
        symlink(target, at(link)).unwrap();
    }
    symlink(".", at("again")).unwrap();
    fs::write(at("wrong.yaml"), format!("{DOMAIN}  ttl: 1\n")).unwrap();
    let (code, told) = told_of(folder.path());
    assert_eq!(code, 3, "{told}");
    for wanted in [
        "pipe.yaml:1:1: error: this is no file with a text in it",
        "zero.yaml:1:1: error: this is no file with a text in it",
        "up.yaml:1:1: error: this is no file with a text in it",
        "gone.yaml:1:1: error: the file cannot be read: No such file",
        "loop.yaml:1:1: error: the file cannot be read: Too many levels of symbolic links",
        "wrong.yaml:5:8: error: `1` is not between 30 and 604800",
    ] {
        assert!(told.lines().any(|line| line.starts_with(wanted)), "{wanted}: {told}");
    }
    assert!(told.ends_with("1 objects, 6 errors, 0 warnings\n"), "{told}");
}

#[test]
fn settings_that_are_no_text_are_told_at_their_place() {
    let folder = sound_folder();
    fs::write(folder.path().join("cst.yaml"), b"kind: Settings\n\xff").unwrap();
    let (code, told) = told_of(folder.path());
    assert_eq!(code, 3);
    assert!(told.starts_with("cst.yaml:1:1: error: the file is not UTF-8 (byte 16)"), "{told}");
}

/// What one mistake hides, another run would tell: all is told at once, and what stands beside it is rendered.
#[test]
fn a_refused_object_harms_no_other_zone() {
    let folder = sound_folder();
    let tenant = "apiVersion: territorial.services/v1alpha1\nkind: Tenant\nmetadata: {name: urbino}\n\
                  spec: {displayName: Comune di Urbino, entityType: Comune, domains: [comune.urbino.pu.it]}\n";
    fs::write(folder.path().join("tenant.yaml"), tenant).unwrap();
    let sound = DOMAIN.replace("comune.urbino", "sound.comune.urbino") + "  ttl: 60\n";
    fs::write(folder.path().join("zones.yaml"), format!("{DOMAIN}  ttl: never\n---\n{sound}---\nnot: [yaml\n"))
        .unwrap();
    let out = folder.path().join("out");
    let rendered = Command::new(env!("CARGO_BIN_EXE_cst"))
        .args(["render", folder.path().to_str().unwrap(), "--out", out.to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(rendered.status.code(), Some(3));
    let zones: Vec<_> = fs::read_dir(out.join("zones")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(zones, ["sound.comune.urbino.pu.it.zone"]);
}
