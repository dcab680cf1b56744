//! Forwards, groups, answers, catch-alls and domains that are aliases.

use std::time::{Duration, Instant};

use cst_api::{MailboxState, Posting};
use cst_compiler::desired::mail::{Answer, BoxRole, Forwarding, MailBox};
use cst_compiler::model::{Member, Recipient};

use crate::client::Client;
use crate::place::{Place, place};
use crate::support::{address, domain, domain_name, mailbox};

fn forwarding(text: &str, to: &[&str], keep_copy: bool) -> MailBox {
    let to = to.iter().map(|text| Recipient::parse(text).unwrap()).collect();
    MailBox { forward: Some(Forwarding { to, keep_copy }), ..mailbox(text) }
}

fn group(text: &str, members: &[&str], posting: Posting) -> MailBox {
    let members = members.iter().map(|text| Member::parse(text).unwrap()).collect();
    MailBox { role: BoxRole::Group { members, posting }, password: None, ..mailbox(text) }
}

/// Waits until Postfix holds a message for somebody elsewhere, and returns its sender.
fn sender_of_mail_for(place: &Place, recipient: &str) -> String {
    let start = Instant::now();
    loop {
        let queue = place.in_image("postfix", &["postqueue", "-c", "/etc/postfix/run", "-j"]);
        let messages = queue.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let is_for = |message: &serde_json::Value| {
            let recipients = message["recipients"].as_array().unwrap();
            recipients.iter().any(|one| one["address"] == recipient)
        };
        if let Some(message) = messages.into_iter().find(is_for) {
            return message["sender"].as_str().unwrap().to_owned();
        }
        assert!(start.elapsed() < Duration::from_secs(20), "nothing for {recipient}: {queue}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn sent(to: &str, subject: &str) {
    let reply = Client::smtp(25).send("a@elsewhere.example", to, subject);
    assert!(reply.starts_with("250"), "{to}: {reply}");
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn a_forward_within_the_centre_delivers_once_to_each() {
    let mut inoltra = domain("inoltra.example", &["anna", "luca"]);
    inoltra.boxes.push(forwarding("capo@inoltra.example", &["anna@inoltra.example", "via@inoltra.example"], true));
    inoltra.boxes.push(forwarding("via@inoltra.example", &["anna@inoltra.example"], false));
    inoltra.boxes.push(forwarding("giro@inoltra.example", &["giro2@inoltra.example"], true));
    inoltra.boxes.push(forwarding("giro2@inoltra.example", &["giro@inoltra.example"], true));
    place().install(&[&inoltra]);
    sent("capo+albo@inoltra.example", "inoltro");
    sent("giro@inoltra.example", "in giro");
    let mut anna = Client::imap("anna@inoltra.example", "segreto").unwrap();
    anna.await_message("inoltro");
    for local in ["capo", "giro", "giro2"] {
        let subject = if local == "capo" { "inoltro" } else { "in giro" };
        let mut imap = Client::imap(&format!("{local}@inoltra.example"), "segreto").unwrap();
        imap.await_message(subject);
        assert_eq!(imap.count(subject), 1, "{local}");
    }
    assert_eq!(anna.count("inoltro"), 1);
    assert_eq!(Client::imap("via@inoltra.example", "segreto").unwrap().count("inoltro"), 0, "keeps no copy");
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn a_forward_to_another_host_goes_in_the_name_of_the_box_and_bounces_stay() {
    let mut fuori = domain("fuori.example", &[]);
    fuori.boxes.push(forwarding("copia@fuori.example", &["x.copia@elsewhere.example"], true));
    fuori.boxes.push(forwarding("solo@fuori.example", &["x.solo@elsewhere.example"], false));
    let place = &mut *place();
    place.install(&[&fuori]);
    for (local, keeps) in [("copia", true), ("solo", false)] {
        let subject = format!("fuori {local}");
        sent(&format!("{local}+tag@fuori.example"), &subject);
        let sender = sender_of_mail_for(place, &format!("x.{local}@elsewhere.example"));
        assert_eq!(sender, format!("{local}+tag@fuori.example"), "not a stranger's, whose SPF names other hosts");
        let mut imap = Client::imap(&format!("{local}@fuori.example"), "segreto").unwrap();
        if keeps {
            imap.await_message(&subject);
        }
        assert_eq!(imap.count(&subject), usize::from(keeps));
        let bounce = format!("ritorno {local}");
        let reply = Client::smtp(25).send("", &format!("{local}@fuori.example"), &bounce);
        assert!(reply.starts_with("250"), "{reply}");
        imap.await_message(&bounce);
    }
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn a_group_reaches_its_members_here_and_elsewhere() {
    let mut lista = domain("lista.example", &["anna", "luca", "sara"]);
    let members = ["*@lista.example", "anna@lista.example", "x.lista@elsewhere.example"];
    lista.boxes.push(group("tutti@lista.example", &members, Posting::Anyone));
    lista.aliases.insert(address("all@lista.example"), address("tutti@lista.example"));
    let place = &mut *place();
    place.install(&[&lista]);
    sent("all@lista.example", "a tutti");
    for local in ["anna", "luca", "sara"] {
        let mut imap = Client::imap(&format!("{local}@lista.example"), "segreto").unwrap();
        imap.await_message("a tutti");
        assert_eq!(imap.count("a tutti"), 1);
    }
    assert_eq!(sender_of_mail_for(place, "x.lista@elsewhere.example"), "tutti@lista.example");
    for to in ["tutti@lista.example", "all+x@lista.example"] {
        let reply = Client::smtp(25).rcpt("", to);
        assert!(reply.starts_with("550 5.7.1"), "what comes back goes to nobody: {reply}");
    }
    assert!(Client::imap("tutti@lista.example", "segreto").is_err());
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn only_who_may_writes_to_a_closed_group() {
    let mut chiusa = domain("riservata.example", &["anna", "luca"]);
    chiusa.boxes.push(group("ente@riservata.example", &["anna@riservata.example"], Posting::Tenant));
    chiusa.boxes.push(group("membri@riservata.example", &["anna@riservata.example"], Posting::Members));
    let mut altrui = domain("altrui.example", &["eva"]);
    altrui.boxes[0].owner.namespace = "t-altrui".into();
    place().install(&[&chiusa, &altrui]);
    for to in ["ente@riservata.example", "membri+x@riservata.example"] {
        let reply = Client::smtp(25).rcpt("anna@riservata.example", to);
        assert!(reply.starts_with("550 5.7.1"), "a sender's address shows nothing: {reply}");
    }
    let as_login = |user: &str, to: &str| {
        let mut client = Client::submissions();
        assert!(client.auth(user, "segreto").starts_with("235"));
        client.rcpt(user, to)
    };
    assert!(as_login("luca@riservata.example", "ente@riservata.example").starts_with("250"));
    assert!(as_login("luca@riservata.example", "membri@riservata.example").starts_with("550 5.7.1"));
    assert!(as_login("anna@riservata.example", "membri@riservata.example").starts_with("250"));
    assert!(as_login("eva@altrui.example", "ente@riservata.example").starts_with("550 5.7.1"));
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn who_is_away_answers_once_a_day_and_never_bounces_or_lists() {
    let mut via = domain("via.example", &["luca", "sara"]);
    let answer = |local: &str| Answer {
        subject: Some("Via \"fino a lunedì\"".into()),
        text: "Torno lunedì.\n.\n\"A presto\"".into(),
        addresses: vec![address(&format!("{local}@via.example"))],
    };
    via.boxes.push(MailBox { answer: Some(answer("anna")), ..mailbox("anna@via.example") });
    via.boxes.push(group("tutti@via.example", &["*@via.example"], Posting::Anyone));
    place().install(&[&via]);
    let mut luca = Client::submissions();
    assert!(luca.auth("luca@via.example", "segreto").starts_with("235"));
    for (to, subject) in
        [("tutti@via.example", "a tutti quanti"), ("anna@via.example", "ci sei?"), ("anna@via.example", "allora?")]
    {
        assert!(luca.send("luca@via.example", to, subject).starts_with("250"));
        Client::imap("anna@via.example", "segreto").unwrap().await_message(subject);
    }
    let mut imap = Client::imap("luca@via.example", "segreto").unwrap();
    let answered = imap.await_message("Via");
    assert!(answered.contains("Auto-Submitted: auto-replied"), "{answered}");
    assert!(answered.contains("In-Reply-To") && answered.contains("anna@via.example"), "{answered}");
    assert!(Client::smtp(25).send("", "anna@via.example", "ritorno").starts_with("250"));
    Client::imap("anna@via.example", "segreto").unwrap().await_message("ritorno");
    assert_eq!(imap.count("Via"), 1, "to one sender once, and not for the list");
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn a_catch_all_gets_what_is_nobodys_and_nothing_else() {
    let mut raccolta = domain("raccolta.example", &["anna", "luca", "chiusa"]);
    raccolta.boxes[2].state = MailboxState::Closed;
    raccolta.aliases.insert(address("urp@raccolta.example"), address("luca@raccolta.example"));
    raccolta.catch_all = Some(address("anna@raccolta.example"));
    place().install(&[&raccolta]);
    sent("chiunque@raccolta.example", "a chiunque");
    sent("luca+x@raccolta.example", "a luca");
    sent("urp@raccolta.example", "a urp");
    let mut anna = Client::imap("anna@raccolta.example", "segreto").unwrap();
    let mut luca = Client::imap("luca@raccolta.example", "segreto").unwrap();
    anna.await_message("a chiunque");
    luca.await_message("a luca");
    luca.await_message("a urp");
    assert_eq!((anna.count("a luca"), anna.count("a urp"), luca.count("a chiunque")), (0, 0, 0));
    let reply = Client::smtp(25).rcpt("a@elsewhere.example", "chiusa@raccolta.example");
    assert!(reply.starts_with("550 5.2.1"), "{reply}");
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn every_address_of_a_domain_is_valid_in_its_alias() {
    let mut nuovo = domain("nuovonome.example", &["anna"]);
    nuovo.aliases.insert(address("urp@nuovonome.example"), address("anna@nuovonome.example"));
    let mut vecchio = domain("vecchionome.example", &[]);
    vecchio.alias_of = Some(domain_name("nuovonome.example"));
    place().install(&[&nuovo, &vecchio]);
    sent("anna@vecchionome.example", "al vecchio nome");
    sent("urp+x@vecchionome.example", "al vecchio alias");
    let mut imap = Client::imap("anna@nuovonome.example", "segreto").unwrap();
    imap.await_message("al vecchio nome");
    imap.await_message("al vecchio alias");
    let mut client = Client::submissions();
    client.auth("anna@nuovonome.example", "segreto");
    for own in ["anna@vecchionome.example", "urp@vecchionome.example"] {
        assert!(client.rcpt(own, "anna@nuovonome.example").starts_with("250"), "{own}");
    }
    let reply = Client::smtp(25).rcpt("a@elsewhere.example", "nessuno@vecchionome.example");
    assert!(reply.starts_with("550"), "{reply}");
}
