//! Exactly what the vendors send and take; nothing here is stored or shown as it is.

pub mod arcsite;
pub mod bidsketch;
pub mod envelope;
pub mod links;
pub mod wire;
