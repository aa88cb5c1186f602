//! Places at which a test ends the process, to see what a crash leaves behind. Nothing is there in a release build.

/// The variable that names the place.
const ENV_VARIABLE: &str = "BIDARC_FAILPOINT";

/// Ends the process at once, without any tidying up, if a test has asked for it at this place.
#[expect(clippy::disallowed_methods, reason = "it is no setting: nothing but a test may use it")]
pub fn abort_if_set(place: &str) {
    if cfg!(debug_assertions) && std::env::var(ENV_VARIABLE).as_deref() == Ok(place) {
        std::process::abort();
    }
}
