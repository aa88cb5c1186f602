//! Lists as CSV. Each file is compared with the list of the API, row by row.

use serde_json::Value;

use crate::harness::{
    Client, Database, HttpResponse, Launch, RawConnection, Service, Setup, TIMEOUT, add_key, eventually,
    insert_projects, revoke_key, sample_hooks,
};

/// A file that was read: its titles, and the cells of each row.
struct File {
    titles: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// Reads a file as a spreadsheet does.
fn parse(body: &str) -> File {
    let text = body.strip_prefix('\u{feff}').expect("a byte order mark begins the file");
    assert!(text.ends_with("\r\n"), "{text}");
    let mut reader = csv::ReaderBuilder::new().has_headers(true).from_reader(text.as_bytes());
    let titles = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
    File { titles, rows }
}

async fn export(client: &Client, path: &str) -> File {
    let response = client.get(&format!("/export/{path}")).await;
    assert_eq!(response.status, 200, "{response:?}");
    parse(&response.body)
}

/// All nodes of a list with these fields, by pages of another size than the export's.
async fn nodes(client: &Client, list: &str, arguments: &str, fields: &str) -> Vec<Value> {
    let mut nodes = Vec::new();
    let mut after = String::new();
    loop {
        let query = format!(
            "{{ {list}(first: 37 {after} {arguments}) {{ nodes {{ {fields} }} pageInfo {{ hasNextPage endCursor }} }} }}"
        );
        let mut data = client.query(&query).await;
        nodes.append(data[list]["nodes"].as_array_mut().unwrap());
        if data[list]["pageInfo"]["hasNextPage"] == false {
            return nodes;
        }
        after = format!("after: {}", data[list]["pageInfo"]["endCursor"]);
    }
}

/// A value of the API as text.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join("; "),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

/// The cell of a value: a text that begins a formula has the guard before it, a number never.
fn expected_cell(title: &str, value: &Value) -> String {
    let is_number = ["total", "paidTotal", "discount", "tax", "tax2", "amount", "payment.amount"].contains(&title)
        || title.ends_with("Fees");
    let text = shown(value);
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if is_formula && !is_number { format!("'{text}") } else { text }
}

/// The field of a title: `customer.name` is `customer { name }`.
fn field(title: &str) -> String {
    title.split_once('.').map_or_else(|| title.to_owned(), |(outer, inner)| format!("{outer} {{ {inner} }}"))
}

async fn assert_file_is_list(client: &Client, list: &str, parameters: &str, arguments: &str) -> usize {
    let file = export(client, &format!("{list}.csv{parameters}")).await;
    let fields: Vec<String> = file.titles.iter().map(|title| field(title)).collect();
    let nodes = nodes(client, list, arguments, &fields.join(" ")).await;
    assert_eq!(file.rows.len(), nodes.len(), "{list}{parameters}");
    for (row, node) in file.rows.iter().zip(&nodes) {
        for (title, cell) in file.titles.iter().zip(row) {
            let value = match title.split_once('.') {
                Some((outer, inner)) => &node[outer][inner],
                None => &node[title],
            };
            assert_eq!(*cell, expected_cell(title, value), "{list}{parameters} {title} of {node}");
        }
    }
    nodes.len()
}

const BY_CREATION: &str = "orderBy: { field: CREATED_AT, direction: DESC }";

#[tokio::test]
async fn file_has_the_rows_of_its_list() {
    let service = Service::open().await;
    for hook in sample_hooks() {
        service.deliver(&hook).await;
    }
    let hostile = ["=1+1", "+49 30", "-x", "@me", "\tx", "\rx", "a,b", "a\"b", "two\r\nlines", "'=1", "＝1", " =1", ""];
    for (at, name) in hostile.iter().enumerate() {
        let data = serde_json::json!({ "id": 900 + at, "name": name, "notes": name, "city": "Köln" });
        service.bidsketch("client_created", &data.to_string()).await.accepted();
        let data = serde_json::json!({ "id": 900 + at, "name": name, "total": "-12.5", "discount": "-5" });
        service.bidsketch("proposal_created", &data.to_string()).await.accepted();
    }
    let mut rows = 0;
    for list in ["projects", "clients", "proposals"] {
        rows += assert_file_is_list(&service, list, "", BY_CREATION).await;
    }
    rows += assert_file_is_list(&service, "payments", "", "").await;
    assert!(rows > 100, "{rows}");
    for (list, parameters, filter) in [
        ("proposals", "?status=ACCEPTED,%20PENDING&status=LOST", "status: [ACCEPTED, PENDING, LOST]"),
        ("proposals", "?provider=BIDSKETCH&status=&nameContains=", "provider: [BIDSKETCH]"),
        ("proposals", "?totalAtLeast=1000.5", "totalAtLeast: \"1000.5\""),
        ("clients", "?nameContains=A%2CB", "nameContains: \"a,b\""),
        ("clients", "?city=k%C3%B6ln", "city: \"köln\""),
        ("projects", "?createdFrom=2026-01-01T00:00:00Z", "createdFrom: \"2026-01-01T00:00:00Z\""),
    ] {
        let arguments = format!("filter: {{ {filter} }} {BY_CREATION}");
        let rows = assert_file_is_list(&service, list, parameters, &arguments).await;
        assert!(rows > 0, "{parameters}");
    }
    assert!(assert_file_is_list(&service, "payments", "?amountAtLeast=1", "filter: { amountAtLeast: 1 }").await > 0);

    // The nodes of events have several types.
    let file = export(
        &service,
        "events.csv?kind=PROPOSAL_STATUS_CHANGED,PROJECT_UPDATED,CLIENT_CREATED,PROPOSAL_PAYMENT_RECEIVED",
    )
    .await;
    let fields = "id kind vendorTypes receivedAt ... on ProposalEvent { proposalVendorId status payment { amount } p: project { vendorId name } }
        ... on ProjectEvent { project { vendorId name } } ... on ClientEvent { client { name } }";
    let filter =
        "filter: { kind: [PROPOSAL_STATUS_CHANGED, PROJECT_UPDATED, CLIENT_CREATED, PROPOSAL_PAYMENT_RECEIVED] }";
    let nodes = nodes(&service, "events", filter, fields).await;
    assert_eq!(file.rows.len(), nodes.len());
    for (row, node) in file.rows.iter().zip(&nodes) {
        let project = if node["project"].is_null() { &node["p"] } else { &node["project"] };
        for (title, value) in [
            ("id", &node["id"]),
            ("kind", &node["kind"]),
            ("vendorTypes", &node["vendorTypes"]),
            ("receivedAt", &node["receivedAt"]),
            ("proposalVendorId", &node["proposalVendorId"]),
            ("status", &node["status"]),
            ("payment.amount", &node["payment"]["amount"]),
            ("project.vendorId", &project["vendorId"]),
            ("project.name", &project["name"]),
            ("client.name", &node["client"]["name"]),
        ] {
            let at = file.titles.iter().position(|known| known == title).unwrap();
            assert_eq!(row[at], expected_cell(title, value), "{title} of {node}");
        }
    }
    service.stop().await;
}

#[tokio::test]
async fn response_is_a_file_that_no_cache_keeps() {
    let service = Service::open().await;
    let response = service.get("/export/clients.csv").await;
    assert_eq!(response.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    assert_eq!(response.header("content-disposition"), Some("attachment; filename=\"clients.csv\""));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    let file = parse(&response.body);
    assert_eq!((file.titles[0].as_str(), file.rows.len()), ("id", 0));
    for path in ["/export/deliveries.csv", "/export/clients", "/export/clients.CSV", "/export/"] {
        assert_eq!(service.get(path).await.status, 404, "{path}");
    }
    service.stop().await;
}

#[tokio::test]
async fn wrong_parameter_is_named() {
    let service = Service::open().await;
    for (path, problem) in [
        ("proposals.csv?status=WON", "status[0] must be of type ProposalStatus"),
        ("proposals.csv?statuses=LOST", "`statuses`; there are provider, status"),
        ("proposals.csv?clientId=7", "`clientId` must be a node id"),
        ("proposals.csv?totalAtLeast=much", "totalAtLeast must be of type Decimal"),
        ("proposals.csv?nameContains=a&nameContains=b", "`nameContains` is given 2 times"),
        ("events.csv?receivedFrom=yesterday", "receivedFrom must be of type DateTime"),
        ("payments.csv?status=LOST", "`status`"),
    ] {
        let response = service.get(&format!("/export/{path}")).await;
        assert_eq!(response.status, 400, "{path}: {response:?}");
        let error = &response.json()["errors"][0];
        assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{path}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(problem) && !message.contains("$filter"), "{path}: {message}");
    }
    service.stop().await;
}

#[tokio::test]
async fn export_needs_a_key_and_counts_as_its_stream() {
    let database = Database::fresh();
    let token = add_key(&database, "office", "read").await;
    insert_projects(&database, 5_000).await;
    let service = Setup::new().database(database).with(|it| it.server.max_streams_per_key = 1).start().await;
    assert_eq!(service.get("/export/events.csv").await.status, 401);
    assert_eq!(service.with_token("wrong").get("/export/events.csv").await.status, 401);
    let client = service.with_token(&token);
    let mut slow = begin(&client, "projects.csv", "HTTP/1.1").await;
    assert!(slow.read_until("project:").await.starts_with("HTTP/1.1 200 "));
    let second = client.get("/export/clients.csv").await;
    assert_eq!((second.status, &second.json()["errors"][0]["extensions"]["code"]), (429, &"LIMIT_EXCEEDED".into()));
    drop(slow);
    eventually("the place is free again", TIMEOUT, async || {
        (client.get("/export/clients.csv").await.status == 200).then_some(())
    })
    .await;
    service.stop().await;
}

/// Begins to read a file over a connection that takes little at once.
async fn begin(client: &Client, path: &str, version: &str) -> RawConnection {
    let mut connection = RawConnection::open_with_small_buffer(client).await;
    let (host, token) = (client.authority(), client.token().map(|token| format!("Authorization: Bearer {token}\r\n")));
    let head = format!("GET /export/{path} {version}\r\nHost: {host}\r\n{}\r\n", token.unwrap_or_default());
    connection.write(&head).await;
    connection
}

#[tokio::test]
async fn file_cut_off_has_no_last_chunk() {
    let database = Database::fresh();
    let token = add_key(&database, "office", "read").await;
    insert_projects(&database, 60_000).await;
    let service = Setup::new().database(database).start().await;
    let client = service.with_token(&token);
    let mut slow = begin(&client, "projects.csv", "HTTP/1.1").await;
    assert!(slow.read_until("project:").await.starts_with("HTTP/1.1 200 "));
    revoke_key(service.database(), "office").await;
    let rest = slow.read_to_end().await;
    assert!(rest.contains("\r\nproject:") && !rest.ends_with("\r\n0\r\n\r\n"), "{}", &rest[rest.len() - 100..]);
    let database = service.stop().await;

    let token = add_key(&database, "other", "read").await;
    let service = Setup::new().database(database).start().await;
    let client = service.with_token(&token);
    let request = client.request(reqwest::Method::GET, "/export/events.csv?receivedBefore=2000-01-01T00:00:00Z");
    let whole = HttpResponse::of(request).await;
    assert_eq!(parse(&whole.body).rows.len(), 0);
    let cut = "bidarc_exports_total{list=\"events\",outcome=\"complete\"}";
    eventually("the export is counted", TIMEOUT, async || (client.metric(cut).await >= 1.0).then_some(())).await;
    service.stop().await;
}

/// Over HTTP/1.0 nothing would tell that a file is cut off.
#[tokio::test]
async fn export_over_http_1_0_is_refused() {
    let database = Database::fresh();
    let token = add_key(&database, "office", "read").await;
    let service = Setup::new().database(database).start().await;
    let mut connection = begin(&service.with_token(&token), "events.csv", "HTTP/1.0").await;
    let response = connection.read_to_end().await;
    assert!(response.contains(" 505 ") && response.contains("proxy_http_version"), "{response}");
    service.stop().await;
}

/// A page that is too large for the budget of a request is read with fewer rows.
#[tokio::test]
async fn rows_of_a_megabyte_are_exported_and_memory_stays_small() {
    let database = Database::fresh();
    let launch = Launch::new(database.directory()).env("BIDARC_GRAPHQL__MAX_RESPONSE_BYTES", "1048576");
    let service = launch.serve(0, &database).await;
    let notes = "x".repeat(300_000);
    for id in 0..8 {
        service.bidsketch("client_created", &format!(r#"{{"id":{id},"notes":"{notes}"}}"#)).await.accepted();
    }
    let file = export(&service, "clients.csv").await;
    let at = file.titles.iter().position(|title| title == "notes").unwrap();
    assert!(file.rows.len() == 8 && file.rows.iter().all(|row| row[at] == notes));
    service.stop(&database).await;
}
