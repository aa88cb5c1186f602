//! The vendors' formats, exactly as they send and accept them. Nothing here is stored or served
//! directly.

pub mod arcsite;
pub mod bidsketch;
pub mod content;
pub mod envelope;
pub mod links;
pub mod request_error;
pub mod wire;
