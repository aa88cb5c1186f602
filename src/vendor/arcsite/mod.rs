//! ArcSite: its signature and its payloads.

pub mod payload;
pub mod signature;
