//! Octets as a response to a NOTIFY or a question of ours.

#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| cst_nameserver::fuzz::response(octets));
