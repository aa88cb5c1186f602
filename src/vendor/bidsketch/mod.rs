//! Bidsketch: its payloads.

pub mod payload;
