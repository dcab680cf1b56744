//! What an authoritative server answers from one zone (RFC 1034 §4.3.2), with the proofs of RFC 4035 §3.1. Pure.

mod deny;
mod locate;

use crate::message::{AA, MessageWriter, Owner, Question, Rcode, Section};
use crate::rtype;
use crate::served::{Node, ServedSet, ServedZone};
use locate::{Place, labels_of, locate};

/// How many CNAMEs are followed within the zone.
const MAX_ALIASES: usize = 8;
/// A.
const A: u16 = 1;
/// AAAA.
const AAAA: u16 = 28;
/// Everything at a name (RFC 1035 §3.2.3).
const ANY: u16 = 255;

/// An answer before it is written.
#[derive(Debug)]
pub(crate) struct Answer<'z> {
    rcode: Rcode,
    is_authoritative: bool,
    dnssec_ok: bool,
    items: Vec<Item<'z>>,
}

/// A record set in its section.
#[derive(Clone, Copy, Debug)]
struct Item<'z> {
    section: Section,
    owner: Owner<'z>,
    set: &'z ServedSet,
    ttl: u32,
    part: Part,
}

/// What was found at a name.
enum Found<'z> {
    /// Nothing of the type that was asked for.
    Nothing,
    /// What was asked for.
    Records,
    /// An alias, which is to be followed to this name.
    Alias(&'z [u8]),
}

impl<'z> Found<'z> {
    fn alias(self) -> Option<&'z [u8]> {
        if let Self::Alias(target) = self { Some(target) } else { None }
    }
}

/// What of a set is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// The records, and their signature where DNSSEC is asked for.
    Set,
    /// The signature alone, which is what was asked for.
    Signature,
}

/// Answers a question about a name within the zone.
pub(crate) fn answer<'z>(zone: &'z ServedZone, question: &Question<'_>, dnssec_ok: bool) -> Answer<'z> {
    let mut answer = Answer { rcode: Rcode::NoError, is_authoritative: true, dnssec_ok, items: Vec::new() };
    let asked: Vec<&[u8]> = question.labels.iter().map(Vec::as_slice).collect();
    let Some(mut alias) = answer.step(zone, Owner::Question, &asked, question.type_number) else { return answer };
    for _ in 1..MAX_ALIASES {
        let labels = labels_of(alias);
        if !zone.encloses(&labels) {
            break;
        }
        match answer.step(zone, Owner::Wire(alias), &labels, question.type_number) {
            Some(next) => alias = next,
            None => break,
        }
    }
    answer
}

impl<'z> Answer<'z> {
    /// Answers for one name; the target when it is an alias that must be followed.
    fn step(&mut self, zone: &'z ServedZone, owner: Owner<'z>, labels: &[&[u8]], type_number: u16) -> Option<&'z [u8]> {
        match locate(zone, labels) {
            Place::Cut(cut) if type_number == rtype::DS && cut.name.labels().count() == labels.len() => {
                self.at_node(zone, owner, cut, type_number).alias()
            }
            Place::Cut(cut) => {
                self.refer(zone, cut);
                None
            }
            Place::Node(node) => self.at_node(zone, owner, node, type_number).alias(),
            Place::Wildcard { node, before } => {
                let found = self.at_node(zone, owner, node, type_number);
                self.deny_closer(zone, labels, before, &found);
                found.alias()
            }
            Place::Empty { before } => {
                self.say_soa(zone);
                self.deny_types(zone, labels, before);
                None
            }
            Place::Missing { before, before_wildcard } => {
                self.rcode = Rcode::NxDomain;
                self.say_soa(zone);
                self.deny_name(zone, labels, before, before_wildcard);
                None
            }
        }
    }

    fn at_node(&mut self, zone: &'z ServedZone, owner: Owner<'z>, node: &'z Node, type_number: u16) -> Found<'z> {
        let is_meta = [ANY, rtype::RRSIG].contains(&type_number);
        if let Some(cname) =
            node.set(rtype::CNAME).filter(|_| !is_meta && ![rtype::CNAME, rtype::NSEC].contains(&type_number))
        {
            self.push(Section::Answer, owner, cname);
            return cname.data.iter().next().map_or(Found::Records, Found::Alias);
        }
        let before = self.items.len();
        for set in &node.sets {
            match type_number {
                ANY => self.push(Section::Answer, owner, set),
                rtype::RRSIG if !set.signatures.is_empty() => {
                    let section = Section::Answer;
                    self.items.push(Item { section, owner, set, ttl: set.ttl, part: Part::Signature });
                }
                _ if set.type_number == type_number => self.push(Section::Answer, owner, set),
                _ => {}
            }
        }
        if self.items.len() > before {
            return Found::Records;
        }
        self.say_soa(zone);
        self.deny_types(zone, &node.labels(), node);
        Found::Nothing
    }

    /// Delegated: the name servers, the proof that there is no DS, and the addresses that cannot be had elsewhere.
    fn refer(&mut self, zone: &'z ServedZone, cut: &'z Node) {
        self.is_authoritative = !self.items.is_empty();
        let owner = Owner::Name(&cut.name);
        let Some(servers) = cut.set(rtype::NS) else { return };
        self.push(Section::Authority, owner, servers);
        match cut.set(rtype::DS) {
            Some(ds) if self.dnssec_ok => self.push(Section::Authority, owner, ds),
            Some(_) => {}
            None => self.deny_types(zone, &cut.labels(), cut),
        }
        for target in servers.data.iter() {
            let Ok(index) = zone.find(&labels_of(target)) else { continue };
            let node = &zone.nodes[index];
            for set in node.sets.iter().filter(|set| [A, AAAA].contains(&set.type_number)) {
                self.push(Section::Additional, Owner::Name(&node.name), set);
            }
        }
    }

    /// Nothing there: the SOA says for how long that may be kept (RFC 2308 §3).
    fn say_soa(&mut self, zone: &'z ServedZone) {
        let (apex, soa) = zone.soa();
        let ttl = zone.negative_ttl();
        let owner = Owner::Name(&apex.name);
        self.items.push(Item { section: Section::Authority, owner, set: soa, ttl, part: Part::Set });
    }

    fn push(&mut self, section: Section, owner: Owner<'z>, set: &'z ServedSet) {
        self.items.push(Item { section, owner, set, ttl: set.ttl, part: Part::Set });
    }

    /// Writes it; what does not fit is left out where it may be, else the answer is truncated (RFC 2181 §9, RFC 9471).
    pub(crate) fn write(mut self, writer: &mut MessageWriter<'z>) {
        writer.set_rcode(self.rcode);
        if self.is_authoritative {
            writer.set_flag(AA);
        }
        self.items.sort_by_key(|item| item.section);
        if !self.items.iter().all(|item| self.write_item(writer, item)) {
            writer.truncate();
        }
    }

    fn write_item(&self, writer: &mut MessageWriter<'z>, item: &Item<'z>) -> bool {
        let Item { section, owner, set, ttl, part } = *item;
        let records = || set.data.iter().take_while(|_| part == Part::Set);
        let signatures = set.signatures.iter().take_while(|_| self.dnssec_ok || part == Part::Signature);
        records().all(|data| writer.record(section, owner, set.type_number, ttl, data))
            && signatures.into_iter().all(|data| writer.record(section, owner, rtype::RRSIG, ttl, data))
    }
}
