//! The pages of a list, one after another.

use async_graphql::{Request, Variables};
use serde::Deserialize;
use serde_json::{Value, json};

use super::lists::List;
use crate::auth::Access;
use crate::graphql::error::{INTERNAL, LIMIT_EXCEEDED};
use crate::graphql::{Executor, response};

/// How many rows a page has: the most that the API gives. A page that exceeds the budget of a
/// request, because its rows are large, is read again with fewer.
const PAGE_SIZES: [u64; 3] = [100, 10, 1];

/// The pages of a list that are not read yet.
pub(super) struct Pages {
    graphql: Executor,
    list: &'static List,
    document: String,
    filter: Value,
    access: Access,
    /// Where the next page begins.
    after: Option<String>,
    is_last: bool,
}

/// Why a page cannot be read.
#[derive(Debug)]
pub(super) struct PageError {
    /// The code of the API's error.
    pub(super) code: String,
    /// A sentence for the client.
    pub(super) message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    page_info: PageInfo,
    nodes: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

impl PageError {
    pub(super) fn new(code: &str, message: String) -> Self {
        Self { code: code.to_owned(), message }
    }

    fn internal(problem: &dyn std::fmt::Display) -> Self {
        tracing::error!(%problem, "a page of an export cannot be read");
        Self::new(INTERNAL, "an internal error; the service's log has the details".to_owned())
    }
}

impl Pages {
    pub(super) fn new(graphql: Executor, list: &'static List, filter: Value, access: Access) -> Self {
        Self { graphql, list, document: list.document(), filter, access, after: None, is_last: false }
    }

    /// Whether the last page is read.
    pub(super) const fn is_last(&self) -> bool {
        self.is_last
    }

    /// The nodes of the next page.
    pub(super) async fn next(&mut self) -> Result<Vec<Value>, PageError> {
        let mut result = Ok(Vec::new());
        for size in PAGE_SIZES {
            result = self.read(size).await;
            if !result.as_ref().is_err_and(|error| error.code == LIMIT_EXCEEDED) {
                break;
            }
        }
        result
    }

    async fn read(&mut self, size: u64) -> Result<Vec<Value>, PageError> {
        let variables = json!({ "first": size, "after": self.after, "filter": self.filter });
        let request = Request::new(&self.document).variables(Variables::from_json(variables));
        let operation = self.graphql.read(request);
        let response = self.graphql.execute(operation, self.access, &self.graphql.new_budget()).await;
        let text = response::to_json(&response).map_err(|error| PageError::internal(&error))?;
        let mut body: Value = serde_json::from_slice(&text).map_err(|error| PageError::internal(&error))?;
        if let Some(error) = body.get("errors").and_then(|errors| errors.get(0)) {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let message = text(&error["message"]);
            // The client knows nothing of the variable, only of its fields.
            let of_variable =
                format!("the variable $filter of type {} has a wrong value: $filter.", self.list.filter_type);
            let message = message.strip_prefix(&of_variable).unwrap_or(&message).to_owned();
            return Err(PageError { code: text(&error["extensions"]["code"]), message });
        }
        let connection = body["data"][self.list.name].take();
        let page: Connection = serde_json::from_value(connection).map_err(|error| PageError::internal(&error))?;
        self.is_last = !page.page_info.has_next_page;
        self.after = page.page_info.end_cursor;
        Ok(page.nodes)
    }
}
