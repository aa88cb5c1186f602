//! The vault: files that outlive the links of their events.

pub mod outbound;
pub mod storage;
