//! Pages through a GraphQL connection from either end and checks every page's `pageInfo`.

use serde_json::Value;

use super::Client;

/// A connection and the fields to select of its nodes.
#[derive(Clone)]
pub(crate) struct Pages {
    parent: Option<String>,
    field: String,
    arguments: String,
    node: String,
}

/// One page of a connection.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) nodes: Vec<Value>,
    pub(crate) cursors: Vec<String>,
    pub(crate) start: Option<String>,
    pub(crate) end: Option<String>,
    pub(crate) has_previous: bool,
    pub(crate) has_next: bool,
}

impl Pages {
    /// The pages of a root field.
    pub(crate) fn of(field: &str, node: &str) -> Self {
        Self { parent: None, field: field.to_owned(), arguments: String::new(), node: node.to_owned() }
    }

    /// The pages of a field of one object, such as `project(vendorId: "1")`.
    pub(crate) fn under(parent: &str, field: &str, node: &str) -> Self {
        Self { parent: Some(parent.to_owned()), ..Self::of(field, node) }
    }

    /// Adds arguments to those of paging.
    pub(crate) fn with(mut self, arguments: &str) -> Self {
        self.arguments = arguments.to_owned();
        self
    }

    /// The query of one page.
    pub(crate) fn query(&self, paging: &str) -> String {
        let Self { field, arguments, node, .. } = self;
        let connection = format!(
            "{field}({paging} {arguments}) {{ edges {{ cursor node {{ {node} }} }} \
             pageInfo {{ startCursor endCursor hasPreviousPage hasNextPage }} }}"
        );
        match &self.parent {
            Some(parent) => format!("{{ {parent} {{ {connection} }} }}"),
            None => format!("{{ {connection} }}"),
        }
    }

    /// Reads one page.
    pub(crate) async fn page(&self, client: &Client, paging: &str) -> Page {
        let mut data = client.query(&self.query(paging)).await;
        if let Some(parent) = &self.parent {
            data = data[parent.split('(').next().unwrap()].take();
        }
        let mut connection = data[&self.field].take();
        let mut page = Page {
            nodes: Vec::new(),
            cursors: Vec::new(),
            start: connection["pageInfo"]["startCursor"].as_str().map(str::to_owned),
            end: connection["pageInfo"]["endCursor"].as_str().map(str::to_owned),
            has_previous: connection["pageInfo"]["hasPreviousPage"].as_bool().unwrap(),
            has_next: connection["pageInfo"]["hasNextPage"].as_bool().unwrap(),
        };
        for edge in connection["edges"].as_array_mut().unwrap() {
            page.cursors.push(edge["cursor"].as_str().unwrap().to_owned());
            page.nodes.push(edge["node"].take());
        }
        assert_eq!((&page.start, &page.end), (&page.cursors.first().cloned(), &page.cursors.last().cloned()));
        page
    }

    /// Reads all nodes from the first page to the last. Runs `between` after each page except the
    /// last.
    pub(crate) async fn forward(
        &self,
        client: &Client,
        size: usize,
        mut between: impl AsyncFnMut(&Page),
    ) -> Vec<Value> {
        let mut all = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let position = after.as_ref().map_or(String::new(), |cursor| format!("after: {cursor:?}"));
            let page = self.page(client, &format!("first: {size} {position}")).await;
            assert_eq!(page.has_previous, after.is_some(), "{page:?}");
            assert!(page.nodes.len() == size || !page.has_next, "only the last page may be short: {page:?}");
            if page.has_next {
                between(&page).await;
            }
            all.extend(page.nodes);
            if !page.has_next {
                return all;
            }
            after = page.end;
        }
    }

    /// Reads all nodes from the last page to the first and returns them in list order. Runs
    /// `between` after each page except the last one read.
    pub(crate) async fn backward(
        &self,
        client: &Client,
        size: usize,
        mut between: impl AsyncFnMut(&Page),
    ) -> Vec<Value> {
        let mut pages = Vec::new();
        let mut before: Option<String> = None;
        loop {
            let position = before.as_ref().map_or(String::new(), |cursor| format!("before: {cursor:?}"));
            let page = self.page(client, &format!("last: {size} {position}")).await;
            assert_eq!(page.has_next, before.is_some(), "{page:?}");
            assert!(page.nodes.len() == size || !page.has_previous, "only the last page may be short: {page:?}");
            if page.has_previous {
                between(&page).await;
            }
            pages.push(page.nodes);
            if !page.has_previous {
                return pages.into_iter().rev().flatten().collect();
            }
            before = page.start;
        }
    }

    /// Reads all nodes in both directions, which must return the same nodes.
    pub(crate) async fn both_directions(&self, client: &Client, size: usize) -> Vec<Value> {
        let forward = self.forward(client, size, async |_| {}).await;
        assert_eq!(self.backward(client, size, async |_| {}).await, forward, "{}", self.query(""));
        forward
    }
}
