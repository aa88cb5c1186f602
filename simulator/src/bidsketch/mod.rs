//! Bidsketch's objects, one file each, as its webhooks and its REST API show them.

mod client;
mod proposal;

pub use client::{Client, OtherContact};
pub use proposal::{ClientRef, Content, Fees, Proposal, Section, Settings, Status};

/// Every event type of Bidsketch's. A webhook is for one of them.
pub const EVENTS: &[&str] = &[
    "client_created",
    "proposal_created",
    "proposal_sent",
    "proposal_viewed",
    "proposal_accepted",
    "proposal_declined",
    "proposal_accepted_or_declined",
];

/// The base of every object's `url`: the vendor's API.
const API: &str = "https://bidsketch.com/api/v1";

/// The base of every object's `app_url`: the sample agency's account.
const APP: &str = "https://gazebos.bidsketch.example";
