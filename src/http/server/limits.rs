//! The caps and time-outs of connections, from the settings and the limit of open files.

use std::num::NonZeroU32;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::activity::TimeOuts;
use super::connections::Caps;
use super::peer::TrustedProxies;
use crate::config;

/// How many open files are left for the database, the log, and calls to a vendor.
const RESERVED_FILES: u64 = 64;

/// The highest cap that the limit of open files alone gives.
const CONNECTIONS_MAX: u64 = 10_000;

/// What the accept loop bounds.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    pub(super) caps: Caps,
    pub(super) timeouts: TimeOuts,
    pub(super) body_timeout: Duration,
    pub(super) body_bytes: usize,
    pub(super) failures_per_minute: NonZeroU32,
    pub(super) proxies: TrustedProxies,
}

impl Limits {
    /// Raises the limit of open files as far as it goes, and computes the cap on connections from
    /// it unless the settings have one.
    pub(super) fn new(server: &config::Server) -> Self {
        let open_files = raise_open_files();
        let all = match server.max_connections {
            0 => default_cap(open_files),
            max => max,
        };
        tracing::info!(open_files, max_connections = all, "listening");
        Self {
            caps: Caps { all, peer: server.max_connections_per_peer },
            timeouts: TimeOuts {
                head: Duration::from_secs(server.head_timeout_seconds),
                idle: Duration::from_secs(server.idle_timeout_seconds),
                write: Duration::from_secs(server.write_timeout_seconds),
            },
            body_timeout: Duration::from_secs(server.body_timeout_seconds),
            body_bytes: server.body_budget_bytes,
            failures_per_minute: server.max_failures_per_minute,
            proxies: TrustedProxies::new(&server.trusted_proxies),
        }
    }
}

/// Raises the limit of open files to the highest that the system allows. Returns the limit in
/// force; none if there is none.
fn raise_open_files() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return current;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => maximum,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files stays as it is");
            current
        }
    }
}

/// The open files less a reserve. Under a very low limit, half of them.
fn default_cap(open_files: Option<u64>) -> usize {
    let cap = open_files.map_or(CONNECTIONS_MAX, |files| files.saturating_sub(RESERVED_FILES).max(files / 2));
    usize::try_from(cap.min(CONNECTIONS_MAX)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_cap_leaves_files_for_the_database() {
        for (open_files, cap) in [
            (Some(256), 192),
            (Some(1024), 960),
            (Some(1_048_576), 10_000),
            (None, 10_000),
            (Some(100), 50),
            (Some(64), 32),
        ] {
            assert_eq!(default_cap(open_files), cap, "{open_files:?}");
        }
    }
}
