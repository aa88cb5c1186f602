//! The vault: files that are kept before their links die.

pub(crate) mod fetching;
mod storage;
