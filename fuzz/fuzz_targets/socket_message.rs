#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bidarc::fuzzing::socket_message(bytes));
