//! Bidsketch: its payloads, and its REST API.

pub mod api;
pub mod payload;
