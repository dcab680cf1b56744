//! Octets as a request to the hidden primary, signed or not.

#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| cst_nameserver::fuzz::request(octets));
