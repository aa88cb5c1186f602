//! Integration tests. They use the front door of the service: real sockets, real bodies, real
//! signatures. Each area has a folder, and each behaviour a file.
#![cfg(test)]

mod harness;

mod connections;
mod files;
mod hooks;
mod identity;
mod keys;
mod live;
mod nodes;
mod operations;
mod projections;
mod queries;
mod webhooks;
