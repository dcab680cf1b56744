//! From one key to another.

use super::{Facts, Signing, Wait, ZoneKey};

impl Signing {
    /// The next step towards a zone that this key alone signs.
    pub(super) fn roll(&mut self, to: u16, facts: &Facts<'_>) -> Result<(), Wait> {
        let Some(target) = self.keys.iter().find(|key| key.id == to).cloned() else { return Ok(()) };
        let others: Vec<ZoneKey> = self.active().filter(|key| key.id != to).cloned().collect();
        if others.is_empty() {
            self.establish(&target, facts)
        } else if others.iter().all(|key| key.algorithm == target.algorithm) {
            self.replace(&target, &others, facts)
        } else {
            self.change_algorithm(&target, &others, facts)
        }
    }

    /// Unsigned to signed: the parent may trust the key when no cache holds the zone without signatures any more (RFC 7583 §3.3.4), be it
    /// from here or from the servers that it had before.
    fn establish(&mut self, target: &ZoneKey, facts: &Facts<'_>) -> Result<(), Wait> {
        if !(target.listed && target.signs) {
            self.set(target.id, |key| (key.listed, key.signs) = (true, true));
        } else if !target.trusted {
            let arrived = self.has_arrived(facts);
            self.is_known_everywhere(facts).and(arrived)?;
            self.set(target.id, |key| key.trusted = true);
        } else {
            self.keys.retain(|key| key.id == target.id);
        }
        Ok(())
    }

    /// A key for another of its algorithm: listed first; then the content's signatures and the parent pass to it at once, as whoever has
    /// the old DS or an old signature finds both keys, each signing them (RFC 6781 §4.1.1.1 for the content, §4.1.2 for the DS).
    fn replace(&mut self, target: &ZoneKey, others: &[ZoneKey], facts: &Facts<'_>) -> Result<(), Wait> {
        if !target.listed {
            self.set(target.id, |key| key.listed = true);
        } else if !(target.signs && target.trusted) {
            self.is_known_everywhere(facts)?;
            self.each(|key, is_target| (key.signs, key.trusted) = (is_target, is_target), target.id);
        } else {
            self.is_trusted_alone(others, facts)?;
            self.keep_only(target.id);
        }
        Ok(())
    }

    /// A key for one of another algorithm: a validator may ask for signatures of every algorithm that the DNSKEY set has, so signatures
    /// come before the key and go after it (RFC 6781 §4.1.4).
    fn change_algorithm(&mut self, target: &ZoneKey, others: &[ZoneKey], facts: &Facts<'_>) -> Result<(), Wait> {
        if !target.signs {
            self.set(target.id, |key| key.signs = true);
        } else if !target.listed {
            self.is_known_everywhere(facts)?;
            self.set(target.id, |key| key.listed = true);
        } else if !target.trusted {
            self.is_known_everywhere(facts)?;
            self.each(|key, is_target| key.trusted = is_target, target.id);
        } else if others.iter().any(|key| key.listed) {
            self.is_trusted_alone(others, facts)?;
            self.each(|key, is_target| key.listed = is_target, target.id);
        } else {
            self.is_known_everywhere(facts)?;
            self.keep_only(target.id);
        }
        Ok(())
    }

    fn is_trusted_alone(&mut self, others: &[ZoneKey], facts: &Facts<'_>) -> Result<(), Wait> {
        let gone = others.iter().filter_map(|key| key.ds.as_ref()).collect();
        self.is_let_go(Some(&gone), facts)
    }

    fn each(&mut self, change: impl Fn(&mut ZoneKey, bool), target: u16) {
        for key in self.keys.iter_mut().filter(|key| key.is_active()) {
            let is_target = key.id == target;
            change(key, is_target);
        }
        self.begin();
    }

    fn keep_only(&mut self, id: u16) {
        self.keys.retain(|key| key.id == id);
        self.begin();
    }
}
