//! The signature over every set the zone answers for (RFC 4034 §3, RFC 4035 §2.2).

use std::num::NonZero;
use std::thread;

use crate::key::{ALGORITHM, SigningKey};
use crate::rtype;
use crate::served::{Node, Role, ServedSet, ServedZone};

use super::VALIDITY;

/// Where more threads begin to pay.
const NODES_PER_THREAD: usize = 500;
/// The octets of an RRSIG's data before the signer's name (RFC 4034 §3.1).
const FIXED: usize = 18;

/// What all signatures of a version share.
struct Signer<'a> {
    key: &'a SigningKey,
    apex_wire: Vec<u8>,
    inception: u32,
}

pub(super) fn add_signatures(zone: &mut ServedZone, key: &SigningKey, inception: u32, previous: Option<&ServedZone>) {
    let mut apex_wire = Vec::new();
    zone.apex.write_wire(&mut apex_wire);
    let signer = Signer { key, apex_wire, inception };
    if let Some(previous) = previous.filter(|previous| signer.made(previous)) {
        take_over(&mut zone.nodes, &previous.nodes);
    }
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let share = zone.nodes.len().div_ceil(threads).max(NODES_PER_THREAD);
    thread::scope(|scope| {
        for nodes in zone.nodes.chunks_mut(share) {
            scope.spawn(|| nodes.iter_mut().for_each(|node| signer.sign_node(node)));
        }
    });
}

/// Walks both lists of names, which have the same order.
fn take_over(nodes: &mut [Node], previous: &[Node]) {
    let mut previous = previous.iter().peekable();
    for node in nodes {
        while previous.next_if(|old| old.name < node.name).is_some() {}
        let Some(old) = previous.next_if(|old| old.name == node.name) else { continue };
        for set in &mut node.sets {
            let same = old.set(set.type_number).filter(|old| old.ttl == set.ttl && old.data == set.data);
            set.signature = same.and_then(|old| old.signature.clone());
        }
    }
}

impl Signer<'_> {
    /// Whether the zone's signatures are from this key and inception: its DNSKEY's is.
    fn made(&self, zone: &ServedZone) -> bool {
        let Some(set) = zone.nodes[0].set(rtype::DNSKEY) else { return false };
        let by_this_key = set.data.iter().eq([self.key.dnskey()]);
        by_this_key && set.signature.as_ref().is_some_and(|data| data[8..16] == self.times())
    }

    fn sign_node(&self, node: &mut Node) {
        let role = node.role;
        let is_signed = |set: &ServedSet| match role {
            Role::Authoritative => true,
            Role::Cut => [rtype::DS, rtype::NSEC].contains(&set.type_number),
            Role::Glue => false,
        };
        let labels = u8::try_from(node.name.labels().filter(|label| *label != "*").count()).unwrap_or(127);
        let mut owner = Vec::new();
        node.name.write_wire(&mut owner);
        for set in &mut node.sets {
            // A set that was signed under the parent's side and is now below a cut keeps nothing.
            let kept = set.signature.take().filter(|_| is_signed(set));
            set.signature = kept.or_else(|| is_signed(set).then(|| self.sign_set(&owner, labels, set)));
        }
    }

    fn sign_set(&self, owner: &[u8], labels: u8, set: &ServedSet) -> Box<[u8]> {
        let head = self.head(labels, set);
        let mut signed = head.clone();
        for data in set.data.iter() {
            signed.extend_from_slice(owner);
            signed.extend_from_slice(&set.type_number.to_be_bytes());
            signed.extend_from_slice(&1_u16.to_be_bytes());
            signed.extend_from_slice(&set.ttl.to_be_bytes());
            signed.extend_from_slice(&u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes());
            signed.extend_from_slice(data);
        }
        let mut rrsig = head;
        rrsig.extend_from_slice(&self.key.sign(&signed));
        rrsig.into()
    }

    /// The RRSIG's data without the signature.
    fn head(&self, labels: u8, set: &ServedSet) -> Vec<u8> {
        let mut head = Vec::with_capacity(FIXED + self.apex_wire.len() + 64);
        head.extend_from_slice(&set.type_number.to_be_bytes());
        head.extend_from_slice(&[ALGORITHM, labels]);
        head.extend_from_slice(&set.ttl.to_be_bytes());
        head.extend_from_slice(&self.times());
        head.extend_from_slice(&self.key.tag().to_be_bytes());
        head.extend_from_slice(&self.apex_wire);
        head
    }

    /// Expiration and inception.
    fn times(&self) -> [u8; 8] {
        let mut times = [0; 8];
        times[..4].copy_from_slice(&self.inception.wrapping_add(VALIDITY).to_be_bytes());
        times[4..].copy_from_slice(&self.inception.to_be_bytes());
        times
    }
}
