//! Octets as the messages of a transfer, each with its length before it: a zone comes of it, or a word why not.

#![no_main]

use cst_compiler::import::Transfer;
use cst_compiler::model::DomainName;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let mut transfer = Transfer::new("192.0.2.1", &DomainName::parse("example.org").unwrap());
    let mut rest = octets;
    while let Some((length, after)) = rest.split_first_chunk() {
        let (message, after) = after.split_at(after.len().min(u16::from_be_bytes(*length).into()));
        if !matches!(transfer.message(message), Ok(false)) {
            break;
        }
        rest = after;
    }
    let read = transfer.finish();
    assert!(read.zone.is_some() || !read.problems.is_empty(), "refused without a word");
});
