#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bidarc::fuzzing::file_link(bytes));
