//! API keys: what each scope permits, and how keys are added and revoked.

mod audit;
mod command;
mod expiry;
mod revocation;
mod scopes;
mod sign_in;
mod sockets;
