//! API keys: what each scope allows, and how keys come and go.

mod command;
mod revocation;
mod scopes;
mod sockets;
