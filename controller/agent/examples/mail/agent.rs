//! An agent on a volume, handed the shard Secrets one by one as a watch would, beside servers that know every address.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

use cst_agent::inbox::Event;
use cst_agent::{Agent, Config};
use cst_compiler::desired::mail::shard::{DATA_KEY, DOMAIN_ANNOTATION};
use cst_compiler::desired::mail::{Forwarding, MailBox, MailDomain, PasswordHash, Shard};
use cst_compiler::model::{Address, DomainName, ObjectKey, Quantity, Recipient};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::ObjectMeta;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use crate::{Fallible, HASH, middle, row, since};

/// What the agent may hold, in MiB.
const MAX_MEMORY: f64 = 150.0;

/// One box in ten has an alias, one in fifty a forward.
fn domain(number: usize, boxes: usize) -> Fallible<MailDomain> {
    let name = format!("comune{number:05}.pu.example");
    let mut domain = MailDomain::empty(DomainName::parse(&name)?);
    for at in 0..boxes {
        let mailbox = mailbox(number, at, &name)?;
        if at % 10 == 0 {
            domain.aliases.insert(Address::parse(&format!("alias{at}@{name}"))?, mailbox.address.clone());
        }
        domain.boxes.push(mailbox);
    }
    Ok(domain)
}

fn mailbox(number: usize, at: usize, name: &str) -> Fallible<MailBox> {
    let owner = ObjectKey::new(format!("t-t{}", number / 10), format!("d{number}-n{at}"));
    let address = Address::parse(&format!("n{at:05}@{name}"))?;
    let to = vec![Recipient::parse("a@elsewhere.example")?];
    let forward = (at % 50 == 1).then_some(Forwarding { to, keep_copy: true });
    let password = Some(PasswordHash::parse(HASH)?);
    Ok(MailBox { password, forward, ..MailBox::new(owner, address, Quantity(2 << 30)) })
}

fn shards(domain: &MailDomain) -> Fallible<Vec<Shard>> {
    Ok(domain.shards(&Address::parse("postmaster@cst.example.net")?, 0))
}

fn secret(shard: &Shard, version: u64) -> Secret {
    let metadata = ObjectMeta {
        name: Some(shard.name()),
        resource_version: Some(version.to_string()),
        annotations: Some([(DOMAIN_ANNOTATION.to_owned(), shard.domain.to_string())].into()),
        ..ObjectMeta::default()
    };
    let data = Some([(DATA_KEY.to_owned(), ByteString(shard.bytes.clone()))].into());
    Secret { metadata, data, ..Secret::default() }
}

/// A server that takes mail for every address.
async fn serve(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(converse(stream));
    }
}

async fn converse(stream: TcpStream) -> std::io::Result<()> {
    let (mut stream, mut line) = (BufReader::new(stream), String::new());
    stream.get_mut().write_all(b"220 here\r\n").await?;
    while stream.read_line(&mut line).await? > 0 {
        stream.get_mut().write_all(b"250 done\r\n").await?;
        line.clear();
    }
    Ok(())
}

/// A runtime with such a server, and where it listens.
fn server() -> Fallible<(Runtime, SocketAddr)> {
    let runtime = Runtime::new()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let at = listener.local_addr()?;
    runtime.spawn(serve(listener));
    Ok((runtime, at))
}

fn open(folder: &Path, server: SocketAddr) -> Fallible<Agent> {
    let config = Config {
        root: folder.to_owned(),
        master_pid: folder.join("master.pid"),
        doveadm: folder.join("doveadm"),
        smtp: server,
        lmtp: server,
        ..Config::in_pod("cst-mail", "mail-0")
    };
    Ok(Agent::open(config)?)
}

fn list(agent: &mut Agent, domains: usize, boxes: usize) -> Fallible {
    agent.take(Event::Listing);
    for number in 0..domains {
        for shard in shards(&domain(number, boxes)?)? {
            agent.take(Event::Found(secret(&shard, 1)));
        }
    }
    agent.take(Event::Listed);
    Ok(())
}

/// An agent on an empty volume, then single changes.
pub fn install(folder: &Path, domains: usize, boxes: usize) -> Fallible {
    println!("\nAn agent for {domains} domains with {boxes} boxes each\n");
    let (runtime, at) = server()?;
    let start = Instant::now();
    let mut agent = open(folder, at)?;
    list(&mut agent, domains, boxes)?;
    runtime.block_on(agent.step())?;
    row("all installed on an empty volume", since(start), None);
    let mut changed = domain(0, boxes)?;
    let (mut added, mut quotas) = (Vec::new(), Vec::new());
    for number in 0..11 {
        changed.boxes.push(mailbox(0, boxes + 2 + number, changed.domain.as_str())?);
        added.push(step(&runtime, &mut agent, &changed)?);
    }
    for number in 0..11 {
        changed.boxes.last_mut().ok_or("there are boxes")?.quota = Quantity(number + 1);
        quotas.push(step(&runtime, &mut agent, &changed)?);
    }
    row("a step that adds a box", middle(added), Some(250.0));
    row("a step that changes a quota", middle(quotas), Some(50.0));
    tell_memory()
}

/// One change, from the event to the acknowledgement, in milliseconds.
fn step(runtime: &Runtime, agent: &mut Agent, changed: &MailDomain) -> Fallible<f64> {
    let secrets: Vec<Secret> = shards(changed)?.iter().map(|shard| secret(shard, 2)).collect();
    let start = Instant::now();
    for secret in secrets {
        agent.take(Event::Applied(secret));
    }
    runtime.block_on(agent.step())?;
    agent.ack().ok_or("it has listed")?;
    Ok(since(start))
}

/// The next agent on that volume.
pub fn restart(folder: &Path, domains: usize, boxes: usize) -> Fallible {
    let (runtime, at) = server()?;
    let start = Instant::now();
    let mut agent = open(folder, at)?;
    runtime.block_on(agent.step())?;
    row("a restart, to all tables in place", since(start), Some(10_000.0));
    let start = Instant::now();
    list(&mut agent, domains, boxes)?;
    runtime.block_on(agent.step())?;
    row("the list of all shards, made and taken in", since(start), None);
    tell_memory()
}

/// What this process holds, and held at most.
fn tell_memory() -> Fallible {
    let status = fs::read_to_string("/proc/self/status")?;
    for (what, key) in [("memory", "VmRSS:"), ("memory at its most", "VmHWM:")] {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).ok_or("/proc tells no memory")?;
        let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
        println!("  {what:<50} {:>9.1} MiB   (at most {MAX_MEMORY:.0} MiB)", kib / 1024.0);
    }
    Ok(())
}
