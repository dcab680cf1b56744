//! Octets as a reply of a server that is asked about a zone above.

#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| cst_nameserver::fuzz::reply(octets));
