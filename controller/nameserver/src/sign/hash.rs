//! The hash of a name (RFC 5155 §5), with the parameters of RFC 9276: SHA-1, no salt, no iterations.

use data_encoding::BASE32HEX_NOPAD;
use sha1::{Digest, Sha1};

/// A hash.
pub(super) type Hash = [u8; 20];

/// The hash of an uncompressed lower-case name.
pub(super) fn of(name: &[u8]) -> Hash {
    Sha1::digest(name).into()
}

/// The label at which it stands.
pub(super) fn text(hash: &Hash) -> String {
    BASE32HEX_NOPAD.encode(hash).to_ascii_lowercase()
}

/// The label at which the hash of an uncompressed lower-case name stands.
pub(crate) fn label(name: &[u8]) -> String {
    text(&of(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_like_bind() {
        // `nsec3hash - 1 0 example`
        assert_eq!(label(b"\x07example\0"), "3msev9usmd4br9s97v51r2tdvmr9iqo1");
    }
}
