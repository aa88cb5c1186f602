//! The filters of the lists: the rows that they select, and `totalCount`.

use chrono::TimeDelta;

use crate::harness::{ManualClock, Pages, Service, Setup, assert_bad_user_input, texts};

/// Checks that each filter selects exactly these rows, in any order. The expected ids come without
/// `prefix`.
async fn check(service: &Service, list: &str, prefix: &str, filters: &[(&str, &[&str])]) {
    for (filter, expected) in filters {
        let filtered = Pages::of(list, "id").with(&format!("filter: {filter}"));
        let ids = texts(&filtered.both_directions(service, 2).await, "id");
        let mut selected: Vec<&str> = ids.iter().map(|id| id.strip_prefix(prefix).unwrap()).collect();
        selected.sort_unstable();
        assert_eq!(selected, *expected, "{list} {filter}");
        let data = service.query(&format!("{{ {list}(first: 0, filter: {filter}) {{ totalCount }} }}")).await;
        assert_eq!(data[list]["totalCount"], expected.len(), "{list} {filter}");
    }
}

/// Names for `nameContains`. [`NAME_FILTERS`] expects indexes of this array.
const NAMES: [&str; 10] =
    ["Ärger im Haus", "ÄRGER", "100% Dach", "1000 Dach", "a_b", "axb", r"c:\d", "Ça va", "", "naïve ça"];

const NAME_FILTERS: [(&str, &[&str]); 15] = [
    (r#"{ nameContains: "ärger" }"#, &["0", "1"]),
    (r#"{ nameContains: "ÄRGER" }"#, &["0", "1"]),
    (r#"{ nameContains: "rGe" }"#, &["0", "1"]),
    (r#"{ nameContains: "ÇA" }"#, &["7", "9"]),
    (r#"{ nameContains: "ça" }"#, &["7", "9"]),
    (r#"{ nameContains: "NAÏVE" }"#, &["9"]),
    (r#"{ nameContains: "naive" }"#, &[]),
    (r#"{ nameContains: "%" }"#, &["2"]),
    (r#"{ nameContains: "0% d" }"#, &["2"]),
    (r#"{ nameContains: "_" }"#, &["4"]),
    (r#"{ nameContains: "A_B" }"#, &["4"]),
    (r#"{ nameContains: "\\" }"#, &["6"]),
    (r#"{ nameContains: ":\\D" }"#, &["6"]),
    (r#"{ nameContains: "'; DROP TABLE project; --" }"#, &[]),
    (r#"{ nameContains: "" }"#, &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]),
];

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

#[tokio::test]
async fn project_filter_selects_and_counts_its_rows() {
    let clock = ManualClock::new();
    let service = Setup::new().clock(&clock).start().await;
    for (id, name) in NAMES.iter().enumerate() {
        // Those without the vendor's time are received from 2026-01-05T15:00:00Z on, a minute
        // apart.
        let times = if id < 5 { format!(r#","created_at":"2025-06-0{}T00:00:00Z""#, id + 1) } else { String::new() };
        let tags = match id {
            0 => r#","tags":["roof","Dach"]"#,
            1 => r#","tags":["roof"]"#,
            2 => r#","tags":[]"#,
            _ => "",
        };
        let number = if id == 3 { r#","job_number":"J-1""# } else { r#","job_number":"j-1""# };
        let data = format!(r#"{{"id":{id},"name":{}{times}{tags}{number}}}"#, quoted(name));
        service.arcsite("project.created", &data).await.accepted();
        clock.advance(TimeDelta::minutes(1));
    }
    check(&service, "projects", "project:", &NAME_FILTERS).await;
    let all: &[&str] = &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    check(
        &service,
        "projects",
        "project:",
        &[
            ("null", all),
            ("{}", all),
            ("{ nameContains: null, tag: null, jobNumber: null, createdFrom: null }", all),
            (r#"{ jobNumber: "J-1" }"#, &["3"]),
            (r#"{ jobNumber: "J" }"#, &[]),
            (r#"{ tag: "roof" }"#, &["0", "1"]),
            (r#"{ tag: "Roof" }"#, &[]),
            (r#"{ tag: "Dach", nameContains: "haus" }"#, &["0"]),
            (r#"{ createdFrom: "2025-06-03T00:00:00Z" }"#, &["2", "3", "4", "5", "6", "7", "8", "9"]),
            (r#"{ createdBefore: "2025-06-03T00:00:00Z" }"#, &["0", "1"]),
            (r#"{ createdFrom: "2025-06-02T00:00:00Z", createdBefore: "2025-06-04T02:00:00+02:00" }"#, &["1", "2"]),
            // Without the vendor's time, `firstSeenAt` counts.
            (r#"{ createdFrom: "2026-01-05T15:07:00Z" }"#, &["7", "8", "9"]),
            (r#"{ createdFrom: "2025-06-05T00:00:00Z", createdBefore: "2026-01-05T15:06:00Z" }"#, &["4", "5"]),
        ],
    )
    .await;
    // Changed tags are found by their current values.
    for (id, tags) in [(0, r#"["attic"]"#), (1, "null"), (2, r#"["roof","roof"]"#)] {
        service.arcsite("project.updated", &format!(r#"{{"id":{id},"tags":{tags}}}"#)).await.accepted();
    }
    service.arcsite("project.updated", r#"{"id":0,"job_number":"J-2"}"#).await.accepted();
    check(
        &service,
        "projects",
        "project:",
        &[
            (r#"{ tag: "roof" }"#, &["2"]),
            (r#"{ tag: "Dach" }"#, &[]),
            (r#"{ tag: "attic" }"#, &["0"]),
            (r#"{ jobNumber: "J-2" }"#, &["0"]),
        ],
    )
    .await;
    let long = "x".repeat(201);
    let error =
        service.query_error(&format!("{{ projects(filter: {{ nameContains: {long:?} }}) {{ totalCount }} }}")).await;
    assert_bad_user_input(&error, "200");
    service.stop().await;
}

#[tokio::test]
async fn drawing_filter_selects_and_counts_its_rows() {
    let service = Service::open().await;
    for (id, name) in NAMES.iter().enumerate() {
        let data = format!(r#"{{"id":{id},"project_id":{},"name":{},"tags":["t{}"]}}"#, id % 2, quoted(name), id % 3);
        service.arcsite("drawing.created", &data).await.accepted();
    }
    check(&service, "drawings", "drawing:", &NAME_FILTERS).await;
    check(
        &service,
        "drawings",
        "drawing:",
        &[
            (r#"{ projectId: "project:1" }"#, &["1", "3", "5", "7", "9"]),
            (r#"{ projectId: "project:2" }"#, &[]),
            (r#"{ tag: "t2" }"#, &["2", "5", "8"]),
            (r#"{ tag: "t2", projectId: "project:1" }"#, &["5"]),
        ],
    )
    .await;
    service.arcsite("drawing.updated", r#"{"id":5,"project_id":0,"tags":["t1"]}"#).await.accepted();
    check(
        &service,
        "drawings",
        "drawing:",
        &[(r#"{ tag: "t2" }"#, &["2", "8"]), (r#"{ tag: "t1", projectId: "project:0" }"#, &["4", "5"])],
    )
    .await;
    let error = service.query_error(r#"{ drawings(filter: { projectId: "1" }) { totalCount } }"#).await;
    assert_bad_user_input(&error, "project:36029621652695040");
    service.stop().await;
}

#[tokio::test]
async fn client_filter_selects_and_counts_its_rows() {
    let service = Service::open().await;
    for (id, name) in NAMES.iter().enumerate() {
        let fields = match id {
            0 => r#","email":"Ärger@Example.com","city":"MÜNCHEN""#,
            1 => r#","email":"b@example.com","city":"München""#,
            2 => r#","email":"xb@example.com","city":"Münch""#,
            3 => r#","email":null,"city":"100%""#,
            _ => "",
        };
        service
            .bidsketch("client_created", &format!(r#"{{"id":{id},"name":{}{fields}}}"#, quoted(name)))
            .await
            .accepted();
    }
    check(&service, "clients", "client:", &NAME_FILTERS).await;
    check(
        &service,
        "clients",
        "client:",
        &[
            (r#"{ email: "ärger@EXAMPLE.com" }"#, &["0"]),
            (r#"{ email: "B@EXAMPLE.COM" }"#, &["1"]),
            (r#"{ email: "%" }"#, &[]),
            (r#"{ email: "" }"#, &[]),
            (r#"{ city: "münchen" }"#, &["0", "1"]),
            (r#"{ city: "MÜNCHEN", email: "b@example.com" }"#, &["1"]),
            (r#"{ city: "100%" }"#, &["3"]),
        ],
    )
    .await;
    service.stop().await;
}

#[tokio::test]
async fn proposal_filter_selects_and_counts_its_rows() {
    let service = Service::open().await;
    for (id, name) in NAMES.iter().enumerate() {
        let data = format!(r#"{{"id":{id},"name":{},"client":{{"id":{}}}}}"#, quoted(name), id % 2);
        service.bidsketch("proposal_created", &data).await.accepted();
    }
    check(&service, "proposals", "proposal:bidsketch:", &NAME_FILTERS).await;
    service.stop().await;

    let service = Service::open().await;
    for (id, fields) in [
        (1, r#""status":"APPROVED","total":999.99,"project_id":7"#),
        (2, r#""status":"PENDING","total":1000,"project_id":7"#),
        (3, r#""status":"VOID","total":10000,"project_id":8"#),
        (4, r#""status":"LOST""#),
    ] {
        service.arcsite("proposal.status_changed", &format!(r#"{{"proposal_id":{id},{fields}}}"#)).await.accepted();
    }
    for (id, fields) in [
        (1, r#""status":"Accepted","total":-5,"client":{"id":3}"#),
        (2, r#""status":"Viewed","total":"1000.0001","client":{"id":3}"#),
        (3, r#""status":"Draft","total":0,"client":{"id":4,"name":"x"}"#),
        (4, r#""status":"Odd","total":null"#),
    ] {
        service.bidsketch("proposal_created", &format!(r#"{{"id":{id},{fields}}}"#)).await.accepted();
    }
    let arcsite: &[&str] = &["arcsite:1", "arcsite:2", "arcsite:3", "arcsite:4"];
    check(
        &service,
        "proposals",
        "proposal:",
        &[
            ("{ provider: [ARCSITE] }", arcsite),
            ("{ provider: ARCSITE }", arcsite),
            ("{ provider: [] }", &[]),
            ("{ status: [ACCEPTED] }", &["arcsite:1", "bidsketch:1"]),
            ("{ status: [ACCEPTED, DRAFT, VIEWED] }", &["arcsite:1", "bidsketch:1", "bidsketch:2", "bidsketch:3"]),
            ("{ status: [PENDING, VOID, LOST, DECLINED] }", &["arcsite:2", "arcsite:3", "arcsite:4"]),
            ("{ status: [] }", &[]),
            ("{ status: [ACCEPTED], provider: [BIDSKETCH] }", &["bidsketch:1"]),
            (r#"{ clientId: "client:3" }"#, &["bidsketch:1", "bidsketch:2"]),
            (r#"{ projectId: "project:7" }"#, &["arcsite:1", "arcsite:2"]),
            (r#"{ projectId: "project:7", clientId: "client:3" }"#, &[]),
            // Compared as a number, not as text: 999.99 < 1000, and 10000 > 2.
            (r#"{ totalAtLeast: "999.99" }"#, &["arcsite:1", "arcsite:2", "arcsite:3", "bidsketch:2"]),
            (r#"{ totalAtLeast: "1000" }"#, &["arcsite:2", "arcsite:3", "bidsketch:2"]),
            (r#"{ totalAtLeast: "1000.0001" }"#, &["arcsite:3", "bidsketch:2"]),
            ("{ totalAtLeast: 2000 }", &["arcsite:3"]),
            ("{ totalAtLeast: 999.99 }", &["arcsite:1", "arcsite:2", "arcsite:3", "bidsketch:2"]),
            // An unknown total is not zero.
            (r#"{ totalAtLeast: "0" }"#, &["arcsite:1", "arcsite:2", "arcsite:3", "bidsketch:2", "bidsketch:3"]),
            (
                r#"{ totalAtLeast: "-922337203685477.5807" }"#,
                &["arcsite:1", "arcsite:2", "arcsite:3", "bidsketch:1", "bidsketch:2", "bidsketch:3"],
            ),
            (r#"{ totalAtLeast: "1e4" }"#, &["arcsite:3"]),
        ],
    )
    .await;
    for (filter, text) in [
        (r#"{ totalAtLeast: "much" }"#, "7385.00"),
        (r#"{ totalAtLeast: "1,000" }"#, "7385.00"),
        (r#"{ clientId: "project:7" }"#, "client:4815162342"),
        (r#"{ projectId: "client:3" }"#, "project:36029621652695040"),
        ("{ status: [SOLD] }", "SOLD"),
    ] {
        let error = service.query_error(&format!("{{ proposals(filter: {filter}) {{ totalCount }} }}")).await;
        assert_bad_user_input(&error, text);
    }
    service.stop().await;
}

/// The clock of the service is at 2026-01-05T15:00:00Z.
#[tokio::test]
async fn proposal_filter_by_what_happened_selects_and_counts_its_rows() {
    let service = Setup::new().clock(&ManualClock::new()).start().await;
    let bidsketch = async |id: u32, event: &str, updated_at: &str, status: &str| {
        let data = format!(
            r#"{{"id":{id},"created_at":"2026-01-0{id}T00:00:00Z","updated_at":"{updated_at}T12:00:00Z","status":"{status}"}}"#
        );
        service.bidsketch(event, &data).await.accepted();
    };
    for id in 1..=4 {
        bidsketch(id, "proposal_created", "2025-12-31", "Pending").await;
    }
    for id in 1..=3 {
        bidsketch(id, "proposal_sent", &format!("2026-01-0{id}"), "Pending").await;
    }
    bidsketch(1, "proposal_viewed", "2026-01-03", "Viewed").await;
    bidsketch(1, "proposal_accepted", "2026-01-04", "Accepted").await;
    bidsketch(3, "proposal_viewed", "2026-01-06", "Viewed").await;
    bidsketch(2, "proposal_declined", "2026-01-05", "Declined").await;
    service.arcsite("proposal.status_changed", r#"{"proposal_id":1,"status":"PENDING"}"#).await.accepted();
    check(
        &service,
        "proposals",
        "proposal:",
        &[
            (r#"{ createdFrom: "2026-01-03T00:00:00Z" }"#, &["arcsite:1", "bidsketch:3", "bidsketch:4"]),
            (r#"{ createdBefore: "2026-01-03T00:00:00Z" }"#, &["bidsketch:1", "bidsketch:2"]),
            (
                r#"{ createdFrom: "2026-01-02T00:00:00Z", createdBefore: "2026-01-04T00:00:00Z" }"#,
                &["bidsketch:2", "bidsketch:3"],
            ),
            (r#"{ sentBefore: "2026-01-02T12:00:00Z" }"#, &["bidsketch:1"]),
            (r#"{ sentBefore: "2026-01-02T12:00:01Z" }"#, &["bidsketch:1", "bidsketch:2"]),
            (r#"{ sentBefore: "2100-01-01T00:00:00Z" }"#, &["arcsite:1", "bidsketch:1", "bidsketch:2", "bidsketch:3"]),
            ("{ viewed: true }", &["bidsketch:1", "bidsketch:3"]),
            ("{ viewed: false }", &["bidsketch:2", "bidsketch:4"]),
            ("{ viewed: null }", &["arcsite:1", "bidsketch:1", "bidsketch:2", "bidsketch:3", "bidsketch:4"]),
            // Sent and never opened.
            (r#"{ viewed: false, sentBefore: "2026-01-03T00:00:00Z" }"#, &["bidsketch:2"]),
            (r#"{ viewedBefore: "2026-01-03T12:00:00Z" }"#, &[]),
            (r#"{ viewedBefore: "2026-01-03T12:00:01Z" }"#, &["bidsketch:1"]),
            // Opened and not answered.
            (r#"{ status: [PENDING, VIEWED], viewedBefore: "2100-01-01T00:00:00Z" }"#, &["bidsketch:3"]),
            (r#"{ decidedFrom: "2026-01-04T12:00:00Z" }"#, &["bidsketch:1", "bidsketch:2"]),
            (r#"{ decidedBefore: "2026-01-05T12:00:00Z" }"#, &["bidsketch:1"]),
            (r#"{ decidedFrom: "2026-01-04T12:00:01Z", decidedBefore: "2100-01-01T00:00:00Z" }"#, &["bidsketch:2"]),
        ],
    )
    .await;
    service.stop().await;
}

#[tokio::test]
async fn event_filter_selects_and_counts_its_rows() {
    let service = Service::open().await;
    for id in 1..=3 {
        service.arcsite("project.created", &format!(r#"{{"id":{id},"name":"Roof {id}%"}}"#)).await.accepted();
    }
    service.bidsketch("proposal_sent", r#"{"id":4,"status":"Pending","name":"a_b"}"#).await.accepted();
    service
        .bidsketch("proposal_accepted", r#"{"id":4,"status":"Accepted","updated_at":"2026-01-01T00:00:00Z"}"#)
        .await
        .accepted();
    service.arcsite("project.created", r#"{"id":2,"name":"Roof 2%"}"#).await.redelivery_of("event:2");
    let both = r#"{"id":4,"status":"Accepted","updated_at":"2026-01-01T00:00:00Z","name":"late"}"#;
    service.bidsketch("proposal_accepted_or_declined", both).await.redelivery_of("event:5");
    check(
        &service,
        "events",
        "event:",
        &[
            ("{ status: [ACCEPTED] }", &["5"]),
            ("{ status: [ACCEPTED, PENDING] }", &["4", "5"]),
            ("{ status: [] }", &[]),
            ("{ kindNot: [PROJECT_CREATED] }", &["4", "5"]),
            ("{ kindNot: [] }", &["1", "2", "3", "4", "5"]),
            ("{ kind: [PROJECT_CREATED, PROPOSAL_SENT], kindNot: [PROJECT_CREATED] }", &["4"]),
            (r#"{ vendorType: ["proposal_sent", "project.created"] }"#, &["1", "2", "3", "4"]),
            // The type of a redelivery is not the event's.
            (r#"{ vendorType: ["proposal_accepted_or_declined"] }"#, &[]),
            (r#"{ vendorType: ["Project.Created"] }"#, &[]),
            ("{ vendorType: [] }", &[]),
            (r#"{ payloadContains: "Roof" }"#, &["1", "2", "3"]),
            (r#"{ payloadContains: "roof" }"#, &[]),
            (r#"{ payloadContains: "Roof 2%" }"#, &["2"]),
            (r#"{ payloadContains: "Roof%" }"#, &[]),
            (r#"{ payloadContains: "a_b" }"#, &["4"]),
            (r#"{ payloadContains: "\"status\":\"Acc" }"#, &["5"]),
            // Neither the vendor's type nor a redelivery's payload.
            (r#"{ payloadContains: "proposal_accepted" }"#, &[]),
            (r#"{ payloadContains: "late" }"#, &[]),
            (r#"{ payloadContains: "Roof", receivedFrom: "2100-01-01T00:00:00Z" }"#, &[]),
            ("{ redelivered: true }", &["2", "5"]),
            ("{ redelivered: false }", &["1", "3", "4"]),
            ("{ redelivered: true, provider: [BIDSKETCH] }", &["5"]),
        ],
    )
    .await;
    let long = "x".repeat(201);
    for part in ["", "  ", " ab ", &long] {
        let query = format!("{{ events(filter: {{ payloadContains: {part:?} }}) {{ totalCount }} }}");
        assert_bad_user_input(&service.query_error(&query).await, "`payloadContains` must have 3 to 200");
    }
    service.stop().await;
}

/// A search reads as many events as the request may read rows. Another condition leaves it fewer.
#[tokio::test]
async fn search_in_payloads_is_bounded_by_the_budget_of_rows() {
    let service = Setup::new().with(|settings| settings.graphql.max_rows = 10).start().await;
    for id in 1..=20 {
        let name = if id == 5 || id == 15 { "needle" } else { "hay" };
        service.arcsite("project.created", &format!(r#"{{"id":{id},"name":"{name}"}}"#)).await.accepted();
    }
    service.bidsketch("client_created", r#"{"id":1,"name":"needle"}"#).await.accepted();
    let events = |arguments: &str, rest: &str| {
        format!(
            "{{ events({arguments}, filter: {{ payloadContains: \"needle\" {rest} }}) {{ nodes {{ id }} pageInfo {{ hasNextPage }} }} }}"
        )
    };
    let found = async |arguments: &str, rest: &str| {
        let page = service.query(&events(arguments, rest)).await["events"].take();
        let ids: Vec<String> = texts(page["nodes"].as_array().unwrap(), "id");
        (ids.join(" "), page["pageInfo"]["hasNextPage"].as_bool().unwrap())
    };
    // The newest ten have two of the three.
    assert_eq!(found("first: 1", "").await, ("event:21".to_owned(), true));
    assert_eq!(found("first: 10", "provider: [BIDSKETCH]").await, ("event:21".to_owned(), false));
    for (arguments, rest) in
        [("first: 2", ""), ("first: 3", ""), ("last: 2", ""), ("first: 1", "provider: [ARCSITE]"), ("first: 10", "")]
    {
        let error = service.query_error(&events(arguments, rest)).await;
        assert_eq!(error["extensions"]["code"], "LIMIT_EXCEEDED", "{arguments} {rest}: {error}");
    }
    assert_eq!(found("last: 1", "projectId: \"project:5\"").await, ("event:5".to_owned(), false));
    let total = "{ events(first: 0, filter: { payloadContains: \"needle\", kind: [CLIENT_CREATED] }) { totalCount } }";
    assert_eq!(service.query(total).await["events"]["totalCount"], 1);
    let all = "{ events(first: 0, filter: { payloadContains: \"needle\" }) { totalCount } }";
    assert_eq!(service.query_error(all).await["extensions"]["code"], "LIMIT_EXCEEDED");
    // A batch of searches in one request has one budget.
    let twice = "{ a: events(first: 1, filter: { payloadContains: \"needle\" }) { nodes { id } }
        b: events(first: 1, filter: { payloadContains: \"needle\" }) { nodes { id } } }";
    assert_eq!(service.query_error(twice).await["extensions"]["code"], "LIMIT_EXCEEDED");
    // The feed has them all.
    let feed = "{ eventFeed(filter: { payloadContains: \"needle\" }) { events { id } caughtUp } }";
    let page = service.query(feed).await["eventFeed"].take();
    assert_eq!(texts(page["events"].as_array().unwrap(), "id"), ["event:5", "event:15", "event:21"]);
    service.stop().await;
}
