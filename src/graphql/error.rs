//! What a client is told when something is wrong: a sentence and a stable `extensions.code`, never database text.

use async_graphql::ErrorExtensions;

use crate::store::StoreError;

/// A GraphQL error of this API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ApiError {
    /// An argument is wrong; the text says what is right.
    #[error("{0}")]
    BadUserInput(String),
    /// The database is not available now.
    #[error("the data cannot be read at the moment; try again")]
    Unavailable,
    /// A fault of ours.
    #[error("an internal error; the service's log tells more")]
    Internal,
}

/// The code of an error that the request itself caused.
pub(crate) const BAD_USER_INPUT: &str = "BAD_USER_INPUT";

/// The code of a request that brings no key.
pub(crate) const UNAUTHENTICATED: &str = "UNAUTHENTICATED";

/// The code of a request whose key has not the scope for it.
pub(crate) const FORBIDDEN: &str = "FORBIDDEN";

/// The code of what the database could not give now.
pub(crate) const UNAVAILABLE: &str = "UNAVAILABLE";

/// The code of a request that asks for more than is served at once.
pub(crate) const LIMIT_EXCEEDED: &str = "LIMIT_EXCEEDED";

impl ApiError {
    const fn code(&self) -> &'static str {
        match self {
            Self::BadUserInput(_) => BAD_USER_INPUT,
            Self::Unavailable => UNAVAILABLE,
            Self::Internal => "INTERNAL",
        }
    }
}

// async-graphql turns anything that displays into its error by itself, which would lose the code: fields return
// `async_graphql::Result`, and this conversion is what `?` and `into()` use.
impl ApiError {
    /// The error as GraphQL has it.
    pub(crate) fn into_graphql_error(self) -> async_graphql::Error {
        let code = self.code();
        async_graphql::Error::new(self.to_string()).extend_with(|_, extensions| extensions.set("code", code))
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                tracing::warn!(%error, "a query could not be answered");
                Self::Unavailable
            }
            StoreError::Refused(_) | StoreError::Unreadable(_) => {
                tracing::error!(%error, "a query failed");
                Self::Internal
            }
        }
    }
}

/// Lets `?` in a field turn an error into one with its code.
pub(crate) trait OrApiError<T> {
    /// The value, or the error as GraphQL has it.
    fn or_api_error(self) -> async_graphql::Result<T>;
}

impl<T, E: Into<ApiError>> OrApiError<T> for Result<T, E> {
    fn or_api_error(self) -> async_graphql::Result<T> {
        self.map_err(|error| error.into().into_graphql_error())
    }
}
