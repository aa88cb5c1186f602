//! Expected outcomes of mutations, as data.

use async_graphql::{Enum, SimpleObject};

/// What stood in the way of a mutation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum UserErrorCode {
    /// The delivery has been released before.
    AlreadyReleased,
    /// There is no such thing.
    NotFound,
    /// The delivery still cannot be turned into an event.
    StillInvalid,
}

/// Something that stood in the way of a mutation and that its user can act on.
#[derive(SimpleObject)]
pub(crate) struct UserError {
    /// What it is, for programs.
    code: UserErrorCode,
    /// What it is, for people.
    message: String,
    /// The path of the argument that is concerned.
    field: Option<Vec<String>>,
}

impl UserError {
    pub(crate) fn new(code: UserErrorCode, message: String, field: &[&str]) -> Self {
        Self { code, message, field: Some(field.iter().map(|&part| part.to_owned()).collect()) }
    }
}
