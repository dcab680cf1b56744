//! `cst password` and `cst lock` against a real API server, with a controller in this process and an agent that the test plays.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "it is a test")]

use std::process::{Output, Stdio};

use cst_api::{Mailbox, MailboxState};
use cst_compiler::desired::mail::shard::DATA_KEY;
use cst_compiler::desired::mail::{MailBox, ShardContent};
use cst_kubernetes::names::{MANAGED_BY, MANAGER};
use cst_tests::api_server;
use cst_tests::centre::{Centre, Controller, condition, eventually};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{DeleteParams, ListParams};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

const SOME: &str = "{SHA512-CRYPT}$6$QHVnXN//sO.fAdcI$rdZ3Lgq9YfX3qyN/hjGZ7KR41N5DdvBGGuwhXRv7hId0KmZXYAb/4KdG2qAt1jkKa/Brw63OEgwwRCJU4CrSe/";
const CHOSEN: &str = "perché no, Urbino";

/// Urbino, with boxes of each kind, installed.
async fn urbino() -> (Centre, Controller) {
    let centre = Centre::new().await;
    // Those of another test.
    let secrets: Api<Secret> = centre.api("t-urbino");
    secrets.delete_collection(&DeleteParams::default(), &ListParams::default()).await.unwrap();
    let controller = centre.controller("a").await;
    let tenant = "apiVersion: v1\nkind: Namespace\nmetadata: {name: t-urbino}\n---\n\
        apiVersion: territorial.services/v1alpha1\nkind: Tenant\nmetadata: {name: urbino}\n\
        spec: {displayName: Urbino, entityType: Comune, domains: [comune.urbino.pu.it], administrators: [{kind: Group, name: urbino-admins}], \
        helpdesk: [{kind: Group, name: helpdesk}]}";
    centre.apply(tenant).await;
    let domain = "apiVersion: territorial.services/v1alpha1\nkind: Domain\nmetadata: {name: comune.urbino.pu.it, namespace: t-urbino}\n\
        spec: {mail: {mode: Hosted}}";
    centre.apply(domain).await;
    git(&centre, SOME).await;
    let given = ", passwordSecretRef: {name: passwords, key: all}";
    for (name, more) in [
        ("anna", &*format!("{given}, passwordOwner: User, aliases: [a.rossi@comune.urbino.pu.it]")),
        ("bruna", ""),
        ("carla", given),
        ("urp", ", type: Shared"),
    ] {
        centre.apply(&mailbox(name, more)).await;
    }
    for name in ["anna", "bruna", "carla", "urp"] {
        centre.until_installed("t-urbino", name).await;
    }
    (centre, controller)
}

fn mailbox(name: &str, more: &str) -> String {
    format!(
        "apiVersion: territorial.services/v1alpha1\nkind: Mailbox\nmetadata: {{name: {name}, namespace: t-urbino}}\n\
         spec: {{address: {name}@comune.urbino.pu.it{more}}}"
    )
}

/// What git has.
async fn git(centre: &Centre, hash: &str) {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: passwords, namespace: t-urbino}\nstringData:";
    centre.apply(&format!("{secret} {{all: '{hash}'}}")).await;
}

fn cst(user: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cst"));
    let group = if user == "sindaco" { "urbino-admins" } else { "helpdesk" };
    command.args(arguments).env("KUBECONFIG", api_server::kubeconfig(user, &[group]));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// Runs `cst` with this on its standard input; meanwhile the mail agent installs whatever comes, or nothing.
async fn run(centre: &Centre, user: &str, arguments: &[&str], input: &str, installs: bool) -> Output {
    let mut child = cst(user, arguments).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).await.ok();
    let mut ended = Box::pin(child.wait_with_output());
    let output = eventually(async || {
        if installs {
            centre.agent_installs_all().await;
        }
        tokio::time::timeout(std::time::Duration::from_millis(50), &mut ended).await.ok()
    });
    output.await.expect("the command ends").unwrap()
}

fn text(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// A box as the mail servers get it.
async fn installed(centre: &Centre, name: &str) -> Option<MailBox> {
    let shards: Api<Secret> = centre.api(&centre.mail_namespace);
    let list = shards.list(&ListParams::default()).await.unwrap();
    let contents = list.items.into_iter().filter_map(|secret| secret.data?.remove(DATA_KEY));
    let mut boxes = contents.flat_map(|bytes| ShardContent::decode(&bytes.0).unwrap().boxes);
    boxes.find(|mailbox| mailbox.address.local() == name)
}

/// The hash with which somebody logs in.
async fn login(centre: &Centre, name: &str) -> Option<String> {
    installed(centre, name).await?.login().map(|hash| hash.expose().to_owned())
}

/// Those with which his devices and programs do.
async fn applications(centre: &Centre, name: &str) -> Vec<String> {
    let mailbox = installed(centre, name).await.unwrap();
    mailbox.application_logins().map(|hash| hash.expose().to_owned()).collect()
}

#[tokio::test]
async fn a_password_is_changed_on_every_mail_server_and_outlives_what_git_applies() {
    let (centre, controller) = urbino().await;
    let (boxes, secrets): (Api<Mailbox>, Api<Secret>) = (centre.api("t-urbino"), centre.api("t-urbino"));
    assert_eq!(login(&centre, "anna").await.as_deref(), Some(SOME));
    let arguments = ["password", "anna@comune.urbino.pu.it"];
    let (code, out, said) = text(&run(&centre, "", &arguments, &format!("{CHOSEN}\n"), true).await);
    let done = "the password of anna@comune.urbino.pu.it is changed on every mail server\n";
    assert_eq!((code, &*out, &*said), (0, "", done));
    let status = boxes.get("anna").await.unwrap().status.unwrap();
    assert!(status.password_changed.is_some());
    assert_eq!(status.password_secret.as_deref(), Some("anna-password"));
    let changed = login(&centre, "anna").await.unwrap();
    assert!(changed.starts_with("{ARGON2ID}$argon2id$v=19$"), "{changed}");
    assert_eq!(secrets.get("anna-password").await.unwrap().data.unwrap()["hash"].0, changed.as_bytes());

    // Git comes with another beginning, and the Secret is lost.
    git(&centre, &SOME.replace("QHVn", "OTHE")).await;
    centre.until(&secrets, "passwords", |_| true).await;
    let others = async || (login(&centre, "carla").await? != SOME).then_some(());
    eventually(others).await.expect("what git owns follows");
    assert_eq!(login(&centre, "anna").await.as_ref(), Some(&changed));
    secrets.delete("anna-password", &DeleteParams::default()).await.unwrap();
    let back = eventually(async || secrets.get_opt("anna-password").await.unwrap()).await.expect("it is put back");
    assert_eq!(back.data.unwrap()["hash"].0, changed.as_bytes());
    assert_eq!(login(&centre, "anna").await.as_ref(), Some(&changed));
    controller.stop().await;
}

#[tokio::test]
async fn a_tenants_administrator_has_a_password_generated_and_nothing_is_printed_twice() {
    let (centre, controller) = urbino().await;
    let secrets: Api<Secret> = centre.api("t-urbino");
    let before = secrets.get("bruna-password").await.unwrap().data.unwrap();
    let arguments = ["password", "bruna@comune.urbino.pu.it", "--generate", "-n", "t-urbino"];
    let (code, out, said) = text(&run(&centre, "sindaco", &arguments, "", true).await);
    assert_eq!(code, 0, "{said}");
    assert_eq!((out.len(), out.lines().count()), (24, 1), "the password, once");
    let after = secrets.get("bruna-password").await.unwrap().data.unwrap();
    assert_eq!(after.keys().collect::<Vec<_>>(), ["changed", "hash"], "the generated one went");
    assert_ne!(after["hash"], before["hash"]);
    let hash = String::from_utf8(after["hash"].0.clone()).unwrap();
    assert_eq!(login(&centre, "bruna").await.as_ref(), Some(&hash));
    assert!(!said.contains(out.trim()) && !said.contains(&hash), "{said}");

    // Without the namespace he would have to look through all.
    let (code, _, said) = text(&run(&centre, "sindaco", &arguments[..3], "", true).await);
    assert_eq!(code, 1);
    assert!(said.contains("Name it: --namespace t-…"), "{said}");
    controller.stop().await;
}

#[tokio::test]
async fn a_scanner_has_a_password_of_its_own_until_it_is_revoked() {
    let (centre, controller) = urbino().await;
    let (boxes, secrets): (Api<Mailbox>, Api<Secret>) = (centre.api("t-urbino"), centre.api("t-urbino"));
    let names = async || -> Vec<String> {
        let status = boxes.get("carla").await.unwrap().status.unwrap();
        status.applications.into_iter().map(|application| application.name).collect()
    };
    // Git owns the other one.
    let arguments = ["password", "carla@comune.urbino.pu.it", "--application", "scanner"];
    let (code, first, said) = text(&run(&centre, "", &arguments, "", true).await);
    let good = "the password of scanner for carla@comune.urbino.pu.it is good on every mail server\n";
    assert_eq!((code, first.len(), &*said), (0, 24, good));
    assert_eq!(names().await, ["scanner"]);
    let hash =
        async || secrets.get_opt("carla-app-scanner").await.unwrap().map(|secret| secret.data.unwrap()["hash"].clone());
    let made = hash().await.unwrap();
    let installed = applications(&centre, "carla").await;
    assert_eq!(installed, [String::from_utf8(made.0.clone()).unwrap()]);
    assert_eq!(login(&centre, "carla").await.as_deref(), Some(SOME), "git's is as it was");

    let (code, second, _) = text(&run(&centre, "", &arguments, "", true).await);
    assert_eq!((code, first != second, hash().await != Some(made)), (0, true, true), "another in its place");
    let revoke = [&arguments[..], &["--revoke"]].concat();
    let (code, out, said) = text(&run(&centre, "", &revoke, "", true).await);
    let revoked = "the password of scanner for carla@comune.urbino.pu.it is revoked on every mail server\n";
    assert_eq!((code, &*out, &*said), (0, "", revoked));
    assert_eq!((names().await, applications(&centre, "carla").await, hash().await), (vec![], vec![], None));
    let (code, _, said) = text(&run(&centre, "", &revoke, "", true).await);
    assert_eq!((code, &*said), (0, "carla@comune.urbino.pu.it has no password of scanner\n"));
    // As many as a box may have, made by whoever may write Secrets: one more is refused, one in the place of another is not.
    for number in 1..=8 {
        let metadata =
            format!("{{name: bruna-app-a{number}, namespace: t-urbino, labels: {{{MANAGED_BY}: {MANAGER}}}}}");
        let secret = format!("apiVersion: v1\nkind: Secret\nmetadata: {metadata}\nstringData: {{hash: '{SOME}'}}");
        centre.apply(&secret).await;
    }
    let full = async || {
        centre.agent_installs_all().await;
        let status = boxes.get("bruna").await.unwrap().status?;
        (status.applications.len() == 8).then_some(())
    };
    eventually(full).await.expect("all are there");
    let of_bruna = |name| ["password", "bruna@comune.urbino.pu.it", "--application", name];
    let (code, out, said) = text(&run(&centre, "", &of_bruna("a"), "", true).await);
    let full = "bruna@comune.urbino.pu.it has passwords of 8 applications already, and may have no more: a1, a2, a3, a4, a5, a6, a7, a8. Revoke one";
    assert_eq!((code, &*out, said.contains(full)), (3, "", true), "{said}");
    let (code, _, said) = text(&run(&centre, "", &of_bruna("a3"), "", true).await);
    assert_eq!(code, 0, "{said}");

    for (arguments, code, hint) in [
        (["password", "urp@comune.urbino.pu.it", "--application", "scanner"], 3, "Mailbox t-urbino/urp is Shared"),
        (
            ["password", "carla@comune.urbino.pu.it", "--application", "my scanner"],
            64,
            "`my scanner` is no application's name",
        ),
    ] {
        let told = text(&run(&centre, "", &arguments, "", true).await);
        assert_eq!((told.0, told.2.contains(hint)), (code, true), "{}", told.2);
    }
    controller.stop().await;
}

#[tokio::test]
async fn what_cannot_be_changed_is_told_with_what_to_do() {
    let (centre, controller) = urbino().await;
    let foreign =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: dario-password, namespace: t-urbino}\nstringData: {mia: cosa}";
    centre.apply(foreign).await;
    centre.apply(&mailbox("dario", ", passwordSecretRef: {name: passwords, key: all}, passwordOwner: User")).await;
    for (address, input, code, hint) in [
        (
            "carla",
            CHOSEN,
            3,
            "git owns the password of carla@comune.urbino.pu.it: change the key `all` of Secret t-urbino/passwords there, or set spec.passwordOwner of Mailbox t-urbino/carla to User",
        ),
        (
            "a.rossi",
            CHOSEN,
            3,
            "a.rossi@comune.urbino.pu.it is an alias: its login is anna@comune.urbino.pu.it, of Mailbox t-urbino/anna",
        ),
        ("urp", CHOSEN, 3, "nobody logs in to urp@comune.urbino.pu.it, because Mailbox t-urbino/urp is Shared"),
        ("nobody", CHOSEN, 3, "no Mailbox has the address nobody@comune.urbino.pu.it"),
        ("anna", "corta", 3, "the password has 5 characters, and at least 8 are needed"),
        ("anna", "", 3, "there is no password on standard input"),
        ("dario", CHOSEN, 3, "there is a Secret t-urbino/dario-password that is not the controller's"),
        ("un indirizzo", CHOSEN, 64, "un indirizzo"),
    ] {
        let address = if address.contains(' ') { address.to_owned() } else { format!("{address}@comune.urbino.pu.it") };
        let told = text(&run(&centre, "", &["password", &address], input, true).await);
        assert_eq!((told.0, &*told.1), (code, ""), "{}", told.2);
        assert!(told.2.contains(hint) && !told.2.contains(CHOSEN), "{}", told.2);
    }
    assert_eq!(login(&centre, "anna").await.as_deref(), Some(SOME), "nothing was changed");
    let late =
        text(&run(&centre, "", &["password", "anna@comune.urbino.pu.it", "--timeout", "1"], CHOSEN, false).await);
    assert_eq!(late.0, 1);
    assert!(
        late.2.contains("it is stored, but not on every mail server yet: Mailbox t-urbino/anna says: "),
        "{}",
        late.2
    );
    controller.stop().await;
}

#[tokio::test]
async fn the_helpdesk_locks_a_box_which_no_apply_opens_and_unlocks_it() {
    let (centre, controller) = urbino().await;
    let boxes: Api<Mailbox> = centre.api("t-urbino");
    let helpdesk = async |more: &[&str]| {
        let arguments = [&["lock", "-n", "t-urbino"], more].concat();
        text(&run(&centre, "operatore", &arguments, "", true).await)
    };
    let (code, out, said) = helpdesk(&["carla@comune.urbino.pu.it"]).await;
    assert_eq!((code, &*out, &*said), (0, "", "carla@comune.urbino.pu.it is locked on every mail server\n"));
    assert_eq!(login(&centre, "carla").await, None);
    let status = boxes.get("carla").await.unwrap().status.unwrap();
    assert_eq!(status.state, Some(MailboxState::Suspended));
    let since = status.locked_since.unwrap().0.to_string();
    let ready = condition(&boxes.get("carla").await.unwrap(), "Ready").unwrap();
    assert_eq!((&*ready.status, &*ready.reason), ("True", "Suspended"));
    assert!(ready.message.contains(&format!("the helpdesk locked it since {since}")), "{}", ready.message);

    // Git says that it is open, in new words.
    let open = mailbox("carla", ", passwordSecretRef: {name: passwords, key: all}, state: Active, displayName: Carla");
    centre.apply(&open).await;
    let seen = |mailbox: &Mailbox| {
        mailbox.status.as_ref().is_some_and(|status| status.observed_generation == mailbox.metadata.generation)
    };
    centre.agent_installs_all().await;
    centre.until(&boxes, "carla", seen).await;
    assert_eq!(login(&centre, "carla").await, None);

    // A changed password opens it no more than an apply.
    centre.apply(&open.replace("state: Active", "passwordOwner: User")).await;
    let change = ["password", "carla@comune.urbino.pu.it", "-n", "t-urbino"];
    let told = text(&run(&centre, "operatore", &change, CHOSEN, true).await);
    assert_eq!(told.0, 0, "the helpdesk changes it: {}", told.2);
    assert_eq!(login(&centre, "carla").await, None);

    let (code, _, said) = helpdesk(&["carla@comune.urbino.pu.it", "--unlock"]).await;
    assert_eq!((code, &*said), (0, "carla@comune.urbino.pu.it is unlocked on every mail server\n"));
    assert!(login(&centre, "carla").await.unwrap().starts_with("{ARGON2ID}"));
    let (code, _, said) = helpdesk(&["carla@comune.urbino.pu.it", "--unlock"]).await;
    assert_eq!((code, &*said), (0, "carla@comune.urbino.pu.it is not locked\n"));
    let (code, _, said) = helpdesk(&["a.rossi@comune.urbino.pu.it"]).await;
    assert_eq!(code, 3);
    assert!(said.contains("is an alias: its login is anna@comune.urbino.pu.it"), "{said}");
    controller.stop().await;
}

/// `cst password` on a terminal of its own.
struct Terminal {
    child: Child,
    shown: String,
}

impl Terminal {
    fn new(address: &str) -> Self {
        let command = format!("'{}' password {address} --timeout 0", env!("CARGO_BIN_EXE_cst"));
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--command", &command, "/dev/null"]);
        script.env("KUBECONFIG", api_server::kubeconfig("", &[])).stdin(Stdio::piped()).stdout(Stdio::piped());
        Self { child: script.kill_on_drop(true).spawn().unwrap(), shown: String::new() }
    }

    /// Types a line when this is asked for.
    async fn answers(&mut self, prompt: &str, line: &str) {
        let mut octets = [0; 256];
        while !self.shown.contains(prompt) {
            let read = self.child.stdout.as_mut().unwrap().read(&mut octets).await.unwrap();
            assert!(read > 0, "it ended: {}", self.shown);
            self.shown.push_str(std::str::from_utf8(&octets[..read]).unwrap());
        }
        self.child.stdin.as_mut().unwrap().write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    /// How it ends, and all that was shown.
    async fn ends(mut self) -> (i32, String) {
        self.child.stdout.as_mut().unwrap().read_to_string(&mut self.shown).await.unwrap();
        (self.child.wait().await.unwrap().code().unwrap(), self.shown)
    }
}

#[tokio::test]
async fn a_terminal_asks_twice_and_shows_nothing_of_it() {
    let (centre, controller) = urbino().await;
    for (second, code, told) in [
        ("un'altra cosa", 3, "the two passwords differ: nothing was changed"),
        (CHOSEN, 0, "is changed; the mail servers get it now"),
    ] {
        let mut terminal = Terminal::new("anna@comune.urbino.pu.it");
        terminal.answers("New password of anna@comune.urbino.pu.it: ", CHOSEN).await;
        terminal.answers("Once more: ", second).await;
        let (ended, shown) = terminal.ends().await;
        assert!(shown.contains(told), "{shown}");
        assert_eq!(ended, code, "{shown}");
        assert!(!shown.contains(CHOSEN) && !shown.contains(second), "{shown}");
        let is_changed = centre.api::<Secret>("t-urbino").get_opt("anna-password").await.unwrap().is_some();
        assert_eq!(is_changed, code == 0);
    }
    controller.stop().await;
}
