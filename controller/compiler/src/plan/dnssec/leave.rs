//! From signed to unsigned.

use super::{Facts, Signing, Wait};

impl Signing {
    /// Unsigned is believed only where no DS is known: first the parent takes its DS out, then the signatures go (RFC 6781 §4.4.2).
    pub(super) fn leave(&mut self, facts: &Facts<'_>) -> Result<(), Wait> {
        if !self.is_signed() {
            return Ok(());
        }
        if !self.leaving {
            self.leaving = true;
            self.begin();
            return Ok(());
        }
        self.is_let_go(None, facts)?;
        self.keys.retain(|key| key.trusted);
        for key in &mut self.keys {
            (key.listed, key.signs, key.trusted) = (false, false, false);
        }
        self.leaving = false;
        self.begin();
        Ok(())
    }

    /// Signed after all: the signatures are still there.
    pub(super) fn stay(&mut self) {
        self.leaving = false;
        self.begin();
    }
}
