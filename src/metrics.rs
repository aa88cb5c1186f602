//! Every metric of the service: its name, unit and description, in one place. `/metrics` serves
//! them for Prometheus.
//!
//! A new metric gets a constant here and a line in [`DESCRIPTIONS`]. Code elsewhere names the
//! constant, never a text.

use std::sync::OnceLock;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};

/// Counts deliveries that were answered 200. Labels: `provider`, `outcome`.
pub(crate) const DELIVERIES: &str = "bidarc_deliveries_total";
/// Counts deliveries that were refused. Labels: `provider`, `reason`.
pub(crate) const REFUSED: &str = "bidarc_refused_total";
/// Counts deliveries that were answered 503. Label: `provider`.
pub(crate) const UNAVAILABLE: &str = "bidarc_unavailable_total";
/// Counts events with a vendor's time that is not believed. Label: `provider`.
pub(crate) const VENDOR_TIMES_AHEAD: &str = "bidarc_vendor_times_ahead_total";
/// Measures the time from the write lock to the end of the commit of a group.
pub(crate) const COMMIT_SECONDS: &str = "bidarc_commit_seconds";
/// Counts the deliveries of each committed group.
pub(crate) const COMMIT_DELIVERIES: &str = "bidarc_commit_deliveries";
/// Counts statements that read for the API.
pub(crate) const READS: &str = "bidarc_reads_total";
/// Counts requests whose key was missing, wrong or revoked. Label: `reason`.
pub(crate) const DENIED: &str = "bidarc_denied_total";
/// The newest seq of the log that this node knows.
pub(crate) const LOG_HEAD: &str = "bidarc_log_head";
/// Counts open WebSockets.
pub(crate) const SOCKETS: &str = "bidarc_sockets";
/// Counts the operations under way over sockets and event streams.
pub(crate) const SUBSCRIPTIONS: &str = "bidarc_subscriptions";
/// Counts open connections, those of sockets and streams among them.
pub(crate) const CONNECTIONS: &str = "bidarc_connections";
/// Counts connections that the service closed. Label: `cause`.
pub(crate) const CONNECTIONS_CLOSED: &str = "bidarc_connections_closed_total";
/// Counts failures to accept a connection.
pub(crate) const ACCEPT_ERRORS: &str = "bidarc_accept_errors_total";
/// Counts requests that were refused because too many were in progress. Label: `cap`.
pub(crate) const REQUESTS_REFUSED: &str = "bidarc_requests_refused_total";
/// The bytes of request bodies in memory.
pub(crate) const BODY_BYTES: &str = "bidarc_body_bytes";
/// Counts requests that used up their budget. Label: `limit`.
pub(crate) const OVER_BUDGET: &str = "bidarc_over_budget_total";
/// The bytes of documents and unread messages that sockets and event streams hold.
pub(crate) const STREAM_BYTES: &str = "bidarc_stream_bytes";
/// Counts streams and operations that the caps of a key, or of all, refused, and streams that they
/// closed. Label: `cap`.
pub(crate) const STREAMS_REFUSED: &str = "bidarc_streams_refused_total";
/// Counts exports of lists that have ended. Labels: `list`, `outcome`.
pub(crate) const EXPORTS: &str = "bidarc_exports_total";
/// The bytes of the backlogs of all broadcasts.
pub(crate) const BACKLOG_BYTES: &str = "bidarc_backlog_bytes";
/// Counts lines of the log that were dropped.
pub(crate) const LOG_LINES_DROPPED: &str = "bidarc_log_lines_dropped_total";
/// Counts the sessions of browsers that are not over.
pub(crate) const SESSIONS: &str = "bidarc_sessions";
/// Counts entries of the audit that were dropped.
pub(crate) const AUDIT_ENTRIES_DROPPED: &str = "bidarc_audit_entries_dropped_total";
/// Counts files in the vault. Label: `state`.
pub(crate) const FILES: &str = "bidarc_files";
/// The bytes of the stored files.
pub(crate) const FILE_BYTES: &str = "bidarc_file_bytes";
/// The age of the oldest link whose file is not fetched, in seconds.
pub(crate) const FILE_OLDEST_SECONDS: &str = "bidarc_file_oldest_unfetched_seconds";
/// The hours until the first link dies whose file is not fetched.
pub(crate) const FILE_DEADLINE_HOURS: &str = "bidarc_file_deadline_hours";
/// Counts fetches of files that have ended. Label: `outcome`.
pub(crate) const FILE_FETCHES: &str = "bidarc_file_fetches_total";

enum Kind {
    Counter,
    Gauge,
    Histogram,
}

const DESCRIPTIONS: [(&str, Kind, Unit, &str); 29] = [
    (DELIVERIES, Kind::Counter, Unit::Count, "Deliveries that were answered 200, by vendor and outcome."),
    (REFUSED, Kind::Counter, Unit::Count, "Deliveries that were refused, by vendor and reason."),
    (
        UNAVAILABLE,
        Kind::Counter,
        Unit::Count,
        "Deliveries that were answered 503 because they could not be stored in time.",
    ),
    (
        VENDOR_TIMES_AHEAD,
        Kind::Counter,
        Unit::Count,
        "Events with a vendor's time more than 5 minutes after their arrival, which is not believed.",
    ),
    (COMMIT_SECONDS, Kind::Histogram, Unit::Seconds, "Time from the write lock to the end of a group's commit."),
    (COMMIT_DELIVERIES, Kind::Histogram, Unit::Count, "Deliveries in a committed group."),
    (READS, Kind::Counter, Unit::Count, "SQL statements that read for the API."),
    (
        DENIED,
        Kind::Counter,
        Unit::Count,
        "Requests whose key was missing, wrong, revoked, expired, or in the URL, whose session was over, or that a page of another site sent, by reason.",
    ),
    (LOG_HEAD, Kind::Gauge, Unit::Count, "The newest seq of the log that this node knows."),
    (SOCKETS, Kind::Gauge, Unit::Count, "Open WebSockets."),
    (SESSIONS, Kind::Gauge, Unit::Count, "Sessions of browsers that are not over."),
    (
        AUDIT_ENTRIES_DROPPED,
        Kind::Counter,
        Unit::Count,
        "Entries of the audit that were dropped because the database could not be written for too long.",
    ),
    (SUBSCRIPTIONS, Kind::Gauge, Unit::Count, "Operations under way over WebSockets and event streams."),
    (CONNECTIONS, Kind::Gauge, Unit::Count, "Open connections, those of WebSockets and event streams among them."),
    (CONNECTIONS_CLOSED, Kind::Counter, Unit::Count, "Connections that the service closed, by cause."),
    (ACCEPT_ERRORS, Kind::Counter, Unit::Count, "Failures to accept a connection, such as too many open files."),
    (
        REQUESTS_REFUSED,
        Kind::Counter,
        Unit::Count,
        "Requests that were answered 503 because too many were in progress, by cap.",
    ),
    (BODY_BYTES, Kind::Gauge, Unit::Bytes, "Bytes of request bodies in memory."),
    (
        OVER_BUDGET,
        Kind::Counter,
        Unit::Count,
        "Requests and messages that used up their budget of rows, bytes or time, by limit.",
    ),
    (STREAM_BYTES, Kind::Gauge, Unit::Bytes, "Bytes of documents and unread messages of WebSockets and event streams."),
    (
        STREAMS_REFUSED,
        Kind::Counter,
        Unit::Count,
        "Streams and operations that were refused or closed because their key, or all together, had too many, by cap.",
    ),
    (EXPORTS, Kind::Counter, Unit::Count, "Exports of lists as CSV that have ended, by list and outcome."),
    (BACKLOG_BYTES, Kind::Gauge, Unit::Bytes, "Bytes of messages that are held for slower subscribers."),
    (
        LOG_LINES_DROPPED,
        Kind::Counter,
        Unit::Count,
        "Lines of the log that were dropped because standard error was not read in time.",
    ),
    (FILES, Kind::Gauge, Unit::Count, "Files that links of events name, by state."),
    (FILE_BYTES, Kind::Gauge, Unit::Bytes, "Bytes of the stored files. Equal files count once."),
    (
        FILE_OLDEST_SECONDS,
        Kind::Gauge,
        Unit::Seconds,
        "Age of the oldest link whose file is not fetched; 0 if there is none.",
    ),
    (
        FILE_DEADLINE_HOURS,
        Kind::Gauge,
        Unit::Count,
        "Hours until the first link dies whose file is not fetched; infinite if there is none.",
    ),
    (FILE_FETCHES, Kind::Counter, Unit::Count, "Fetches of files that have ended, by outcome."),
];

/// Installs the process's one recorder and gives its handle. Several services in one process, as in
/// tests, share it.
///
/// # Errors
///
/// The recorder cannot be built.
pub(crate) fn install() -> Result<PrometheusHandle, BuildError> {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    // Of two calls at once only the first installs its recorder. The other one uses that.
    if metrics::set_global_recorder(recorder).is_ok() {
        describe();
        let _ = HANDLE.set(handle.clone());
    }
    Ok(HANDLE.get().unwrap_or(&handle).clone())
}

fn describe() {
    for (name, kind, unit, description) in DESCRIPTIONS {
        match kind {
            Kind::Counter => describe_counter!(name, unit, description),
            Kind::Gauge => describe_gauge!(name, unit, description),
            Kind::Histogram => describe_histogram!(name, unit, description),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_described_where_it_is_served_and_in_the_docs() {
        let handle = install().unwrap();
        let docs = include_str!("../docs/LOGGING.md");
        for (name, kind, _, description) in &DESCRIPTIONS {
            match kind {
                Kind::Counter => metrics::counter!(*name).increment(0),
                Kind::Gauge => metrics::gauge!(*name).increment(0.0),
                Kind::Histogram => metrics::histogram!(*name).record(0.0),
            }
            assert!(docs.contains(&format!("| `{name}` |")), "docs/LOGGING.md lacks {name}");
            let help = format!("# HELP {name} {description}");
            assert!(handle.render().contains(&help), "/metrics lacks the description of {name}");
        }
    }
}
