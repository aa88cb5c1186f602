//! Failpoints: places at which a test aborts the process to simulate a crash. They do nothing in a
//! release build.

/// The environment variable that names the active failpoint.
const ENV_VARIABLE: &str = "BIDARC_FAILPOINT";

/// Aborts the process without any cleanup if a test has activated the failpoint `name`.
#[expect(clippy::disallowed_methods, reason = "this is not a setting: only tests use it")]
pub fn abort_if_set(name: &str) {
    if cfg!(debug_assertions) && std::env::var(ENV_VARIABLE).as_deref() == Ok(name) {
        std::process::abort();
    }
}
