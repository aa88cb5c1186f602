//! Bidsketch's objects, one file a noun: what its webhooks carry, and what its REST API shows on one object's page.

mod client;
mod proposal;

pub use client::{Client, OtherContact};
pub use proposal::{ClientRef, Content, Fees, Proposal, Section, Settings, Status};

/// Every event type that Bidsketch sends. A webhook is for one of them.
pub const EVENTS: &[&str] = &[
    "client_created",
    "proposal_created",
    "proposal_sent",
    "proposal_viewed",
    "proposal_accepted",
    "proposal_declined",
    "proposal_accepted_or_declined",
];

/// Where the vendor's API says it is, in every object's `url`.
const API: &str = "https://bidsketch.com/api/v1";

/// Where the sample agency's account says it is, in every object's `app_url`.
const APP: &str = "https://gazebos.bidsketch.example";
