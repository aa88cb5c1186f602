//! The orders of the lists, compared with a sort in the test; and paging along them while rows come
//! and move.

use std::cmp::Reverse;

use chrono::{DateTime, TimeDelta};
use serde_json::Value;

use crate::harness::{ManualClock, Pages, Service, Setup, texts};

/// Case, umlauts, equal names, an empty name, a letter beyond the Basic Multilingual Plane.
const NAMES: [&str; 12] =
    ["ärger", "Zaun", "Ärger", "abbau", "ABBAU", "", "zaun 2", "Öl", "ÇA va", "ça", "\u{1f3e0} Haus", "Abbau"];

/// The values by which a list sorts one object.
#[derive(Clone, Debug)]
struct SortValues {
    id: String,
    name: String,
    created: Option<i64>,
    updated: Option<i64>,
    /// In hundredths.
    total: Option<i64>,
    first_seen: i64,
    last_event: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum SortKey {
    Number(Option<i64>),
    Name(String),
}

impl SortValues {
    fn key(&self, field: &str) -> SortKey {
        match field {
            "CREATED_AT" => SortKey::Number(Some(self.created.unwrap_or(self.first_seen))),
            // An unknown value sorts below every other.
            "UPDATED_AT" => SortKey::Number(self.updated),
            "TOTAL" => SortKey::Number(self.total),
            "LAST_EVENT_AT" => SortKey::Number(Some(self.last_event)),
            "FIRST_SEEN_AT" => SortKey::Number(Some(self.first_seen)),
            "NAME" => SortKey::Name(self.name.to_lowercase()),
            unknown => panic!("{unknown}"),
        }
    }
}

/// Posts a dozen objects of one kind and a second event for some, and records their sort values.
struct Poster {
    service: Service,
    clock: ManualClock,
    posted: Vec<SortValues>,
}

impl Poster {
    async fn start() -> Self {
        let clock = ManualClock::new();
        Self { service: Setup::new().clock(&clock).start().await, clock, posted: Vec::new() }
    }

    /// The values of one object: some times and totals are missing, some are equal.
    fn values(&self, index: usize) -> SortValues {
        let now = self.clock.now().timestamp_micros();
        let hour = |hours: i64| 1_700_000_000_000_000 + hours * 3_600_000_000;
        let odd = i64::try_from(index * 7 % 5).unwrap();
        SortValues {
            id: String::new(),
            name: NAMES[index].to_owned(),
            created: (!index.is_multiple_of(3)).then(|| hour(odd)),
            updated: (index % 3 != 1).then(|| hour(100 - odd)),
            total: (index % 4 != 3).then(|| [99_999, 100_000, -5, 1_000_000, 99_999][index % 5]),
            first_seen: now,
            last_event: now,
        }
    }

    /// The values as fields of a payload.
    fn payload(posted: &SortValues) -> String {
        let time = |name: &str, micros: Option<i64>| {
            let time = micros.map(|micros| DateTime::from_timestamp_micros(micros).unwrap().to_rfc3339());
            time.map_or(String::new(), |time| format!(r#","{name}":"{time}""#))
        };
        let total = posted.total.map_or(String::new(), |cents| {
            format!(r#","total":{}{}.{:02}"#, if cents < 0 { "-" } else { "" }, cents.abs() / 100, cents.abs() % 100)
        });
        let name = serde_json::to_string(&posted.name).unwrap();
        format!(r#""name":{name}{}{}{total}"#, time("created_at", posted.created), time("updated_at", posted.updated))
    }

    /// Reads the list in each order and both directions, in pages of 1, 5 and 100.
    async fn check(self, list: &str, fields: &[&str]) {
        for field in fields {
            let key_of = |id: &String| self.posted.iter().find(|posted| posted.id == *id).unwrap().key(field);
            let mut directions = Vec::new();
            for direction in ["ASC", "DESC"] {
                let order = format!("orderBy: {{ field: {field}, direction: {direction} }}");
                let mut seen = Vec::new();
                for size in [1, 5, 100] {
                    let ids =
                        texts(&Pages::of(list, "id").with(&order).both_directions(&self.service, size).await, "id");
                    assert!(seen.is_empty() || seen == ids, "{list} {order}: pages of {size} give another order");
                    seen = ids;
                }
                let mut expected: Vec<SortKey> = self.posted.iter().map(|posted| posted.key(field)).collect();
                if direction == "ASC" {
                    expected.sort()
                } else {
                    expected.sort_by_key(|key| Reverse(key.clone()))
                }
                let keys: Vec<SortKey> = seen.iter().map(key_of).collect();
                assert_eq!(keys, expected, "{list} {order}");
                let mut distinct = seen.clone();
                distinct.sort();
                distinct.dedup();
                assert_eq!(distinct.len(), self.posted.len(), "{list} {order}: each once");
                directions.push(seen);
            }
            directions[1].reverse();
            assert_eq!(
                directions[0], directions[1],
                "{list} by {field}: descending is ascending reversed, equal values too"
            );
        }
        let fields = "totalCount nodes { id }";
        let mut data = self
            .service
            .query(&format!("{{ {list}(first: 1) {{ {fields} }} all: {list}(first: 100) {{ nodes {{ id }} }} }}"))
            .await;
        assert_eq!(data[list]["totalCount"], self.posted.len());
        // The default order is by the newest event.
        let keys: Vec<SortKey> = texts(data["all"]["nodes"].take().as_array().unwrap(), "id")
            .iter()
            .map(|id| self.posted.iter().find(|posted| posted.id == *id).unwrap().key("LAST_EVENT_AT"))
            .collect();
        assert!(keys.is_sorted_by(|key, next| key >= next), "{list}: {keys:?}");
        self.service.stop().await;
    }
}

const ORDER_FIELDS: [&str; 4] = ["CREATED_AT", "UPDATED_AT", "NAME", "LAST_EVENT_AT"];

#[tokio::test]
async fn projects_are_sorted_by_each_field() {
    let mut poster = Poster::start().await;
    for index in 0..NAMES.len() {
        let mut posted = poster.values(index);
        posted.id = format!("project:{index}");
        poster
            .service
            .arcsite("project.created", &format!(r#"{{"id":{index},{}}}"#, Poster::payload(&posted)))
            .await
            .accepted();
        poster.posted.push(posted);
        // The objects come in pairs that share one moment.
        poster.clock.advance(TimeDelta::seconds(i64::try_from(index % 2).unwrap()));
    }
    // A drawing's event is also an event of its project.
    for index in [4, 1] {
        poster.clock.advance(TimeDelta::seconds(1));
        poster
            .service
            .arcsite("drawing.created", &format!(r#"{{"id":{index},"project_id":{index}}}"#))
            .await
            .accepted();
        poster.posted[index].last_event = poster.clock.now().timestamp_micros();
    }
    // An update changes what it names.
    poster.clock.advance(TimeDelta::seconds(1));
    poster
        .service
        .arcsite("project.updated", r#"{"id":2,"name":"aa","updated_at":"2025-01-01T00:00:00Z"}"#)
        .await
        .accepted();
    let now = poster.clock.now().timestamp_micros();
    let updated = Some(DateTime::parse_from_rfc3339("2025-01-01T00:00:00Z").unwrap().timestamp_micros());
    poster.posted[2] = SortValues { name: "aa".to_owned(), updated, last_event: now, ..poster.posted[2].clone() };
    poster.check("projects", &ORDER_FIELDS).await;
}

#[tokio::test]
async fn drawings_are_sorted_by_each_field() {
    let mut poster = Poster::start().await;
    for index in 0..NAMES.len() {
        let mut posted = poster.values(index);
        posted.id = format!("drawing:{index}");
        let name = serde_json::to_string(&posted.name).unwrap();
        let data = format!(r#"{{"id":{index},"project_id":{},"name":{name}}}"#, index % 3);
        poster.service.arcsite("drawing.created", &data).await.accepted();
        poster.posted.push(posted);
        poster.clock.advance(TimeDelta::seconds(i64::try_from(index % 2).unwrap()));
    }
    for index in [5, 0] {
        poster.clock.advance(TimeDelta::seconds(1));
        poster.service.arcsite("proposal.signed", &format!(r#"{{"drawing_id":{index}}}"#)).await.accepted();
        poster.posted[index].last_event = poster.clock.now().timestamp_micros();
    }
    poster.check("drawings", &["NAME", "LAST_EVENT_AT", "FIRST_SEEN_AT"]).await;
}

#[tokio::test]
async fn clients_are_sorted_by_each_field() {
    let mut poster = Poster::start().await;
    for index in 0..NAMES.len() {
        let mut posted = poster.values(index);
        posted.id = format!("client:{index}");
        poster
            .service
            .bidsketch("client_created", &format!(r#"{{"id":{index},{}}}"#, Poster::payload(&posted)))
            .await
            .accepted();
        poster.posted.push(posted);
        poster.clock.advance(TimeDelta::seconds(i64::try_from(index % 2).unwrap()));
    }
    poster.clock.advance(TimeDelta::seconds(1));
    poster.service.bidsketch("proposal_viewed", r#"{"id":1,"client":{"id":6}}"#).await.accepted();
    poster.posted[6].last_event = poster.clock.now().timestamp_micros();
    poster.check("clients", &ORDER_FIELDS).await;
}

/// One list holds both vendors' proposals, some with equal ids.
#[tokio::test]
async fn proposals_are_sorted_by_each_field() {
    let mut poster = Poster::start().await;
    for index in 0..NAMES.len() {
        let mut posted = poster.values(index);
        let number = index / 2;
        if index % 2 == 0 {
            posted.id = format!("proposal:bidsketch:{number}");
            let data = format!(r#"{{"id":{number},{}}}"#, Poster::payload(&posted));
            poster.service.bidsketch("proposal_created", &data).await.accepted();
        } else {
            // ArcSite gives its proposals no times.
            (posted.created, posted.updated) = (None, None);
            posted.id = format!("proposal:arcsite:{number}");
            let data = format!(r#"{{"proposal_id":{number},"status":"DRAFT",{}}}"#, Poster::payload(&posted));
            poster.service.arcsite("proposal.status_changed", &data).await.accepted();
        }
        poster.posted.push(posted);
        poster.clock.advance(TimeDelta::seconds(i64::try_from(index % 3).unwrap()));
    }
    poster.clock.advance(TimeDelta::seconds(1));
    poster.service.arcsite("proposal.payment.received", r#"{"proposal_id":2,"paid_amount":1}"#).await.accepted();
    poster.posted[5].last_event = poster.clock.now().timestamp_micros();
    poster.check("proposals", &["CREATED_AT", "UPDATED_AT", "NAME", "TOTAL", "LAST_EVENT_AT"]).await;
}

/// The names are longer than the part that the order compares.
#[tokio::test]
async fn long_names_with_one_beginning_are_each_listed_once() {
    let service = Service::open().await;
    for index in 0..6 {
        let name = format!("{}{index}", "É".repeat(300));
        service.arcsite("project.created", &format!(r#"{{"id":{index},"name":"{name}"}}"#)).await.accepted();
    }
    let by_name = Pages::of("projects", "id name").with("orderBy: { field: NAME, direction: ASC }");
    assert_eq!(by_name.both_directions(&service, 1).await.len(), 6);
    service.stop().await;
}

async fn project(service: &Service, id: u32, name: &str) {
    service.arcsite("project.created", &format!(r#"{{"id":{id},"name":"{name}"}}"#)).await.accepted();
}

fn names_without(nodes: &[Value], moved: &[&str]) -> Vec<String> {
    texts(nodes, "name").into_iter().filter(|name| !moved.contains(&name.as_str())).collect()
}

/// A row inserted before the cursor shifts nothing, and one inserted after it is found. A row that
/// moves may be found twice or not at all; the others are found once.
#[tokio::test]
async fn rows_inserted_or_moved_during_paging_shift_no_others() {
    let service = Service::open().await;
    for (id, name) in ["b", "d", "f", "h", "j", "l", "n", "p"].into_iter().enumerate() {
        project(&service, u32::try_from(id).unwrap(), name).await;
    }
    let by_name = Pages::of("projects", "id name").with("orderBy: { field: NAME, direction: ASC }");
    let mut page = 0;
    let seen = by_name
        .forward(&service, 3, async |_| {
            page += 1;
            match page {
                1 => {
                    project(&service, 100, "a").await;
                    project(&service, 101, "k").await;
                    service.arcsite("project.updated", r#"{"id":7,"name":"0"}"#).await.accepted();
                }
                2 => {
                    project(&service, 102, "c").await;
                    project(&service, 103, "z").await;
                }
                _ => {}
            }
        })
        .await;
    assert_eq!(texts(&seen, "name"), ["b", "d", "f", "h", "j", "k", "l", "n", "z"]);
    let mut page = 0;
    let seen = by_name
        .backward(&service, 3, async |_| {
            page += 1;
            if page == 1 {
                project(&service, 200, "y").await;
                project(&service, 201, "e").await;
                service.arcsite("project.updated", r#"{"id":0,"name":"zz"}"#).await.accepted();
            }
        })
        .await;
    assert_eq!(texts(&seen, "name"), ["0", "a", "c", "d", "e", "f", "h", "j", "k", "l", "n", "z"]);

    // By the newest event: a project with a new event moves to the front, the others stay.
    let mut page = 0;
    let newest_first = Pages::of("projects", "id name");
    let before = texts(&newest_first.both_directions(&service, 100).await, "name");
    let seen = newest_first
        .forward(&service, 4, async |_| {
            page += 1;
            if page == 1 {
                service.arcsite("drawing.created", r#"{"id":1,"project_id":1}"#).await.accepted();
                project(&service, 300, "new").await;
            }
        })
        .await;
    assert!(page > 1);
    let expected: Vec<String> = before.into_iter().filter(|name| name != "d").collect();
    assert_eq!(names_without(&seen, &["d"]), expected);
    service.stop().await;
}
