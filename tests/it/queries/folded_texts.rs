//! Names that look the same are found and sorted as the same, however they were typed.

use serde_json::{Value, json};

use crate::harness::{Database, Launch, Pages, Service, Setup, assert_bad_user_input, texts};

/// The four lists, and how an object of each is posted.
const LISTS: [&str; 4] = ["projects", "drawings", "clients", "proposals"];

/// Names with the search terms that find them, and terms that do not.
const NAMES: [(&str, &[&str], &[&str]); 12] = [
    // As a Mac types it.
    ("Ku\u{308}che", &["küche", "KÜCHE", "Ku\u{308}", "\u{ff2b}ü", "kü\u{ad}che"], &["Kuche", "kue", "ku"]),
    ("Weißer Stuhl", &["WEISSER", "weiẞer", "weiss", "ss"], &["weis er"]),
    ("İzmir", &["i\u{307}zmir", "İZMIR"], &["izmir", "ızmir", "İZMİR"]),
    ("Diyarbakır", &["bakır"], &["bakir"]),
    ("Oﬃce ﬁt", &["office", "OFFICE FIT", "ﬃ"], &["ofice"]),
    ("Haus １２３", &["123", "１２３", "haus 1"], &["124"]),
    ("\u{1112}\u{1161}\u{11ab}국어", &["한국", "\u{1112}\u{1161}\u{11ab}"], &["하"]),
    ("100\u{ff05} _x_ a＼b", &["0%", "％ ", "＿x", "\\b", "a\\"], &["0_", "%%", "\\\\"]),
    ("co\u{200d}-op\u{ad}era\u{200b}tive", &["co-operative", "ra\u{2060}t"], &["co op"]),
    ("e\u{301}\u{323}t", &["ẹ\u{301}t", "é\u{323}"], &["ét", "et"]),
    ("Salle\u{a0}nº\u{3000}5", &["salle no 5"], &["salle5"]),
    ("ΟΔΟΣ", &["οδος", "οδοσ"], &["οδο ς"]),
];

/// As the service before folded: letter by letter to lower case.
fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).map(|letter| if letter == 'ς' { 'σ' } else { letter }).collect()
}

async fn post(service: &Service, list: &str, id: usize, name: &str) {
    let mut data = json!({ "id": id, "name": name });
    match list {
        "projects" => service.arcsite("project.created", &data.to_string()).await,
        "drawings" => {
            data["project_id"] = json!(1);
            service.arcsite("drawing.created", &data.to_string()).await
        }
        "clients" => {
            data["email"] = json!(format!("{name}@example.com"));
            data["city"] = json!(name);
            service.bidsketch("client_created", &data.to_string()).await
        }
        _ => service.bidsketch("proposal_sent", &data.to_string()).await,
    }
    .accepted();
}

async fn find(service: &Service, list: &str, filter: Value) -> Vec<String> {
    let mut kind = list.trim_end_matches('s').to_owned();
    kind[..1].make_ascii_uppercase();
    let query = format!("query ($filter: {kind}Filter) {{ {list}(filter: $filter) {{ nodes {{ vendorId }} }} }}");
    let data = service.query_with(&query, json!({ "filter": filter })).await;
    texts(data[list]["nodes"].as_array().unwrap(), "vendorId")
}

async fn fill(service: &Service) {
    for list in LISTS {
        for (id, (name, ..)) in NAMES.iter().enumerate() {
            post(service, list, id, name).await;
        }
    }
}

async fn assert_found(service: &Service) {
    for (id, (name, found_by, not_found_by)) in NAMES.iter().enumerate() {
        for list in LISTS {
            let filtered = |term: &str| find(service, list, json!({ "nameContains": term }));
            for term in found_by.iter().chain([name]) {
                assert!(filtered(term).await.contains(&id.to_string()), "{term:?} finds {name:?} in {list}");
            }
            for term in *not_found_by {
                assert!(!filtered(term).await.contains(&id.to_string()), "{term:?} finds {name:?} in {list}");
            }
        }
        let (email, city) = (format!("{}@EXAMPLE.com", name.to_uppercase()), name.replace('\u{ad}', ""));
        // Only the Turkish letter has no way back from its capital.
        if *name != "Diyarbakır" {
            assert_eq!(find(service, "clients", json!({ "email": email })).await, [id.to_string()], "{email}");
        }
        assert_eq!(find(service, "clients", json!({ "city": city })).await, [id.to_string()], "{city}");
    }
}

async fn by_name(service: &Service, list: &str) -> Vec<String> {
    let pages = Pages::of(list, "vendorId").with("orderBy: { field: NAME, direction: ASC }");
    texts(&pages.both_directions(service, 5).await, "vendorId")
}

#[tokio::test]
async fn name_is_found_and_sorted_however_it_was_typed() {
    let service = Service::open().await;
    fill(&service).await;
    assert_found(&service).await;
    for list in LISTS {
        let sorted = by_name(&service, list).await;
        assert_eq!(sorted, ["7", "8", "3", "5", "2", "0", "4", "10", "1", "11", "9", "6"], "{list}");
        // The name itself never changes.
        let data = service.query(&format!("{{ {list}(first: 100) {{ nodes {{ vendorId name }} }} }}")).await;
        for node in data[list]["nodes"].as_array().unwrap() {
            let id: usize = node["vendorId"].as_str().unwrap().parse().unwrap();
            assert_eq!(node["name"], NAMES[id].0);
        }
    }
    service.stop().await;
}

/// A folded term of more than 200 characters is refused, and so is one with nothing to look for.
#[tokio::test]
async fn search_term_is_judged_after_folding() {
    let service = Service::open().await;
    post(&service, "projects", 1, "\u{fdfa}").await;
    let ask = async |term: &str| {
        let query = "query ($term: String) { projects(filter: { nameContains: $term }) { totalCount } }";
        service.graphql(query, json!({ "term": term })).await.json()
    };
    for (term, found) in [
        // The ligature is 18 characters.
        ("\u{fdfa}".to_owned(), Some(1)),
        ("\u{fdfa}".repeat(11), Some(0)),
        ("\u{fdfa}".repeat(12), None),
        // Invisible characters do not count.
        ("\u{200b}".repeat(500) + "x", Some(0)),
        ("u\u{308}".repeat(200), Some(0)),
        ("u\u{308}".repeat(201), None),
        ("%_\\".repeat(66), Some(0)),
        (String::new(), Some(1)),
    ] {
        let answer = ask(&term).await;
        match found {
            Some(found) => assert_eq!(answer["data"]["projects"]["totalCount"], found, "{term:?}: {answer}"),
            None => assert_bad_user_input(&answer["errors"][0], "at most 200 characters"),
        }
    }
    assert_bad_user_input(&ask("\u{ad}\u{200d}").await["errors"][0], "invisible characters only");
    service.stop().await;
}

/// The columns as the version before left them, of all rows.
fn as_version_before() -> Vec<String> {
    let mut statements = Vec::new();
    for list in LISTS {
        let table = list.trim_end_matches('s');
        statements.push(format!("UPDATE {table} SET name_sort = '', name_search = ''"));
        for (id, (name, ..)) in NAMES.iter().enumerate() {
            let name = lower(name);
            statements.push(format!(
                "UPDATE {table} SET name_order = '{name}', name_folded = '{name}' WHERE vendor_id = '{id}'"
            ));
        }
    }
    statements.push("UPDATE client SET email_search = NULL, city_search = NULL".to_owned());
    for (id, (name, ..)) in NAMES.iter().enumerate() {
        let name = lower(name);
        statements.push(format!(
            "UPDATE client SET email_folded = '{name}@example.com', city_folded = '{name}' WHERE vendor_id = '{id}'"
        ));
    }
    statements
}

async fn execute(database: &Database, statements: &[String]) {
    let connection = database.connect().await;
    for statement in statements {
        sea_orm::ConnectionTrait::execute_unprepared(&connection, statement).await.unwrap();
    }
    connection.close().await.unwrap();
}

#[tokio::test]
async fn rows_of_the_version_before_are_as_if_this_one_had_written_them() {
    let service = Service::open().await;
    fill(&service).await;
    let database = service.stop().await;
    let rows = database.dump_without_audit().await;
    execute(&database, &as_version_before()).await;
    assert_ne!(database.dump_without_audit().await, rows);
    let service = Setup::new().database(database).start().await;
    assert_found(&service).await;
    let database = service.stop().await;
    assert_eq!(database.dump_without_audit().await, rows);
    let rebuild = Launch::new(database.directory()).arg("rebuild").arg("--database-url").arg(&database.url());
    assert!(rebuild.run().await.status.success());
    assert_eq!(database.dump_without_audit().await, rows);
}
