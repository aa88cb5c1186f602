//! The orders of the lists, against an order that the test makes itself; and paging along them while rows come and move.

use std::cmp::Reverse;

use chrono::{DateTime, TimeDelta};
use serde_json::Value;

use crate::harness::{ManualClock, Pages, Service, Setup, texts};

/// Case, umlauts, equal ones, an empty one, one letter beyond the first plane.
const NAMES: [&str; 12] =
    ["ärger", "Zaun", "Ärger", "abbau", "ABBAU", "", "zaun 2", "Öl", "ÇA va", "ça", "\u{1f3e0} Haus", "Abbau"];

/// What a list is ordered by, of one object.
#[derive(Clone, Debug)]
struct Sent {
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
enum Key {
    Number(Option<i64>),
    Name(String),
}

impl Sent {
    fn key(&self, field: &str) -> Key {
        match field {
            "CREATED_AT" => Key::Number(Some(self.created.unwrap_or(self.first_seen))),
            // What is not known is less than anything.
            "UPDATED_AT" => Key::Number(self.updated),
            "TOTAL" => Key::Number(self.total),
            "LAST_EVENT_AT" => Key::Number(Some(self.last_event)),
            "FIRST_SEEN_AT" => Key::Number(Some(self.first_seen)),
            "NAME" => Key::Name(self.name.to_lowercase()),
            other => panic!("{other}"),
        }
    }
}

/// Posts a dozen of one kind, twice over for some, and notes what their order depends on.
struct Poster {
    service: Service,
    clock: ManualClock,
    sent: Vec<Sent>,
}

impl Poster {
    async fn start() -> Self {
        let clock = ManualClock::new();
        Self { service: Setup::new().clock(&clock).start().await, clock, sent: Vec::new() }
    }

    /// The fields of the `at`th: every third has no times, every fourth no total; some are equal.
    fn values(&self, at: usize) -> Sent {
        let now = self.clock.now().timestamp_micros();
        let hour = |hours: i64| 1_700_000_000_000_000 + hours * 3_600_000_000;
        let odd = i64::try_from(at * 7 % 5).unwrap();
        Sent {
            id: String::new(),
            name: NAMES[at].to_owned(),
            created: (!at.is_multiple_of(3)).then(|| hour(odd)),
            updated: (at % 3 != 1).then(|| hour(100 - odd)),
            total: (at % 4 != 3).then(|| [99_999, 100_000, -5, 1_000_000, 99_999][at % 5]),
            first_seen: now,
            last_event: now,
        }
    }

    /// The values as a payload has them.
    fn payload(sent: &Sent) -> String {
        let time = |name: &str, micros: Option<i64>| {
            let time = micros.map(|micros| DateTime::from_timestamp_micros(micros).unwrap().to_rfc3339());
            time.map_or(String::new(), |time| format!(r#","{name}":"{time}""#))
        };
        let total = sent.total.map_or(String::new(), |cents| {
            format!(r#","total":{}{}.{:02}"#, if cents < 0 { "-" } else { "" }, cents.abs() / 100, cents.abs() % 100)
        });
        let name = serde_json::to_string(&sent.name).unwrap();
        format!(r#""name":{name}{}{}{total}"#, time("created_at", sent.created), time("updated_at", sent.updated))
    }

    /// Asks for the list in each order and both ways, in pages of 1, 5 and 100.
    async fn check(self, list: &str, fields: &[&str]) {
        for field in fields {
            let key_of = |id: &String| self.sent.iter().find(|sent| sent.id == *id).unwrap().key(field);
            let mut ways = Vec::new();
            for direction in ["ASC", "DESC"] {
                let order = format!("orderBy: {{ field: {field}, direction: {direction} }}");
                let mut seen = Vec::new();
                for size in [1, 5, 100] {
                    let ids = texts(&Pages::of(list, "id").with(&order).both_ways(&self.service, size).await, "id");
                    assert!(seen.is_empty() || seen == ids, "{list} {order}: pages of {size} give another order");
                    seen = ids;
                }
                let mut expected: Vec<Key> = self.sent.iter().map(|sent| sent.key(field)).collect();
                if direction == "ASC" {
                    expected.sort()
                } else {
                    expected.sort_by_key(|key| Reverse(key.clone()))
                }
                let keys: Vec<Key> = seen.iter().map(key_of).collect();
                assert_eq!(keys, expected, "{list} {order}");
                let mut once = seen.clone();
                once.sort();
                once.dedup();
                assert_eq!(once.len(), self.sent.len(), "{list} {order}: each once");
                ways.push(seen);
            }
            ways[1].reverse();
            assert_eq!(ways[0], ways[1], "{list} by {field}: down is up reversed, equal values too");
        }
        let fields = "totalCount nodes { id }";
        let mut data = self
            .service
            .query(&format!("{{ {list}(first: 1) {{ {fields} }} all: {list}(first: 100) {{ nodes {{ id }} }} }}"))
            .await;
        assert_eq!(data[list]["totalCount"], self.sent.len());
        // Where no order is asked for it is by the newest event.
        let keys: Vec<Key> = texts(data["all"]["nodes"].take().as_array().unwrap(), "id")
            .iter()
            .map(|id| self.sent.iter().find(|sent| sent.id == *id).unwrap().key("LAST_EVENT_AT"))
            .collect();
        assert!(keys.is_sorted_by(|one, next| one >= next), "{list}: {keys:?}");
        self.service.stop().await;
    }
}

const OF_VENDORS: [&str; 4] = ["CREATED_AT", "UPDATED_AT", "NAME", "LAST_EVENT_AT"];

#[tokio::test]
async fn projects() {
    let mut poster = Poster::start().await;
    for at in 0..NAMES.len() {
        let mut sent = poster.values(at);
        sent.id = format!("project:{at}");
        poster
            .service
            .arcsite("project.created", &format!(r#"{{"id":{at},{}}}"#, Poster::payload(&sent)))
            .await
            .accepted();
        poster.sent.push(sent);
        // Every other two come in one moment.
        poster.clock.advance(TimeDelta::seconds(i64::try_from(at % 2).unwrap()));
    }
    // A drawing's event is its project's, too.
    for at in [4, 1] {
        poster.clock.advance(TimeDelta::seconds(1));
        poster.service.arcsite("drawing.created", &format!(r#"{{"id":{at},"project_id":{at}}}"#)).await.accepted();
        poster.sent[at].last_event = poster.clock.now().timestamp_micros();
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
    poster.sent[2] = Sent { name: "aa".to_owned(), updated, last_event: now, ..poster.sent[2].clone() };
    poster.check("projects", &OF_VENDORS).await;
}

#[tokio::test]
async fn drawings() {
    let mut poster = Poster::start().await;
    for at in 0..NAMES.len() {
        let mut sent = poster.values(at);
        sent.id = format!("drawing:{at}");
        let name = serde_json::to_string(&sent.name).unwrap();
        let data = format!(r#"{{"id":{at},"project_id":{},"name":{name}}}"#, at % 3);
        poster.service.arcsite("drawing.created", &data).await.accepted();
        poster.sent.push(sent);
        poster.clock.advance(TimeDelta::seconds(i64::try_from(at % 2).unwrap()));
    }
    for at in [5, 0] {
        poster.clock.advance(TimeDelta::seconds(1));
        poster.service.arcsite("proposal.signed", &format!(r#"{{"drawing_id":{at}}}"#)).await.accepted();
        poster.sent[at].last_event = poster.clock.now().timestamp_micros();
    }
    poster.check("drawings", &["NAME", "LAST_EVENT_AT", "FIRST_SEEN_AT"]).await;
}

#[tokio::test]
async fn clients() {
    let mut poster = Poster::start().await;
    for at in 0..NAMES.len() {
        let mut sent = poster.values(at);
        sent.id = format!("client:{at}");
        poster
            .service
            .bidsketch("client_created", &format!(r#"{{"id":{at},{}}}"#, Poster::payload(&sent)))
            .await
            .accepted();
        poster.sent.push(sent);
        poster.clock.advance(TimeDelta::seconds(i64::try_from(at % 2).unwrap()));
    }
    poster.clock.advance(TimeDelta::seconds(1));
    poster.service.bidsketch("proposal_viewed", r#"{"id":1,"client":{"id":6}}"#).await.accepted();
    poster.sent[6].last_event = poster.clock.now().timestamp_micros();
    poster.check("clients", &OF_VENDORS).await;
}

/// Both vendors' in one list; one id may be both vendors'.
#[tokio::test]
async fn proposals() {
    let mut poster = Poster::start().await;
    for at in 0..NAMES.len() {
        let mut sent = poster.values(at);
        let number = at / 2;
        if at % 2 == 0 {
            sent.id = format!("proposal:bidsketch:{number}");
            let data = format!(r#"{{"id":{number},{}}}"#, Poster::payload(&sent));
            poster.service.bidsketch("proposal_created", &data).await.accepted();
        } else {
            // ArcSite gives its proposals no times.
            (sent.created, sent.updated) = (None, None);
            sent.id = format!("proposal:arcsite:{number}");
            let data = format!(r#"{{"proposal_id":{number},"status":"DRAFT",{}}}"#, Poster::payload(&sent));
            poster.service.arcsite("proposal.status_changed", &data).await.accepted();
        }
        poster.sent.push(sent);
        poster.clock.advance(TimeDelta::seconds(i64::try_from(at % 3).unwrap()));
    }
    poster.clock.advance(TimeDelta::seconds(1));
    poster.service.arcsite("proposal.payment.received", r#"{"proposal_id":2,"paid_amount":1}"#).await.accepted();
    poster.sent[5].last_event = poster.clock.now().timestamp_micros();
    poster.check("proposals", &["CREATED_AT", "UPDATED_AT", "NAME", "TOTAL", "LAST_EVENT_AT"]).await;
}

/// A name longer than what an order looks at still has its place, and its neighbours theirs.
#[tokio::test]
async fn long_names_that_begin_alike_are_each_given_once() {
    let service = Service::open().await;
    for at in 0..6 {
        let name = format!("{}{at}", "É".repeat(300));
        service.arcsite("project.created", &format!(r#"{{"id":{at},"name":"{name}"}}"#)).await.accepted();
    }
    let by_name = Pages::of("projects", "id name").with("orderBy: { field: NAME, direction: ASC }");
    assert_eq!(by_name.both_ways(&service, 1).await.len(), 6);
    service.stop().await;
}

async fn project(service: &Service, id: u32, name: &str) {
    service.arcsite("project.created", &format!(r#"{{"id":{id},"name":"{name}"}}"#)).await.accepted();
}

fn without(nodes: &[Value], moved: &[&str]) -> Vec<String> {
    texts(nodes, "name").into_iter().filter(|name| !moved.contains(&name.as_str())).collect()
}

/// What is inserted on this side of a place moves nothing, what is inserted beyond it is found; a row that moves may be
/// found twice or not at all, the others are found once.
#[tokio::test]
async fn rows_that_come_or_move_shift_no_others() {
    let service = Service::open().await;
    for (id, name) in ["b", "d", "f", "h", "j", "l", "n", "p"].into_iter().enumerate() {
        project(&service, u32::try_from(id).unwrap(), name).await;
    }
    let by_name = Pages::of("projects", "id name").with("orderBy: { field: NAME, direction: ASC }");
    let mut turn = 0;
    let seen = by_name
        .forward(&service, 3, async |_| {
            turn += 1;
            match turn {
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
    let mut turn = 0;
    let seen = by_name
        .backward(&service, 3, async |_| {
            turn += 1;
            if turn == 1 {
                project(&service, 200, "y").await;
                project(&service, 201, "e").await;
                service.arcsite("project.updated", r#"{"id":0,"name":"zz"}"#).await.accepted();
            }
        })
        .await;
    assert_eq!(texts(&seen, "name"), ["0", "a", "c", "d", "e", "f", "h", "j", "k", "l", "n", "z"]);

    // Along the newest event, with events that come: whoever gets one jumps to the front, the others stay.
    let mut turn = 0;
    let newest_first = Pages::of("projects", "id name");
    let before = texts(&newest_first.both_ways(&service, 100).await, "name");
    let seen = newest_first
        .forward(&service, 4, async |_| {
            turn += 1;
            if turn == 1 {
                service.arcsite("drawing.created", r#"{"id":1,"project_id":1}"#).await.accepted();
                project(&service, 300, "new").await;
            }
        })
        .await;
    assert!(turn > 1);
    let expected: Vec<String> = before.into_iter().filter(|name| name != "d").collect();
    assert_eq!(without(&seen, &["d"]), expected);
    service.stop().await;
}
