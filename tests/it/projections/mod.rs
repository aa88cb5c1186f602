//! The current state: how events change it, and how it is rebuilt.

mod creations;
mod linking;
mod links;
mod proposal_facts;
mod rebuild;
mod spellings;
mod state_order;
mod untrusted_clocks;
