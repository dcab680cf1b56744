//! The signature over every set the zone answers for (RFC 4034 §3, RFC 4035 §2.2).

use std::collections::BTreeSet;
use std::num::NonZero;
use std::thread;

use cst_compiler::plan::renewal::VALIDITY;

use crate::rtype;
use crate::served::{DataList, Node, ServedSet, ServedZone};

use super::Signer;

/// Where more threads begin to pay.
const NODES_PER_THREAD: usize = 500;
/// The octets of an RRSIG's data before the signer's name (RFC 4034 §3.1).
const FIXED: usize = 18;
/// The octets of a signature of either algorithm (RFC 6605 §4, RFC 8080 §4).
const SIGNATURE: usize = 64;

/// What all signatures of a version share.
struct Work<'a> {
    signers: &'a [Signer],
    apex_wire: Vec<u8>,
    inception: u32,
}

pub(super) fn add_signatures(zone: &mut ServedZone, signers: &[Signer], inception: u32, previous: Option<&ServedZone>) {
    let work = Work::new(zone, signers, inception);
    if let Some(previous) = previous.filter(|previous| work.made(zone, previous)) {
        take_over(&mut zone.nodes, &previous.nodes);
        take_over(&mut zone.hashed, &previous.hashed);
    }
    work.sign_nodes(&mut zone.nodes);
    work.sign_nodes(&mut zone.hashed);
}

/// The bare signatures of a zone, in the order of its sets.
pub(super) fn bare_signatures(zone: &ServedZone) -> Box<[u8]> {
    let sets = zone.nodes.iter().chain(&zone.hashed).flat_map(|node| &node.sets);
    let bare = |data: &[u8]| data.last_chunk::<SIGNATURE>().copied().unwrap_or([0; SIGNATURE]);
    sets.flat_map(|set| set.signatures.iter().flat_map(bare)).collect()
}

/// Puts bare signatures of the same version and the same keys where they belong.
pub(super) fn put_signatures(zone: &mut ServedZone, signers: &[Signer], inception: u32, bare: &[u8]) {
    let work = Work::new(zone, signers, inception);
    let mut bare = bare.chunks_exact(SIGNATURE);
    for node in zone.nodes.iter_mut().chain(&mut zone.hashed) {
        let (role, labels) = (node.role, labels(node));
        for set in node.sets.iter_mut().filter(|set| role.is_signed(set.type_number)) {
            let mut rrsigs: Vec<_> = work.signers_of(set.type_number).map(|by| work.head(by, labels, set)).collect();
            // The signatures were in the order of the whole data, which is that of their heads.
            rrsigs.sort();
            rrsigs.iter_mut().zip(&mut bare).for_each(|(head, signature)| head.extend_from_slice(signature));
            set.signatures = DataList::new(rrsigs);
        }
    }
}

/// The labels of an owner as RRSIGs count them: without that of a wildcard (RFC 4034 §3.1.3).
fn labels(node: &Node) -> u8 {
    u8::try_from(node.name.labels().filter(|label| *label != "*").count()).unwrap_or(127)
}

/// Walks both lists of names, which have the same order.
fn take_over(nodes: &mut [Node], previous: &[Node]) {
    let mut previous = previous.iter().peekable();
    for node in nodes {
        while previous.next_if(|old| old.name < node.name).is_some() {}
        let Some(old) = previous.next_if(|old| old.name == node.name) else { continue };
        for set in &mut node.sets {
            if let Some(same) = old.set(set.type_number).filter(|old| old.ttl == set.ttl && old.data == set.data) {
                set.signatures = same.signatures.clone();
            }
        }
    }
}

impl<'a> Work<'a> {
    fn new(zone: &ServedZone, signers: &'a [Signer], inception: u32) -> Self {
        let mut apex_wire = Vec::new();
        zone.apex.write_wire(&mut apex_wire);
        Self { signers, apex_wire, inception }
    }

    /// Whether the previous version's signatures are from these keys and this inception: those of its keys and of its SOA are.
    fn made(&self, zone: &ServedZone, previous: &ServedZone) -> bool {
        let key_data = |zone: &ServedZone| zone.nodes[0].set(rtype::DNSKEY).map(|set| set.data.clone());
        let heads = |type_number: u16| {
            let set = previous.nodes[0].set(type_number);
            set.map(|set| set.signatures.iter().filter_map(Self::maker).collect::<BTreeSet<_>>())
        };
        let expected = |type_number: u16| {
            let signers = self.signers_of(type_number);
            let makers = signers.map(|signer| (signer.key.algorithm().number(), self.times(), signer.key.tag()));
            Some(makers.collect::<BTreeSet<_>>())
        };
        key_data(zone) == key_data(previous)
            && [rtype::DNSKEY, rtype::CDS, rtype::SOA].iter().all(|number| heads(*number) == expected(*number))
    }

    /// Algorithm, times and key tag of a signature.
    fn maker(rrsig: &[u8]) -> Option<(u8, [u8; 8], u16)> {
        let tag = rrsig.get(16..18)?.try_into().ok()?;
        Some((*rrsig.get(2)?, rrsig.get(8..16)?.try_into().ok()?, u16::from_be_bytes(tag)))
    }

    /// Who signs a set: the keys themselves those that are listed; what speaks to the parent every one, so that it finds one that it trusts
    /// (RFC 7344 §4.1).
    fn signers_of(&self, type_number: u16) -> impl Iterator<Item = &Signer> {
        self.signers.iter().filter(move |signer| match type_number {
            rtype::DNSKEY => signer.listed,
            rtype::CDS | rtype::CDNSKEY => signer.listed || signer.signs,
            _ => signer.signs,
        })
    }

    fn sign_nodes(&self, nodes: &mut [Node]) {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let share = nodes.len().div_ceil(threads).max(NODES_PER_THREAD);
        let (first, others) = nodes.split_at_mut(share.min(nodes.len()));
        thread::scope(|scope| {
            for nodes in others.chunks_mut(share) {
                scope.spawn(|| self.sign_all(nodes));
            }
            self.sign_all(first);
        });
    }

    fn sign_all(&self, nodes: &mut [Node]) {
        for node in nodes {
            self.sign_node(node);
        }
    }

    fn sign_node(&self, node: &mut Node) {
        let (role, labels) = (node.role, labels(node));
        let mut owner = Vec::new();
        node.name.write_wire(&mut owner);
        for set in &mut node.sets {
            // A set that was signed under the parent's side and is now below a cut keeps nothing.
            if !role.is_signed(set.type_number) {
                set.signatures = DataList::default();
            } else if set.signatures.is_empty() {
                let signers = self.signers_of(set.type_number);
                set.signatures = DataList::new(signers.map(|by| self.sign_set(by, &owner, labels, set)).collect());
            }
        }
    }

    fn sign_set(&self, by: &Signer, owner: &[u8], labels: u8, set: &ServedSet) -> Vec<u8> {
        let head = self.head(by, labels, set);
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
        rrsig.extend_from_slice(&by.key.sign(&signed));
        rrsig
    }

    /// The RRSIG's data without the signature.
    fn head(&self, by: &Signer, labels: u8, set: &ServedSet) -> Vec<u8> {
        let mut head = Vec::with_capacity(FIXED + self.apex_wire.len() + SIGNATURE);
        head.extend_from_slice(&set.type_number.to_be_bytes());
        head.extend_from_slice(&[by.key.algorithm().number(), labels]);
        head.extend_from_slice(&set.ttl.to_be_bytes());
        head.extend_from_slice(&self.times());
        head.extend_from_slice(&by.key.tag().to_be_bytes());
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
