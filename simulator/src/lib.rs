//! Both vendors, ArcSite and Bidsketch, as a program: real webhooks over real HTTP, sent to a running bidarc.
//!
//! The binary is for trying bidarc out and for putting load on it; this library is for tests, which take from it the
//! signer, the payloads, the sender and the account of what was acknowledged.
//!
//! How a webhook is made and sent, one module a step:
//!
//! 1. [`arcsite`] and [`bidsketch`]: the payloads, exactly as the vendors write them. [`sample`] fills them with made-up
//!    people and amounts; [`id`], [`money`] and [`time`] are the vendors' ways to spell such values.
//! 2. [`office`]: a coherent world in which clients, projects, drawings, proposals and payments live their lives, and
//!    each step of a life is one or more [`hook::Hook`]s.
//! 3. [`disorder`]: late, twice, out of order, as real webhooks come.
//! 4. [`target`] and [`signature`]: where a hook goes and how it is signed.
//! 5. [`sender`]: delivers one hook by its vendor's rules: what counts as delivered, what is tried again, how often.
//! 6. [`tally`]: what came of it all.
//! 7. [`run`]: the steps tied together at a rate.
//!
//! Bidsketch's other half, its REST API, is [`api`]; the webhooks that are registered with it are in a [`registry`], and
//! [`sender`] delivers to those.
//!
//! Everything random comes from a seed: the same seed and start give the same world, byte for byte.

pub mod api;
pub mod arcsite;
pub mod bidsketch;
pub mod clock;
pub mod disorder;
pub mod hook;
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
