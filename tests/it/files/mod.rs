//! The vault: files that are kept before their links die.

mod storage;
