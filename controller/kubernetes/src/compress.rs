//! Published content is stored compressed: an object holds 1 MiB at most.

use std::io::{self, Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

/// What is read back is never larger: a damaged object must not fill the memory.
const MAX: u64 = 64 << 20;

/// The gzip form (RFC 1952) of a text, without a timestamp: the same text gives the same bytes.
pub fn pack(text: &str) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes())?;
    encoder.finish()
}

/// Reads what [`pack`] wrote.
pub fn unpack(bytes: &[u8]) -> io::Result<String> {
    let mut text = String::new();
    GzDecoder::new(bytes).take(MAX).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_and_refuses_damage() {
        let packed = pack("example.org. 3600 IN SOA").unwrap();
        assert_eq!(unpack(&packed).unwrap(), "example.org. 3600 IN SOA");
        assert_eq!(packed, pack("example.org. 3600 IN SOA").unwrap());
        assert!(unpack(&packed[..packed.len() - 4]).is_err());
        assert!(unpack(b"").is_err());
    }
}
