//! Hostile documents that a generator makes.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{ids, nested, repeat};
use crate::harness::{Database, EventStream, Setup, Socket, sample_database};

/// A generator of pseudorandom documents (xorshift): every run makes the same.
struct Random {
    state: u64,
    /// Whether the document has faults.
    is_faulty: bool,
    aliases: usize,
}

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state % u64::try_from(end).unwrap()).unwrap()
    }

    fn pick<'a>(&mut self, texts: &[&'a str]) -> &'a str {
        texts[self.below(texts.len())]
    }

    /// A field of a type, and the type of its selection.
    fn field(&mut self, type_name: &str) -> (String, &'static str) {
        let n = self.below(100);
        let (field, inner) = match (type_name, n % 6) {
            _ if self.is_faulty && n < 8 => (format!("x{n}(a: {{ b: [$v, {n}] }})"), "Unknown"),
            _ if self.is_faulty && n < 20 => return (format!("...f{}", n % 12), ""),
            _ if self.is_faulty && n < 28 => {
                (self.pick(&["... on Project", "... on Event", "..."]).to_owned(), "Event")
            }
            ("Query", 0) => (format!("projects(first: {})", n + 2), "ProjectConnection"),
            ("Query", 1) => (format!("events(last: {n})"), "EventConnection"),
            ("Query", 2) => ("node(id: $v)".to_owned(), "Node"),
            ("Query", 3) => (format!("nodes(ids: [{}])", "\"project:1\" ".repeat(n * n / 60)), "Node"),
            ("Query", 4) => ("__schema".to_owned(), "__Schema"),
            ("Query", _) => ("headCursor".to_owned(), ""),
            ("__Schema", _) => ("types".to_owned(), "__Type"),
            ("__Type", 0 | 1) => ("fields".to_owned(), "__Field"),
            ("__Type", 2) => ("ofType".to_owned(), "__Type"),
            ("__Type", 3) => ("possibleTypes".to_owned(), "__Type"),
            ("__Type", _) => ("name".to_owned(), ""),
            ("__Field", 0..=3) => ("type".to_owned(), "__Type"),
            ("__Field", _) => ("description".to_owned(), ""),
            ("ProjectConnection", 0..=3) => ("nodes".to_owned(), "Project"),
            ("EventConnection", 0..=3) => ("nodes".to_owned(), "Event"),
            ("ProjectConnection" | "EventConnection", _) => ("totalCount".to_owned(), ""),
            ("Project", 0..=2) => (format!("events(first: {})", n / 5), "EventConnection"),
            ("Event", 0 | 1) => ("project".to_owned(), "Project"),
            _ => ("id".to_owned(), ""),
        };
        if inner.is_empty() || (self.is_faulty && n > 90) || field.starts_with("...") {
            return (field, inner);
        }
        self.aliases += 1;
        (format!("a{}: {field}", self.aliases), inner)
    }

    fn selection(&mut self, text: &mut String, type_name: &str, depth: usize) {
        text.push_str("{ __typename ");
        let width = if self.below(15) == 0 { 120 } else { 1 + self.below(5) };
        for _ in 0..width {
            if text.len() > 20_000 {
                break;
            }
            let (field, inner) = self.field(type_name);
            if depth == 0 && !inner.is_empty() {
                continue;
            }
            text.push_str(&field);
            let directives = if self.is_faulty && self.below(8) == 0 { self.below(30) } else { 0 };
            for _ in 0..directives {
                text.push_str(self.pick(&[" @include(if: true)", " @skip(if: $v)", " @d(a: [{ b: $v }])"]));
            }
            text.push(' ');
            if !inner.is_empty() {
                self.selection(text, inner, depth - 1);
            }
        }
        text.push_str("} ");
    }

    fn document(&mut self) -> String {
        self.is_faulty = self.below(2) == 0;
        let fragments = if self.below(3) == 0 { 1 + self.below(8) } else { 0 };
        let kinds = ["query ($v: ID!) ", "query Q($v: ID!, $w: [[Int]] = [[1]]) ", "subscription ", "mutation "];
        let mut text = if self.is_faulty { self.pick(&kinds) } else { kinds[0] }.to_owned();
        let spreads = repeat(fragments, |n| format!("...f{n}"));
        write!(text, "{{ first: node(id: $v) {{ id }} {spreads} ... ").unwrap();
        let depth = 1 + self.below(9);
        self.selection(&mut text, "Query", depth);
        text.push('}');
        for fragment in 0..fragments {
            let on =
                if self.is_faulty { self.pick(&["Query", "Project", "Node", "__Type", "Nothing"]) } else { "Query" };
            write!(text, " fragment f{fragment} on {on} ").unwrap();
            let depth = self.below(3);
            self.selection(&mut text, on, depth);
        }
        if self.is_faulty && self.below(4) == 0 {
            let at = self.below(text.len());
            text.insert_str(at, self.pick(&["{", "}", "(", "\"", "\"\"\"", "...", "$", "[[[[", "#"]));
        }
        text
    }

    fn variables(&mut self) -> Value {
        match self.below(12) {
            0 => json!({}),
            1 => json!({ "v": "x".repeat(self.below(5000)) }),
            2 => json!({ "v": ids(self.below(2000)) }),
            3 => json!({ "v": serde_json::from_str::<Value>(&nested(self.below(110), "[", "1", "]")).unwrap() }),
            _ => json!({ "v": "project:1" }),
        }
    }
}

/// Checks the response to a document. Returns the code of its first error.
fn check(index: usize, document: &str, response: &Value) -> Option<String> {
    let errors = response["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    assert!(errors.len() <= 100, "{index}: {document}");
    for error in errors {
        assert_ne!(error["extensions"]["code"], "INTERNAL", "{index}: {error} for {document}");
        assert!(error["message"].as_str().unwrap().chars().count() <= 1001, "{index}: {error}");
    }
    errors.first().map(|error| error["extensions"]["code"].as_str().unwrap().to_owned())
}

/// The first response to a document over a socket; none if it only completes.
async fn over_socket(socket: &mut Socket, id: &str, document: &str, variables: &Value) -> Value {
    socket.subscribe(id, document, variables.clone()).await;
    let mut first = Value::Null;
    loop {
        let message = socket.json().await;
        match message["type"].as_str().unwrap() {
            "next" => first = message["payload"].clone(),
            "error" => return json!({ "errors": message["payload"] }),
            "complete" => return first,
            other => panic!("{other} for {document}"),
        }
    }
}

#[tokio::test]
async fn generated_document_is_answered_or_refused_on_every_transport() {
    let service = Setup::new().database(sample_database(Database::fresh()).await).start().await;
    let mut socket = Socket::open(service.client()).await;
    let mut random = Random { state: 0x2545_F491_4F6C_DD1D, is_faulty: false, aliases: 0 };
    let (mut data, mut limited, mut wrong) = (0, 0, 0);
    for index in 0..300 {
        let (document, variables) = (random.document(), random.variables());
        let answer = service.graphql(&document, variables.clone()).await;
        assert!([200, 400].contains(&answer.status), "{index}: {} for {document}", answer.status);
        assert!(answer.body.len() < 8 << 20, "{index}: {document}");
        let response = answer.json();
        let code = check(index, &document, &response);
        match code.as_deref() {
            None => data += 1,
            Some("LIMIT_EXCEEDED") => limited += 1,
            Some(_) => wrong += 1,
        }
        if index % 6 == 0 {
            let first = over_socket(&mut socket, &index.to_string(), &document, &variables).await;
            assert_eq!(check(index, &document, &first), code, "{index}: {document}");
            let mut stream = EventStream::open(EventStream::request(service.client(), &document, variables)).await;
            assert_eq!(check(index, &document, &stream.response().await.data), code, "{index}: {document}");
        }
    }
    assert!(data > 10 && limited > 30 && wrong > 30, "{data} answered, {limited} over a limit, {wrong} wrong");
    service.query("{ headCursor }").await;
    service.stop().await;
}
