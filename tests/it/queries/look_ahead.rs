//! Only the selected columns are read, so each field alone must give the same as among all others:
//! for every type and every path to it. The fields come from the schema.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use simulator::office::every_event;

use crate::harness::{Service, Setup, envelope, fixture, insert_files};

/// The fields of each type: the name, the name of its type, and whether that type has fields.
type Types = BTreeMap<String, Vec<(String, String, bool)>>;

async fn types(service: &Service) -> Types {
    let query = "{ __schema { types { kind name fields { name type { ...type } } } } }
        fragment type on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";
    let data = service.query(query).await;
    let mut types = Types::new();
    for definition in data["__schema"]["types"].as_array().unwrap() {
        let mut fields = Vec::new();
        for field in definition["fields"].as_array().into_iter().flatten() {
            let mut inner = &field["type"];
            while inner["name"].is_null() {
                inner = &inner["ofType"];
            }
            let composite = ["OBJECT", "INTERFACE"].contains(&inner["kind"].as_str().unwrap());
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            fields.push((text(&field["name"]), text(&inner["name"]), composite));
        }
        types.insert(definition["name"].as_str().unwrap().to_owned(), fields);
    }
    types
}

/// Selections of one field each. A field that has fields gives one selection for each of them.
fn single_field_selections(types: &Types, type_name: &str, depth: usize) -> Vec<String> {
    let mut selections = Vec::new();
    for (name, inner, composite) in &types[type_name] {
        if !composite {
            selections.push(name.clone());
        } else if inner.ends_with("Connection") {
            selections.push(format!("{name}(first: 2) {{ totalCount }}"));
            selections.push(format!("{name}(first: 2) {{ nodes {{ id }} }}"));
            selections.push(format!("{name}(first: 2) {{ edges {{ cursor }} }}"));
        } else if depth > 0 {
            selections.extend(
                single_field_selections(types, inner, depth - 1).iter().map(|inner| format!("{name} {{ {inner} }}")),
            );
        } else {
            selections.push(format!("{name} {{ __typename }}"));
        }
    }
    selections
}

/// A selection of all fields.
fn full_selection(types: &Types, type_name: &str, depth: usize) -> String {
    let mut selection = String::new();
    for (name, inner, composite) in &types[type_name] {
        selection.push_str(&if !composite {
            format!("{name} ")
        } else if inner.ends_with("Connection") {
            format!("{name}(first: 2) {{ totalCount nodes {{ id }} edges {{ cursor }} }} ")
        } else if depth > 0 {
            format!("{name} {{ {} }} ", full_selection(types, inner, depth - 1))
        } else {
            format!("{name} {{ __typename }} ")
        });
    }
    selection
}

/// Whether all of `part` is in `whole`, with the same values.
fn is_part(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().all(|(name, value)| whole.get(name).is_some_and(|whole| is_part(value, whole)))
        }
        (Value::Array(part), Value::Array(whole)) => {
            part.len() == whole.len() && part.iter().zip(whole).all(|(part, whole)| is_part(part, whole))
        }
        (part, whole) => part == whole,
    }
}

/// A service with every event of the simulator, and with deliveries of every outcome.
async fn sample_service() -> Service {
    let setup = Setup::new().with(|settings| settings.files.store = Some("off".to_owned()));
    let service = setup.start().await;
    for hook in every_event(7) {
        drop(service.deliver(&hook).await);
    }
    for (vendor, body) in [
        ("bidsketch", fixture("bidsketch/client_created.json")),
        ("arcsite", fixture("arcsite/project_created.json")),
        ("arcsite", fixture("arcsite/drawing_created.json")),
        ("bidsketch", fixture("bidsketch/proposal_accepted.json")),
        ("arcsite", fixture("arcsite/proposal_approved.json")),
        ("arcsite", fixture("arcsite/payment_marked.json")),
        ("arcsite", format!("{} ", fixture("arcsite/project_created.json"))),
        ("arcsite", envelope("moon.risen", r#"{"id":1}"#)),
        ("arcsite", envelope("project.created", "{}")),
        ("bidsketch", "wrong".to_owned()),
    ] {
        service.post(&format!("/webhooks/{vendor}"), body).await.receipt();
    }
    // Files are recorded by hand, so that nothing fetches them while their fields are compared.
    let database = service.stop().await;
    insert_files(&database).await;
    let folder = database.directory().join("files").to_str().unwrap().to_owned();
    let setup = Setup::new().database(database).with(|settings| {
        settings.graphql.max_complexity = usize::MAX;
        settings.graphql.max_depth = 100;
        settings.files.store = Some(folder);
    });
    setup.start().await
}

/// The fields without a value in any list. A field that is null everywhere proves nothing, so there
/// must be no others. A quarantined delivery has no event yet; the deliveries below events have
/// theirs.
const ALWAYS_EMPTY: [&str; 1] = ["Delivery.event"];

/// Whether any object in `value` has a value in this field.
fn has_value(value: &Value, field: &str) -> bool {
    match value {
        Value::Object(fields) => {
            fields.get(field).is_some_and(|value| !value.is_null() && *value != json!([]) && *value != json!(""))
                || fields.values().any(|value| has_value(value, field))
        }
        Value::Array(values) => values.iter().any(|value| has_value(value, field)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[tokio::test]
async fn field_of_every_type_has_a_value_somewhere() {
    let service = sample_service().await;
    let types = types(&service).await;
    let mut empty = Vec::new();
    for (list, type_name) in LISTS.into_iter().chain([("events", "ProposalEvent")]) {
        let on = format!("... on {type_name} {{ {} }}", full_selection(&types, type_name, 0));
        let data = service.query(&format!("{{ {list}(first: 100) {{ nodes {{ {on} }} }} }}")).await;
        let fields = types[type_name].iter().filter(|(name, _, _)| !has_value(&data, name));
        empty.extend(fields.map(|(name, _, _)| format!("{type_name}.{name}")));
    }
    assert_eq!(empty, ALWAYS_EMPTY);
    service.stop().await;
}

/// Runs `query` with each field alone in place of `FIELDS`, and compares it with all fields at
/// once.
async fn check(service: &Service, types: &Types, query: &str, type_name: &str, depth: usize) {
    let fields = |selection: &str| query.replace("FIELDS", selection);
    let whole = service.query(&fields(&full_selection(types, type_name, depth))).await;
    let text = whole.to_string();
    assert!(text.contains("\"id\""), "{query} finds nothing: {text}");
    for single in single_field_selections(types, type_name, depth) {
        let alone = service.query(&fields(&single)).await;
        assert!(is_part(&alone, &whole), "{query}: {single} alone gives {alone:#}\nand with all fields {whole:#}");
    }
}

const LISTS: [(&str, &str); 7] = [
    ("projects", "Project"),
    ("drawings", "Drawing"),
    ("clients", "Client"),
    ("proposals", "Proposal"),
    ("payments", "Payment"),
    ("deliveries", "Delivery"),
    ("quarantinedDeliveries", "Delivery"),
];

const EVENTS: [&str; 5] = ["ProjectEvent", "DrawingEvent", "ClientEvent", "ProposalEvent", "UnrecognizedEvent"];

#[tokio::test]
async fn list_node_field_alone_gives_the_same() {
    let service = sample_service().await;
    let types = types(&service).await;
    for (list, type_name) in LISTS {
        check(&service, &types, &format!("{{ {list}(first: 10) {{ nodes {{ FIELDS }} }} }}"), type_name, 1).await;
        check(&service, &types, &format!("{{ {list}(first: 10) {{ edges {{ node {{ FIELDS }} }} }} }}"), type_name, 0)
            .await;
        let spread = format!(
            "{{ {list}(last: 10) {{ ...page }} }} fragment page on {} {{ nodes {{ ...node }} }}
            fragment node on {type_name} {{ ... on Node {{ ... on {type_name} {{ FIELDS }} }} }}",
            match type_name {
                "Delivery" => "DeliveryConnection".to_owned(),
                type_name => format!("{type_name}Connection"),
            }
        );
        check(&service, &types, &spread, type_name, 0).await;
    }
    service.stop().await;
}

#[tokio::test]
async fn event_field_alone_gives_the_same() {
    let service = sample_service().await;
    let types = types(&service).await;
    for type_name in EVENTS {
        check(
            &service,
            &types,
            &format!("{{ events(first: 100) {{ nodes {{ ... on {type_name} {{ FIELDS }} }} }} }}"),
            type_name,
            1,
        )
        .await;
        check(
            &service,
            &types,
            &format!("{{ eventFeed {{ events {{ ... on {type_name} {{ FIELDS }} }} }} }}"),
            type_name,
            0,
        )
        .await;
        let below = format!(
            "{{ projects {{ nodes {{ id events {{ edges {{ node {{ ... on {type_name} {{ FIELDS }} }} }} }} }} }} }}"
        );
        check(&service, &types, &below, type_name, 0).await;
    }
    check(&service, &types, "{ events(first: 100) { nodes { FIELDS } } }", "Event", 1).await;
    let below =
        "{ clients { nodes { id events { nodes { FIELDS } } } } proposals { nodes { events { nodes { FIELDS } } } }
        drawings { nodes { events { nodes { FIELDS } } } } }";
    check(&service, &types, below, "Event", 0).await;
    service.stop().await;
}

#[tokio::test]
async fn node_field_alone_gives_the_same() {
    let service = sample_service().await;
    let types = types(&service).await;
    let data = service
        .query(
            "{ projects { nodes { id } } drawings { nodes { id } } clients { nodes { id } } proposals { nodes { id payments { id } } }
               events(first: 100) { nodes { __typename id deliveries { id } } } quarantinedDeliveries { nodes { id } } }",
        )
        .await;
    let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
    collect_ids(&data, &mut ids);
    for (type_name, kind) in [
        ("Project", "project"),
        ("Drawing", "drawing"),
        ("Client", "client"),
        ("Proposal", "proposal"),
        ("Payment", "payment"),
        ("Delivery", "delivery"),
    ] {
        let ids = json!(ids[kind]).to_string();
        check(
            &service,
            &types,
            &format!("{{ nodes(ids: {ids}) {{ ... on {type_name} {{ FIELDS }} }} }}"),
            type_name,
            1,
        )
        .await;
    }
    for type_name in EVENTS {
        let ids = json!(ids["event"]).to_string();
        check(
            &service,
            &types,
            &format!("{{ nodes(ids: {ids}) {{ ... on {type_name} {{ FIELDS }} }} }}"),
            type_name,
            0,
        )
        .await;
    }
    let first = |kind: &str| ids[kind][0].clone();
    for (type_name, kind) in
        [("Project", "project"), ("Proposal", "proposal"), ("Payment", "payment"), ("Delivery", "delivery")]
    {
        let query = format!("{{ node(id: {:?}) {{ id ... on {type_name} {{ FIELDS }} }} }}", first(kind));
        check(&service, &types, &query, type_name, 0).await;
    }
    service.stop().await;
}

/// Groups the ids by the part before their first colon.
fn collect_ids(value: &Value, ids: &mut BTreeMap<String, Vec<String>>) {
    match value {
        Value::Object(fields) => {
            if let Some(id) = fields.get("id").and_then(Value::as_str) {
                let group = ids.entry(id.split_once(':').unwrap().0.to_owned()).or_default();
                if !group.iter().any(|known| known == id) && group.len() < 100 {
                    group.push(id.to_owned());
                }
            }
            fields.values().for_each(|value| collect_ids(value, ids));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_ids(value, ids)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn nested_field_alone_gives_the_same() {
    let service = sample_service().await;
    let types = types(&service).await;
    for (query, type_name) in [
        ("{ projects { nodes { id drawings { nodes { FIELDS } } } } }", "Drawing"),
        ("{ projects { nodes { id proposals { edges { node { FIELDS } } } } } }", "Proposal"),
        ("{ clients { nodes { id proposals { nodes { FIELDS } } } } }", "Proposal"),
        ("{ drawings { nodes { id project { FIELDS } } } }", "Project"),
        ("{ proposals { nodes { id project { FIELDS } } } }", "Project"),
        ("{ proposals { nodes { id client { FIELDS } } } }", "Client"),
        ("{ proposals { nodes { id payments { FIELDS } } } }", "Payment"),
        ("{ events(first: 100) { nodes { id deliveries { FIELDS } } } }", "Delivery"),
        ("{ quarantinedDeliveries { nodes { id event { FIELDS } } } }", "Event"),
        ("{ events(first: 100) { nodes { id ... on ProposalEvent { payment { FIELDS } } } } }", "Payment"),
        ("{ events(first: 100) { nodes { id ... on ProposalEvent { proposal { FIELDS } } } } }", "Proposal"),
        ("{ events(first: 100) { nodes { id ... on ProjectEvent { project { FIELDS } } } } }", "Project"),
        ("{ payments { nodes { id proposal { FIELDS } } } }", "Proposal"),
        (r#"{ search(text: "a", first: 50) { ... on Node { id } ... on Project { FIELDS } } }"#, "Project"),
        (r#"{ search(text: "a", first: 50) { ... on Node { id } ... on Client { FIELDS } } }"#, "Client"),
        (r#"{ search(text: "a", first: 50) { ... on Node { id } ... on Proposal { FIELDS } } }"#, "Proposal"),
        (r#"{ search(text: "a", first: 50) { ... on Node { id } ... on Drawing { FIELDS } } }"#, "Drawing"),
    ] {
        check(&service, &types, query, type_name, 0).await;
    }
    service.stop().await;
}

/// The columns that link to other objects are read even if only those objects are selected.
#[tokio::test]
async fn field_selected_twice_is_merged() {
    let service = sample_service().await;
    let data = service
        .query(
            "{ a: proposals { nodes { client { name } client { email } project { name } project { jobNumber } } }
               b: proposals { nodes { client { name email } project { name jobNumber } } } }",
        )
        .await;
    assert_eq!(data["a"], data["b"]);
    service.stop().await;
}
