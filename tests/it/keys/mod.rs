//! API keys: what each scope permits, and how keys are added and revoked.

mod command;
mod revocation;
mod scopes;
mod sockets;
