//! Where things are in the pod.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// What an agent is told at its start.
#[derive(Clone, Debug)]
pub struct Config {
    /// The namespace of the shard Secrets, the pod's own.
    pub namespace: String,
    /// The pod's name, which names its acknowledgement.
    pub pod: String,
    /// The volume of tables and last good state.
    pub root: PathBuf,
    /// Where Postfix' master writes its process id.
    pub master_pid: PathBuf,
    /// Where Postfix receives mail.
    pub smtp: SocketAddr,
    /// Where Dovecot receives mail (LMTP).
    pub lmtp: SocketAddr,
    /// The socket on which Dovecot takes commands.
    pub doveadm: PathBuf,
    /// Where Postfix asks whether mail for an address is taken.
    pub policy: SocketAddr,
    /// Where Postfix asks whether who is logged in may send so much.
    pub rates: SocketAddr,
    /// Where Dovecot says whether a box is full.
    pub quota: SocketAddr,
    /// Where Postfix asks whether the header of a submission names its sender.
    pub milter: SocketAddr,
}

impl Config {
    /// The places of the images and the chart.
    pub fn in_pod(namespace: impl Into<String>, pod: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            pod: pod.into(),
            root: "/var/lib/cst".into(),
            master_pid: "/var/spool/postfix/pid/master.pid".into(),
            smtp: (Ipv4Addr::LOCALHOST, 25).into(),
            lmtp: (Ipv4Addr::LOCALHOST, 24).into(),
            doveadm: "/run/dovecot/doveadm-server".into(),
            policy: (Ipv4Addr::LOCALHOST, 10341).into(),
            rates: (Ipv4Addr::LOCALHOST, 10343).into(),
            quota: (Ipv4Addr::LOCALHOST, 10340).into(),
            milter: (Ipv4Addr::LOCALHOST, 10342).into(),
        }
    }
}
