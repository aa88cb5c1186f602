//! Acts as both vendors, ArcSite and Bidsketch: sends real webhooks over real HTTP to a running
//! bidarc.
//!
//! The binary is for trying bidarc out and for putting load on it. The library is for tests, which
//! use its signer, its payloads, its sender and its tally of acknowledged deliveries.
//!
//! A hook is here one message of a vendor: an event type with its body. A delivery is one hook to
//! one URL, with all its attempts. A hook is made and sent in these steps, one module each:
//!
//! 1. [`arcsite`] and [`bidsketch`]: the payloads, exactly as the vendors write them. [`sample`]
//!    fills them with made-up people and amounts; [`id`], [`money`] and [`time`] are the vendors'
//!    ways to write such values.
//! 2. [`office`]: a coherent world in which clients, projects, drawings, proposals and payments
//!    have histories. Each step of a history is one or more [`hook::Hook`]s.
//! 3. [`disorder`]: delays, repeats and reorders hooks, as real webhooks arrive.
//! 4. [`target`] and [`signature`]: the URL of a hook, and its signature.
//! 5. [`sender`]: delivers one hook by its vendor's rules: which answer counts as delivered, what
//!    is retried, how often.
//! 6. [`tally`]: counts the results.
//! 7. [`run`]: runs these steps at a rate.
//!
//! The drawings and proposals to which links lead are [`files`].
//!
//! Bidsketch's REST API is [`api`]. Its webhooks are in a [`registry`], and [`sender`] delivers to
//! those.
//!
//! All randomness comes from a seed: the same seed and start give the same world, byte for byte.

pub mod api;
pub mod arcsite;
pub mod bidsketch;
pub mod clock;
pub mod disorder;
pub mod files;
pub mod hook;
mod http_server;
pub mod id;
pub mod money;
pub mod office;
pub mod registry;
pub mod run;
pub mod sample;
pub mod sender;
pub mod signature;
pub mod tally;
pub mod target;
pub mod time;
