//! One table of hostile documents, each with its answer.

use reqwest::Method;
use serde_json::{Value, json};

use super::Answer::{self, Data, Limit, Wrong};
use super::{assert_answer, ids, is_answer, nested, repeat, shown};
use crate::harness::{Database, EventStream, HttpResponse, PartStream, Service, Setup, Socket, sample_database};

/// Fragments that each spread the next one, `spreads` times.
fn chain(length: usize, spreads: usize) -> String {
    repeat(length, |level| {
        let spread = format!("...f{} ", level + 1).repeat(spreads);
        format!("fragment f{level} on Query {{ {spread} }}")
    }) + &format!(" fragment f{length} on Query {{ headCursor }}")
}

/// The introspection query that GraphQL.js makes with all options.
const GRAPHQL_JS: &str = "query IntrospectionQuery { __schema { description queryType { name kind } mutationType { name kind }
    subscriptionType { name kind } types { ...FullType }
    directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } } } }
  fragment FullType on __Type { kind name description specifiedByURL isOneOf
    fields(includeDeprecated: true) { name description args(includeDeprecated: true) { ...InputValue } type { ...TypeRef }
      isDeprecated deprecationReason }
    inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef }
    enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
  fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
  fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
    ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";

/// The introspection of Apollo's tools, whose types are nested seven deep and written out.
const APOLLO: &str =
    "query IntrospectionQuery { __schema { queryType { name } mutationType { name } subscriptionType { name }
    types { __typename kind name description fields(includeDeprecated: true) { __typename name description
        args { __typename name description type { ...R } defaultValue } type { ...R } isDeprecated deprecationReason }
      inputFields { __typename name description type { ...R } defaultValue } interfaces { ...R }
      enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...R } }
    directives { name description locations args { name description type { ...R } defaultValue } } } }
  fragment R on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType {
    kind name ofType { kind name ofType { kind name } } } } } } } }";

/// What Relay's compiler and code generators read.
const RELAY: &str = "query { __schema { types { kind name possibleTypes { name } interfaces { name }
    fields(includeDeprecated: true) { name args { name type { kind name ofType { kind name ofType { kind name } } } }
      type { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }
    inputFields { name type { kind name ofType { kind name ofType { kind name } } } } enumValues { name } } } }";

/// A level of introspection that leads back to types by four ways.
fn types_of_types(levels: usize) -> String {
    let open = "fields { args { type { ofType { name } } } type { ofType { ofType { ";
    format!("{{ __schema {{ types {{ {} }} }} }}", nested(levels, open, "name", " } } } }"))
}

/// The requests: a name, the document, the variables, and the answer.
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn requests() -> Vec<(&'static str, String, Value, Answer)> {
    let none = json!({});
    let release = |n: usize| {
        format!("m{n}: releaseQuarantinedDelivery(input: {{ id: \"delivery:1{n}\" }}) {{ userErrors {{ code }} }}")
    };
    let nodes = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    vec![
        ("introspection of GraphQL.js", GRAPHQL_JS.into(), none.clone(), Data),
        ("introspection of Apollo", APOLLO.into(), none.clone(), Data),
        ("introspection of Relay", RELAY.into(), none.clone(), Data),
        ("introspection once nested", types_of_types(1), none.clone(), Data),
        ("introspection nested", types_of_types(4), none.clone(), Data),
        ("introspection nested deep", types_of_types(6), none.clone(), Limit("max_depth")),
        (
            "introspection nested flat",
            format!("{{ __schema {{ types {{ {} }} }} }}", {
                let one = |n| format!("a{n}: fields {{ type {{ ofType {{ fields {{ type {{ name }} }} }} }} }}");
                repeat(60, one)
            }),
            none.clone(),
            Limit("max_complexity"),
        ),
        (
            "introspection by many aliases",
            format!(
                "{{ {} }}",
                repeat(90, |n| format!("a{n}: __schema {{ types {{ name description fields {{ name }} }} }}"))
            ),
            none.clone(),
            Limit("max_complexity"),
        ),
        (
            "introspection of one type by a variable",
            "query ($t: String!) { __type(name: $t) { possibleTypes { fields { type { possibleTypes { fields { type { \
             possibleTypes { fields { name } } } } } } } } } }"
                .into(),
            json!({ "t": "Node" }),
            Data,
        ),
        ("25 mutations by alias", format!("mutation {{ {} }}", repeat(25, release)), none.clone(), Data),
        (
            "101 mutations by alias",
            format!("mutation {{ {} }}", repeat(101, release)),
            none.clone(),
            Limit("max_root_fields"),
        ),
        (
            "root fields in fragments",
            format!("{{ ...R ...R }} fragment R on Query {{ {} }}", repeat(60, |n| format!("a{n}: headCursor"))),
            none.clone(),
            Limit("max_root_fields"),
        ),
        (
            "6000 chained fragments",
            format!("{{ ...f0 }} {}", chain(6000, 1)),
            none.clone(),
            Limit("max_document_bytes"),
        ),
        ("1700 chained fragments", format!("{{ ...f0 }} {}", chain(1700, 1)), none.clone(), Limit("max_tokens")),
        ("600 chained fragments", format!("{{ ...f0 }} {}", chain(600, 1)), none.clone(), Limit("max_fragments")),
        ("400 chained fragments", format!("{{ ...f0 }} {}", chain(400, 1)), none.clone(), Limit("max_nesting")),
        ("40 chained fragments", format!("{{ ...f0 }} {}", chain(40, 1)), none.clone(), Data),
        (
            "chained fragments not spread",
            format!("{{ headCursor }} {}", chain(400, 1)),
            none.clone(),
            Limit("max_nesting"),
        ),
        ("fragments that double", format!("{{ ...f0 }} {}", chain(60, 2)), none.clone(), Limit("max_fields")),
        (
            "fragments that double and are not spread",
            format!("{{ headCursor }} {}", chain(60, 2)),
            none.clone(),
            Limit("max_fields"),
        ),
        (
            "a ring of fragments",
            format!("{{ ...f0 }} {}", repeat(400, |n| format!("fragment f{n} on Query {{ ...f{} }}", (n + 1) % 400))),
            none.clone(),
            Wrong("spreads itself"),
        ),
        (
            "a ring of fragments not spread",
            format!(
                "{{ headCursor }} {}",
                repeat(400, |n| format!("fragment f{n} on Query {{ ...f{} }}", (n + 1) % 400))
            ),
            none.clone(),
            Wrong("spreads itself"),
        ),
        (
            "5000 fragments not spread",
            format!("{{ headCursor }} {}", repeat(5000, |n| format!("fragment f{n} on Query{{a}}"))),
            none.clone(),
            Limit("max_document_bytes"),
        ),
        (
            "499 fragments not spread",
            format!("{{ headCursor }} {}", repeat(499, |n| format!("fragment f{n} on Query {{ headCursor }}"))),
            none.clone(),
            Wrong("is never used"),
        ),
        (
            "fields of fragments not spread",
            format!(
                "{{ headCursor }} {}",
                repeat(100, |n| format!("fragment f{n} on Query {{ {} }}", "headCursor ".repeat(30)))
            ),
            none.clone(),
            Limit("max_fields"),
        ),
        (
            "nested inline fragments",
            format!("{{ {} }}", nested(70, "... { ", "headCursor", " }")),
            none.clone(),
            Limit("max_nesting"),
        ),
        (
            "nested inline fragments within the limit",
            format!("{{ {} }}", nested(45, "... { ", "headCursor", " }")),
            none.clone(),
            Data,
        ),
        ("nested fields", nested(40, "{ a ", "", "}"), none.clone(), Limit("max_depth")),
        ("deep fields", nested(25, "{ a ", "{ b }", "}"), none.clone(), Limit("max_depth")),
        ("60000 nested selections", "{a".repeat(60_000), none.clone(), Limit("max_nesting")),
        ("60000 nested objects", format!("{{ a(x: {} }}", "{a:".repeat(43_000)), none.clone(), Limit("max_nesting")),
        ("60000 nested lists", format!("{{ a(x: {} }}", "[".repeat(60_000)), none.clone(), Limit("max_nesting")),
        (
            "nested lists in a type",
            format!("query ($x: {}) {{ a }}", nested(60_000, "[", "Int", "]")),
            none.clone(),
            Limit("max_nesting"),
        ),
        ("closing brackets alone", "}".repeat(9000), none.clone(), Wrong("cannot be parsed")),
        (
            "a comment of 200 KB",
            format!("{{ headCursor }} #{}", "x".repeat(200_000)),
            none.clone(),
            Limit("max_document_bytes"),
        ),
        ("commas alone", format!("{{ headCursor {} }}", ",".repeat(100_000)), none.clone(), Data),
        ("points alone", ".".repeat(100_000), none.clone(), Wrong("cannot be parsed")),
        ("a long name", format!("{{ {} }}", "x".repeat(100_000)), none.clone(), Limit("max_name_letters")),
        ("a long alias", format!("{{ {}: headCursor }}", "x".repeat(101)), none.clone(), Limit("max_name_letters")),
        ("an alias of 100 letters", format!("{{ {}: headCursor }}", "x".repeat(100)), none.clone(), Data),
        (
            "a long text",
            format!("{{ node(id: \"{}\") {{ id }} }}", "x".repeat(100_000)),
            none.clone(),
            Wrong("node id"),
        ),
        ("5000 fields", format!("{{ {} }}", "headCursor ".repeat(5000)), none.clone(), Limit("max_fields")),
        ("2000 equal fields", format!("{{ {} }}", "headCursor ".repeat(100)), none.clone(), Data),
        (
            "1000 aliases",
            format!("{{ projects {{ {} }} }}", repeat(1000, |n| format!("a{n}: totalCount"))),
            none.clone(),
            Limit("max_aliases"),
        ),
        (
            "1000 directives",
            format!("{{ headCursor {} }}", "@include(if: true) ".repeat(1000)),
            none.clone(),
            Limit("max_directives"),
        ),
        (
            "400 directives on a field",
            format!("{{ headCursor {} }}", "@include(if: true) ".repeat(400)),
            none.clone(),
            Wrong("Duplicate directive"),
        ),
        (
            "400 unknown directives",
            format!("{{ headCursor {} }}", repeat(400, |n| format!("@d{n}"))),
            none.clone(),
            Wrong("Unknown directive"),
        ),
        (
            "many directives on a variable",
            format!("query ($a: Int {}) {{ projects(first: $a) {{ totalCount }} }}", "@d ".repeat(1000)),
            none.clone(),
            Limit("max_directives"),
        ),
        (
            "arguments of a field",
            format!("{{ projects({}) {{ totalCount }} }}", repeat(1000, |n| format!("a{n}: 1"))),
            none.clone(),
            Limit("max_arguments"),
        ),
        (
            "arguments of a directive",
            format!("{{ headCursor @include({}) }}", "if: true ".repeat(1000)),
            none.clone(),
            Limit("max_arguments"),
        ),
        (
            "conflicting names",
            format!("{{ {} }}", repeat(400, |n| format!("projects(first: {n}) {{ totalCount }}"))),
            none.clone(),
            Limit("max_root_fields"),
        ),
        (
            "conflicting names below the root",
            format!(
                "{{ projects {{ nodes {{ {} }} }} }}",
                repeat(300, |n| format!("x: drawings(first: {n}) {{ totalCount }}"))
            ),
            none.clone(),
            Wrong("differ in field or arguments"),
        ),
        (
            "equal names that merge",
            format!("{{ {} }}", "projects(first: 1) { nodes { id drawings(first: 1) { nodes { id } } } } ".repeat(90)),
            none.clone(),
            Data,
        ),
        (
            "fields that merge on many types",
            format!("{{ node(id: \"project:1\") {{ {} }} }}", merged_types(5)),
            none.clone(),
            Limit("max_fields"),
        ),
        ("1001 ids in a variable", nodes.into(), json!({ "ids": ids(1001) }), Limit("max_list_items")),
        ("101 ids in a variable", nodes.into(), json!({ "ids": ids(101) }), Wrong("at most 100")),
        ("100 ids in a variable", nodes.into(), json!({ "ids": ids(100) }), Data),
        (
            "1001 ids in the document",
            format!("{{ nodes(ids: [{}]) {{ id }} }}", repeat(1001, |n| format!("\"project:{n}\""))),
            none.clone(),
            Limit("max_list_items"),
        ),
        (
            "1001 ids by default",
            format!("query ($ids: [ID!]! = [{}]) {{ nodes(ids: $ids) {{ id }} }}", repeat(1001, |n| n.to_string())),
            none.clone(),
            Limit("max_list_items"),
        ),
        (
            "a large list used often",
            format!("query ($ids: [ID!]!) {{ {} }}", repeat(90, |n| format!("a{n}: nodes(ids: $ids) {{ id }}"))),
            json!({ "ids": ids(1000) }),
            Limit("max_value_bytes"),
        ),
        (
            "a long text used often",
            format!("query ($id: ID!) {{ {} }}", repeat(90, |n| format!("a{n}: node(id: $id) {{ id }}"))),
            json!({ "id": "x".repeat(100_000) }),
            Limit("max_value_bytes"),
        ),
        (
            "a list nested in a variable",
            nodes.into(),
            json!({ "ids": serde_json::from_str::<Value>(&nested(100, "[", "1", "]")).unwrap() }),
            Limit("max_nesting"),
        ),
        (
            "an object nested in a variable that is not declared",
            "{ headCursor }".into(),
            json!({ "x": serde_json::from_str::<Value>(&nested(100, "{\"a\":", "1", "}")).unwrap() }),
            Limit("max_nesting"),
        ),
        (
            "variables that are not declared",
            "{ headCursor }".into(),
            (0..5000).map(|n| (format!("v{n}"), json!(n))).collect::<serde_json::Map<_, _>>().into(),
            Data,
        ),
        (
            "1000 variables",
            format!("query ({}) {{ headCursor }}", repeat(1000, |n| format!("$a{n}: Int"))),
            none.clone(),
            Wrong("is not used"),
        ),
        (
            "pages in pages",
            format!(
                "{{ projects(first: 100) {{ nodes {{ {} }} }} }}",
                nested(5, "proposals(first: 100) { nodes { project { ", "id", " } } }")
            ),
            none.clone(),
            Limit("max_complexity"),
        ),
        (
            "lists of an interface",
            "{ events(first: 100) { nodes { deliveries { id outcome receivedAt headers { name value } } } } }".into(),
            none.clone(),
            Limit("max_complexity"),
        ),
        (
            "pages of an interface",
            "{ events(first: 100) { nodes { deliveryConnection(first: 100) { nodes { id outcome reason receivedAt provider } } } } }"
                .into(),
            none.clone(),
            Limit("max_complexity"),
        ),
        (
            "lists of an interface in a fragment",
            "{ events(first: 40) { nodes { ...E } } } fragment E on Event { id deliveries { id outcome } }".into(),
            none.clone(),
            Data,
        ),
        (
            "pages whose cost overflows",
            format!(
                "{{ {} }}",
                repeat(3, |n| format!(
                    "a{n}: projects(first: 100) {{ nodes {{ {} }} }}",
                    nested(5, "proposals(first: 100) { nodes { project { ", "id", " } } }")
                ))
            ),
            none.clone(),
            Limit("max_complexity"),
        ),
        (
            "100 unknown fields",
            format!("{{ {} }}", repeat(99, |n| format!("{}{n}", "x".repeat(80)))),
            none.clone(),
            Wrong("Unknown field"),
        ),
        ("1500 operations", repeat(1500, |n| format!("query q{n} {{ a }}")), none.clone(), Wrong("several operations")),
        (
            "an unterminated text",
            format!("{{ a(x: \"{}", "\\\"".repeat(50_000)),
            none.clone(),
            Wrong("cannot be parsed"),
        ),
        (
            "an unterminated block",
            format!("{{ a(x: \"\"\"{}", "\\\"\"\"".repeat(30_000)),
            none.clone(),
            Wrong("cannot be parsed"),
        ),
        (
            "descriptions of variables",
            format!("query ({}) {{ headCursor }}", repeat(1500, |n| format!("\"\\u{{41}}\" $a{n}: Int"))),
            none,
            Wrong("is not used"),
        ),
    ]
}

/// Selections that merge on each type of object, and again below.
fn merged_types(depth: usize) -> String {
    let below = if depth == 0 {
        "id".to_owned()
    } else {
        format!("client {{ proposals {{ nodes {{ {} }} }} }}", merged_types(depth - 1))
    };
    repeat(3, |_| format!("... on Proposal {{ {below} }}"))
}

#[tokio::test]
async fn request_of_the_table_is_answered_or_refused_by_its_limit() {
    let service = Setup::new().database(sample_database(Database::fresh()).await).start().await;
    let requests = requests();
    assert!(requests.len() > 60);
    let mut others = Vec::new();
    for (name, document, variables, expected) in requests {
        let answer = service.graphql(&document, variables).await;
        assert!([200, 400].contains(&answer.status), "{name}: {}", answer.status);
        if !is_answer(&answer.json(), expected) {
            others.push(format!("{name}: {expected:?} expected; {}", shown(&answer.json())));
        }
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
    service.query("{ headCursor }").await;
    service.stop().await;
}

#[tokio::test]
async fn limit_holds_on_every_transport() {
    let service = Service::open().await;
    let aliases = repeat(1000, |n| format!("a{n}: id"));
    let bodies = [
        (format!("{{ projects {{ nodes {{ {aliases} }} }} }}"), Limit("max_aliases")),
        (format!("subscription {{ events {{ {aliases} }} }}"), Limit("max_aliases")),
        (
            format!("subscription {{ ...f0 }} {}", chain(100, 1).replace("on Query", "on Subscription")),
            Limit("max_nesting"),
        ),
        ("{a".repeat(300), Limit("max_nesting")),
    ];
    for (document, expected) in &bodies {
        let variables = || json!({});
        assert_answer("POST", &service.graphql(document, variables()).await.json(), *expected);
        let mut url = reqwest::Url::parse(&format!("{}/graphql", service.base())).unwrap();
        url.query_pairs_mut().append_pair("query", document);
        let get = service.get(url.as_str().strip_prefix(service.base()).unwrap()).await;
        assert_answer("GET", &get.json(), *expected);
        let batch = json!([{ "query": document }, { "query": "{ headCursor }" }]).to_string();
        let batch = service.request(Method::POST, "/graphql").header("content-type", "application/json").body(batch);
        let batch = HttpResponse::of(batch).await.json();
        assert_answer("batch", &batch[0], *expected);
        assert_answer("batch", &batch[1], Data);

        let mut stream = EventStream::open(EventStream::request(service.client(), document, variables())).await;
        assert_answer("event stream", &stream.response().await.data, *expected);
        stream.assert_completes().await;
        let only_parts = PartStream::request(service.client(), document, variables());
        assert_answer("parts or JSON", &HttpResponse::of(only_parts).await.json(), *expected);

        let mut socket = Socket::open(service.client()).await;
        socket.subscribe("1", document, variables()).await;
        let error = socket.json().await;
        assert_eq!(error["type"], "error", "{error}");
        assert_answer("socket", &json!({ "errors": error["payload"] }), *expected);
        let mut socket = Socket::connect_to(service.client(), "/graphql/ws", "graphql-ws", &[]).await;
        socket.init(None).await;
        assert_eq!(socket.json().await["type"], "connection_ack");
        assert_eq!(socket.json().await["type"], "ka");
        socket.send(json!({ "id": "1", "type": "start", "payload": { "query": document } })).await;
        let error = socket.json().await;
        assert_eq!(error["type"], "error", "{error}");
        let first = if error["payload"].is_array() { error["payload"].clone() } else { json!([error["payload"]]) };
        assert_answer("older socket", &json!({ "errors": first }), *expected);
    }
    service.stop().await;
}

#[tokio::test]
async fn introspection_that_is_off_is_refused_and_the_rest_answered() {
    let service =
        Setup::new().with(|settings| settings.graphql.introspection = bidarc::config::Introspection::Off).start().await;
    for query in [
        "{ __schema { queryType { name } } }",
        "{ a: __type(name: \"Query\") { name } }",
        "{ ...F } fragment F on Query { ... { __schema { description } } }",
        GRAPHQL_JS,
    ] {
        let error = service.query_error(query).await;
        assert_eq!(error["extensions"]["code"], "FORBIDDEN", "{query}: {error}");
        assert!(error["message"].as_str().unwrap().contains("graphql.introspection"), "{error}");
    }
    service.query("{ __typename projects { __typename } }").await;
    service.stop().await;
}

/// The greatest limits of nesting that can be set leave enough stack.
#[tokio::test]
async fn document_within_the_greatest_limits_is_answered() {
    let service = Setup::new()
        .with(|settings| {
            let graphql = &mut settings.graphql;
            (graphql.max_nesting, graphql.max_depth, graphql.max_complexity) = (64, 64, 10_000_000);
        })
        .start()
        .await;
    let inline = format!("{{ {} }}", nested(63, "... { ", "headCursor", " }"));
    let fragments = format!("{{ ...f0 }} {}", chain(62, 1));
    let fields =
        "query { __schema { queryType { ".to_owned() + &nested(30, "ofType { ofType { ", "name", " } }") + " } } }";
    for document in [inline, fragments, fields] {
        assert_answer("greatest", &service.graphql(&document, json!({})).await.json(), Data);
    }
    let value = format!("{{ nodes(ids: {}) {{ id }} }}", nested(62, "[", "1", "]"));
    assert_answer("value", &service.graphql(&value, json!({})).await.json(), Wrong("must be of type ID"));
    service.stop().await;
}
