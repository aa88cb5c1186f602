//! The paging arguments of every connection.

use super::cursor::{self, ListId};
use crate::domain::LogId;
use crate::graphql::error::ApiError;
use crate::graphql::execution::types::PageSize;
use crate::store::read::Window;

/// The number of rows of a page without `first` and `last`.
const PAGE_SIZE_DEFAULT: i32 = 20;
/// The largest `first` and `last`.
const PAGE_SIZE_MAX: i32 = 100;
/// The pages of connections, for the complexity of a request.
pub(crate) const PAGE_SIZE: PageSize =
    PageSize { arguments: &["first", "last"], default: PAGE_SIZE_DEFAULT, max: PAGE_SIZE_MAX };
/// The largest number of rows in a list without pages. A connection beside it has the others.
pub(crate) const LIST_SIZE_MAX: usize = 100;

/// `first`, `after`, `last`, `before` of a connection.
#[derive(Debug)]
pub(crate) struct PageArgs {
    pub(crate) first: Option<i32>,
    pub(crate) after: Option<String>,
    pub(crate) last: Option<i32>,
    pub(crate) before: Option<String>,
}

/// Defines an object whose fields are pages. Each takes the four paging arguments, then its own.
/// The descriptions of the four stand in brackets if a list needs others.
macro_rules! paged_object {
    (
        [$first:tt, $after:tt, $last:tt, $before:tt]
        $(#[$object_meta:meta])*
        impl $object:ty {
            $(
                $(#[$meta:meta])*
                fn $field:ident($this:ident, $ctx:ident, $args:ident $(, $arg:ident: $arg_type:ty = $desc:tt)* $(,)?)
                    -> $page:ty $body:block
            )+
        }
    ) => {
        $(#[$object_meta])*
        impl $object {
            $(
                $(#[$meta])*
                async fn $field(
                    &$this,
                    $ctx: &async_graphql::Context<'_>,
                    #[graphql(desc = $first)] first: Option<i32>,
                    #[graphql(desc = $after)] after: Option<String>,
                    #[graphql(desc = $last)] last: Option<i32>,
                    #[graphql(desc = $before)] before: Option<String>,
                    $(#[graphql(desc = $desc)] $arg: Option<$arg_type>,)*
                ) -> async_graphql::Result<$page> {
                    let $args = crate::graphql::pagination::args::PageArgs { first, after, last, before };
                    $body
                }
            )+
        }
    };
    (# $($object:tt)+) => {
        crate::graphql::pagination::args::paged_object! {
            [
                "How many items to return from the start of the list, 0 to 100. Without `first` and `last` a page has 20.",
                "Return only items after this cursor: the `cursor` of an edge, or `pageInfo.endCursor`.",
                "How many items to return from the end of the list, 0 to 100. Not together with `first`.",
                "Return only items before this cursor: the `cursor` of an edge, or `pageInfo.startCursor`."
            ]
            # $($object)+
        }
    };
}

pub(crate) use paged_object;

impl PageArgs {
    /// The window of the list that the arguments select.
    pub(crate) fn window(&self, list: ListId, log: &LogId) -> Result<Window, ApiError> {
        let (limit, backward) = match (self.first, self.last) {
            (Some(_), Some(_)) => {
                return Err(ApiError::BadUserInput("give `first` or `last`, not both".to_owned()));
            }
            (first, None) => (page_size("first", first)?, false),
            (None, last) => (page_size("last", last)?, true),
        };
        let decode = |argument: &Option<String>| {
            cursor::given(argument.as_deref()).map(|cursor| cursor::decode(list, log, cursor)).transpose()
        };
        Ok(Window { after: decode(&self.after)?, before: decode(&self.before)?, limit, backward })
    }
}

fn page_size(argument: &str, requested: Option<i32>) -> Result<u64, ApiError> {
    let size = requested.unwrap_or(PAGE_SIZE_DEFAULT);
    u64::try_from(size).ok().filter(|_| size <= PAGE_SIZE_MAX).ok_or_else(|| {
        ApiError::BadUserInput(format!("`{argument}` must be between 0 and {PAGE_SIZE_MAX}, it is {size}"))
    })
}
