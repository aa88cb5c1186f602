//! The errors that a client gets: a sentence and a stable `extensions.code`, never database text.

use std::borrow::Cow;

use async_graphql::ErrorExtensions;

use crate::auth::Scope;
use crate::store::StoreError;

/// A GraphQL error of this API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ApiError {
    /// An argument is wrong; the text says what is right.
    #[error("{0}")]
    BadUserInput(String),
    /// The key lacks the scope that a field needs.
    #[error("this field needs a key with the scope {0}")]
    Forbidden(Scope),
    /// The database is not available right now. A retry may succeed.
    #[error("the data cannot be read right now; try again")]
    Unavailable,
    /// The request has used up its budget. The response says which part, and has no other error.
    #[error("the request exceeds a limit")]
    OverBudget,
    /// A defect of bidarc, or a stored value that cannot be read.
    #[error("an internal error; the service's log has the details")]
    Internal,
}

/// The code of an error that the request itself caused.
pub(crate) const BAD_USER_INPUT: &str = "BAD_USER_INPUT";

/// The code of a request without a key.
pub(crate) const UNAUTHENTICATED: &str = "UNAUTHENTICATED";

/// The code of a request whose key lacks the required scope.
pub(crate) const FORBIDDEN: &str = "FORBIDDEN";

/// The code of an error that a retry may cure: the database is not available.
pub(crate) const UNAVAILABLE: &str = "UNAVAILABLE";

/// The code of a defect.
pub(crate) const INTERNAL: &str = "INTERNAL";

/// The code of a request that exceeds a limit.
pub(crate) const LIMIT_EXCEEDED: &str = "LIMIT_EXCEEDED";

/// The codes of a request with the hash of a document in its place. Clients know them, and send the
/// document.
pub(crate) const PERSISTED_QUERY_NOT_SUPPORTED: &str = "PERSISTED_QUERY_NOT_SUPPORTED";
pub(crate) const PERSISTED_QUERY_NOT_FOUND: &str = "PERSISTED_QUERY_NOT_FOUND";

/// How many characters of a text from a client an error repeats.
const EXCERPT_CHARS_MAX: usize = 100;

/// A text from a client as an error repeats it: the beginning of it.
pub(crate) fn excerpt(text: &str) -> Cow<'_, str> {
    shorten(text, EXCERPT_CHARS_MAX)
}

/// The first characters of a text, at most this many.
pub(crate) fn shorten(text: &str, chars_max: usize) -> Cow<'_, str> {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

impl ApiError {
    const fn code(&self) -> &'static str {
        match self {
            Self::BadUserInput(_) => BAD_USER_INPUT,
            Self::Forbidden(_) => FORBIDDEN,
            Self::Unavailable => UNAVAILABLE,
            Self::OverBudget => LIMIT_EXCEEDED,
            Self::Internal => INTERNAL,
        }
    }
}

// async-graphql converts every type that implements `Display` into its own error, which would lose
// the code. Fields therefore return `async_graphql::Result`, and convert with `or_api_error` or
// `into_graphql_error`.
impl ApiError {
    /// The error in the library's type, with its code.
    pub(crate) fn into_graphql_error(self) -> async_graphql::Error {
        let code = self.code();
        async_graphql::Error::new(self.to_string()).extend_with(|_, extensions| extensions.set("code", code))
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                tracing::warn!(%error, "a query failed: the database is not available");
                Self::Unavailable
            }
            StoreError::OverBudget => Self::OverBudget,
            StoreError::Refused(_) | StoreError::Unreadable(_) => {
                tracing::error!(%error, "a query failed");
                Self::Internal
            }
        }
    }
}

/// Lets `?` in a field turn an error into one with its code.
pub(crate) trait OrApiError<T> {
    /// The value, or the error in the library's type, with its code.
    fn or_api_error(self) -> async_graphql::Result<T>;
}

impl<T, E: Into<ApiError>> OrApiError<T> for Result<T, E> {
    fn or_api_error(self) -> async_graphql::Result<T> {
        self.map_err(|error| error.into().into_graphql_error())
    }
}
