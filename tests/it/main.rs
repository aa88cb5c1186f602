//! Tests of the service through its front door: real sockets, real bodies, real signatures. One folder an area, one file a behaviour.
#![cfg(test)]

mod harness;

mod hooks;
mod identity;
mod keys;
mod live;
mod nodes;
mod operations;
mod projections;
mod queries;
mod webhooks;
