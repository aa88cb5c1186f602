//! `proposalStats` and `eventStats`: every number equals one that the test computes from the
//! payloads by itself.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Duration, NaiveDate, TimeDelta, Timelike, Utc};
use serde_json::{Value, json};
use simulator::hook::{Hook, Vendor};
use simulator::office::Office;

use crate::harness::{Launch, ManualClock, Service, Setup, assert_bad_user_input};

type Time = DateTime<Utc>;

/// A proposal's life, as its payloads tell it.
#[derive(Debug, Default)]
struct Life {
    created: Option<Time>,
    first_seen: Option<Time>,
    sent: Option<Time>,
    views: Vec<Time>,
    decided: Option<Time>,
    status: String,
    currency: Option<String>,
    /// In ten-thousandths.
    total: Option<i64>,
    paid: i64,
    updated: Option<Time>,
}

fn time(value: &Value) -> Option<Time> {
    let text = value.as_str()?;
    let with_zone = DateTime::parse_from_rfc3339(text).ok()?;
    Some(with_zone.to_utc())
}

fn units(value: &Value) -> Option<i64> {
    let text = value.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let sign = if whole.starts_with('-') { -1 } else { 1 };
    let fraction: i64 = format!("{fraction:0<4}").parse().ok()?;
    Some(whole.parse::<i64>().ok()? * 10_000 + sign * fraction)
}

fn id(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The lives of all proposals, by vendor and id.
type Lives = BTreeMap<(&'static str, String), Life>;

/// Adds an accepted delivery. The office of the simulator sends in order.
fn live(lives: &mut Lives, hook: &Hook, arrived: Time) {
    let body: Value = serde_json::from_str(&hook.body).unwrap();
    let data = &body["data"];
    match hook.vendor {
        Vendor::Bidsketch if hook.event.starts_with("proposal_") => {
            let life = lives.entry(("BIDSKETCH", id(&data["id"]))).or_default();
            let updated = time(&data["updated_at"]);
            let at = updated.filter(|updated| life.updated != Some(*updated)).unwrap_or(arrived);
            let status = data["status"].as_str().unwrap().to_uppercase();
            if ["ACCEPTED", "DECLINED"].contains(&&*status) && life.status != status {
                life.decided = updated;
            }
            match hook.event.as_str() {
                "proposal_sent" => life.sent = life.sent.or(Some(at)),
                "proposal_viewed" => life.views.push(at),
                _ => {}
            }
            life.created = time(&data["created_at"]);
            life.status = status;
            life.currency = data["currency"].as_str().map(str::to_owned);
            life.total = units(&data["total"]);
            life.updated = updated;
            life.first_seen.get_or_insert(arrived);
        }
        Vendor::Arcsite if hook.event == "proposal.payment.received" => {
            let life = lives.entry(("ARCSITE", id(&data["proposal_id"]))).or_default();
            life.paid += units(&data["paid_amount"]).unwrap();
        }
        Vendor::Arcsite if hook.event.starts_with("proposal.") && hook.event != "proposal.signed" => {
            let life = lives.entry(("ARCSITE", id(&data["proposal_id"]))).or_default();
            let status = match hook.event.as_str() {
                "proposal.sent" => "PENDING",
                "proposal.approved" => "ACCEPTED",
                _ => match data["status"].as_str().unwrap() {
                    "APPROVED" => "ACCEPTED",
                    status => status,
                },
            };
            if status == "PENDING" {
                life.sent.get_or_insert(arrived);
            }
            if ["ACCEPTED", "VOID", "LOST"].contains(&status) && life.status != status {
                life.decided = Some(arrived);
            }
            status.clone_into(&mut life.status);
            life.total = units(&data["total"]).or(life.total);
            life.first_seen.get_or_insert(arrived);
        }
        Vendor::Arcsite | Vendor::Bidsketch => {}
    }
}

/// A service with the hooks of some weeks of an office, and the lives of its proposals. Many hooks
/// are of hours and days later than the ones before.
async fn office(setup: Setup, clock: &ManualClock) -> (Service, Lives, Vec<(Time, Hook)>) {
    let service = setup.clock(clock).start().await;
    let (mut office, mut lives, mut accepted) = (Office::new(11, clock.now()), Lives::new(), Vec::new());
    for step in 0..350_i64 {
        clock.advance(TimeDelta::minutes(37 + step * 7 % 240));
        for hook in office.next_hooks_at(clock.now()) {
            if service.deliver(&hook).await.outcome == "ACCEPTED" {
                live(&mut lives, &hook, clock.now());
                accepted.push((clock.now(), hook));
            }
            clock.advance(TimeDelta::seconds(1));
        }
    }
    (service, lives, accepted)
}

impl Life {
    fn created(&self) -> Time {
        self.created.or(self.first_seen).unwrap()
    }
}

fn decimal(units: i64) -> String {
    let text = format!("{}.{:04}", units / 10_000, units % 10_000);
    let trimmed = text.trim_end_matches('0');
    let digits = trimmed.len() - trimmed.find('.').unwrap() - 1;
    format!("{trimmed}{}", "0".repeat(2_usize.saturating_sub(digits)))
}

/// An RFC 3339 text as the API writes times.
fn shown(time: Time) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

/// The first time of the month in Denver, which is seven hours behind from November to 8 March 2026
/// and then six.
fn month_in_denver(time: Time) -> Time {
    let offset = |time: Time| {
        let summer = NaiveDate::from_ymd_opt(2026, 3, 8).unwrap().and_hms_opt(9, 0, 0).unwrap().and_utc();
        Duration::hours(if time < summer { 7 } else { 6 })
    };
    let local = time - offset(time);
    let first =
        NaiveDate::from_ymd_opt(local.year(), local.month(), 1).unwrap().and_hms_opt(0, 0, 0).unwrap().and_utc();
    first + offset(first + Duration::hours(7))
}

/// What `proposalStats` must answer over these lives, in the zone of Denver.
fn expected(lives: &[(&'static str, &Life)], currency_of_arcsite: Option<&str>) -> Value {
    let order = ["DRAFT", "PENDING", "VIEWED", "ACCEPTED", "DECLINED", "VOID", "LOST"];
    let mut by_status = Vec::new();
    for status in order {
        let of_status: Vec<_> = lives.iter().filter(|(_, life)| life.status == status).collect();
        if of_status.is_empty() {
            continue;
        }
        let sum = |amount: &dyn Fn(&Life) -> Option<i64>| {
            let mut sums: BTreeMap<Option<String>, i64> = BTreeMap::new();
            for (provider, life) in &of_status {
                let of_office = currency_of_arcsite.filter(|_| *provider == "ARCSITE").map(str::to_owned);
                if let Some(amount) = amount(life) {
                    *sums.entry(life.currency.clone().or(of_office)).or_default() += amount;
                }
            }
            sums.into_iter()
                .map(|(currency, sum)| json!({ "currency": currency, "amount": decimal(sum) }))
                .collect::<Vec<_>>()
        };
        by_status.push(json!({
            "status": status, "count": of_status.len(), "totals": sum(&|life| life.total),
            "paid": sum(&|life| Some(life.paid).filter(|paid| *paid != 0)),
        }));
    }
    let mut funnel: BTreeMap<(Time, &str), [i64; 4]> = BTreeMap::new();
    for (provider, life) in lives {
        let entry = funnel.entry((month_in_denver(life.created()), provider)).or_default();
        entry[0] += 1;
        entry[1] += i64::from(life.sent.is_some());
        entry[2] += i64::from(!life.views.is_empty());
        entry[3] += i64::from(life.status == "ACCEPTED");
    }
    let funnel: Vec<Value> = funnel
        .into_iter()
        .map(|((start, provider), [created, sent, viewed, accepted])| {
            let viewed = (provider == "BIDSKETCH").then_some(viewed);
            json!({ "start": shown(start), "provider": provider, "created": created, "sent": sent, "viewed": viewed, "accepted": accepted })
        })
        .collect();
    let accepted = lives.iter().filter(|(_, life)| life.status == "ACCEPTED");
    let mut seconds: Vec<i64> =
        accepted.filter_map(|(_, life)| Some((life.decided? - life.sent?).num_seconds())).collect();
    seconds.sort_unstable();
    let count = seconds.len();
    let median = if count % 2 == 1 { seconds[count / 2] } else { (seconds[count / 2 - 1] + seconds[count / 2]) / 2 };
    let p90 =
        *seconds.iter().find(|limit| 10 * seconds.iter().filter(|value| value <= limit).count() >= 9 * count).unwrap();
    let mut hours: BTreeMap<(u32, u32), i64> = BTreeMap::new();
    for view in lives.iter().flat_map(|(_, life)| &life.views) {
        // The time at which the month begins shows the offset of the month's first day; a view's
        // own offset is that of its day.
        let summer = NaiveDate::from_ymd_opt(2026, 3, 8).unwrap().and_hms_opt(9, 0, 0).unwrap().and_utc();
        let local = *view - Duration::hours(if *view < summer { 7 } else { 6 });
        *hours.entry((local.weekday().number_from_monday(), local.hour())).or_default() += 1;
    }
    let hours: Vec<Value> = hours
        .into_iter()
        .map(|((weekday, hour), count)| json!({ "weekday": weekday, "hour": hour, "count": count }))
        .collect();
    json!({
        "byStatus": by_status, "funnel": funnel, "viewsByHour": hours,
        "timeToAccept": { "count": count, "medianSeconds": median, "p90Seconds": p90 },
    })
}

const STATS: &str = "byStatus { status count totals { currency amount } paid { currency amount } }
    funnel { start provider created sent viewed accepted } timeToAccept { count medianSeconds p90Seconds }
    viewsByHour { weekday hour count }";

async fn stats(service: &Service, arguments: &str) -> Value {
    let arguments = format!(r#"timeZone: "America/Denver" {arguments}"#);
    service.query(&format!("{{ proposalStats({arguments}) {{ {STATS} }} }}")).await["proposalStats"].take()
}

fn matching(lives: &Lives, matches: impl Fn(&str, &Life) -> bool) -> Vec<(&'static str, &Life)> {
    // A payment alone makes no proposal.
    let seen = lives.iter().filter(|(_, life)| life.first_seen.is_some());
    seen.filter(|((provider, _), life)| matches(provider, life))
        .map(|((provider, _), life)| (*provider, life))
        .collect()
}

#[tokio::test]
async fn every_number_is_that_of_the_payloads_before_and_after_a_rebuild() {
    let clock = ManualClock::new();
    let setup = Setup::new().with(|settings| settings.arcsite.currency = Some("USD".to_owned()));
    let (service, lives, _) = office(setup, &clock).await;
    let all = matching(&lives, |_, _| true);
    assert!(all.len() > 50, "{}", all.len());
    assert_eq!(stats(&service, "").await, expected(&all, Some("USD")));
    // Of a range, and of one vendor.
    let mut created: Vec<Time> = all.iter().map(|(_, life)| life.created()).collect();
    created.sort_unstable();
    let (from, before) = (created[created.len() / 4], created[created.len() * 3 / 4]);
    let range = format!("from: {:?}, before: {:?}", shown(from), shown(before));
    let in_range = |_: &str, life: &Life| (from..before).contains(&life.created());
    assert_eq!(stats(&service, &range).await, expected(&matching(&lives, in_range), Some("USD")));
    for provider in ["ARCSITE", "BIDSKETCH"] {
        let of_vendor = matching(&lives, |of, life| of == provider && in_range(of, life));
        let answer = stats(&service, &format!("{range}, provider: [{provider}]")).await;
        assert_eq!(answer, expected(&of_vendor, Some("USD")), "{provider}");
    }
    let database = service.stop().await;
    let rebuilt = Launch::new(database.directory()).arg("rebuild").arg("--database-url").arg(&database.url());
    let ended = rebuilt.run_within(std::time::Duration::from_secs(60)).await;
    assert!(ended.status.success(), "{ended:?}");
    // Without the setting ArcSite's amounts have no currency.
    let service = Setup::new().database(database).clock(&clock).start().await;
    assert_eq!(stats(&service, "").await, expected(&all, None));
    service.stop().await;
}

#[tokio::test]
async fn events_are_counted_in_their_buckets() {
    let clock = ManualClock::new();
    let (service, _, accepted) = office(Setup::new(), &clock).await;
    // Nepal is five hours and three quarters ahead.
    let offset = Duration::minutes(5 * 60 + 45);
    let (from, before) = (accepted[40].0, accepted[accepted.len() - 40].0);
    let log = service.log("receivedAt provider kind").await;
    let mut expected: BTreeMap<(Time, String, usize), i64> = BTreeMap::new();
    let kinds: Vec<Value> =
        service.query("{ __type(name: \"EventKind\") { enumValues { name } } }").await["__type"]["enumValues"]
            .as_array()
            .unwrap()
            .iter()
            .map(|kind| kind["name"].clone())
            .collect();
    for event in &log {
        let at = time(&event["receivedAt"]).unwrap();
        if !(from..before).contains(&at) {
            continue;
        }
        let day = (at + offset).date_naive().and_hms_opt(0, 0, 0).unwrap().and_utc() - offset;
        let kind = kinds.iter().position(|kind| *kind == event["kind"]).unwrap();
        *expected.entry((day, event["provider"].as_str().unwrap().to_owned(), kind)).or_default() += 1;
    }
    let expected: Vec<Value> = expected
        .into_iter()
        .map(|((start, provider, kind), count)| json!({ "start": shown(start), "provider": provider, "kind": kinds[kind], "count": count }))
        .collect();
    assert!(expected.len() > 50);
    let query = |filter: &str| {
        format!(
            "{{ eventStats(filter: {filter}, from: {:?}, before: {:?}, bucket: DAY, timeZone: \"Asia/Kathmandu\")
            {{ start provider kind count }} }}",
            shown(from),
            shown(before)
        )
    };
    assert_eq!(service.query(&query("{}")).await["eventStats"], json!(expected));
    let sent: Vec<&Value> = expected.iter().filter(|bucket| bucket["kind"] == "PROPOSAL_SENT").collect();
    assert_eq!(service.query(&query("{ kind: [PROPOSAL_SENT] }")).await["eventStats"], json!(sent));
    let data = service.query(&query("{ payloadContains: \"\\\"Accepted\\\"\" }")).await;
    let decided: i64 =
        data["eventStats"].as_array().unwrap().iter().map(|bucket| bucket["count"].as_i64().unwrap()).sum();
    let of_payloads =
        accepted.iter().filter(|(at, hook)| (from..before).contains(at) && hook.body.contains("\"Accepted\""));
    assert_eq!(decided, i64::try_from(of_payloads.count()).unwrap());
    assert!(decided > 0);
    service.stop().await;
}

/// The numbers and the cursor are of one moment: the events after the cursor are those that the
/// numbers lack.
#[tokio::test(flavor = "multi_thread")]
async fn cursor_is_the_position_of_the_numbers() {
    let service = Service::open().await;
    let client = service.client().clone();
    let posting = tokio::spawn(async move {
        for id in 0..60 {
            let data = format!(r#"{{"proposal_id":{id},"status":"PENDING"}}"#);
            client.arcsite("proposal.status_changed", &data).await.accepted();
        }
    });
    loop {
        let data = service
            .query(
                "{ proposalStats { cursor byStatus { count } a: funnel(bucket: DAY) { created } funnel { created } } }",
            )
            .await;
        let stats = &data["proposalStats"];
        let count = stats["byStatus"][0]["count"].as_i64().unwrap_or_default();
        let created = |name: &str| -> i64 {
            stats[name].as_array().unwrap().iter().map(|bucket| bucket["created"].as_i64().unwrap()).sum()
        };
        assert_eq!((created("a"), created("funnel")), (count, count));
        let cursor = &stats["cursor"];
        let rest = service
            .query_with(
                "query ($after: String) { eventFeed(after: $after, pageSize: 500) { events { id } } }",
                json!({ "after": cursor }),
            )
            .await;
        let first = &rest["eventFeed"]["events"][0]["id"];
        assert!(first.is_null() || *first == format!("event:{}", count + 1), "{first} after {count}");
        if count == 60 {
            break;
        }
    }
    posting.await.unwrap();
    service.stop().await;
}

#[tokio::test]
async fn bad_argument_is_named() {
    let service = Service::open().await;
    service.bidsketch("proposal_created", r#"{"id":1,"created_at":"1985-01-01T00:00:00Z"}"#).await.accepted();
    service.bidsketch("proposal_created", r#"{"id":2,"created_at":"2026-01-01T00:00:00Z"}"#).await.accepted();
    let range = r#"from: "2026-01-02T00:00:00Z", before: "2026-01-01T00:00:00Z""#;
    for (query, text) in [
        (r#"{ proposalStats(timeZone: "Mars/Olympus") { cursor } }"#.to_owned(), "`timeZone`"),
        (r#"{ proposalStats(timeZone: "") { cursor } }"#.to_owned(), "`timeZone`"),
        (format!("{{ proposalStats({range}) {{ cursor }} }}"), "`from` must be earlier than `before`"),
        (format!("{{ eventStats({range}, bucket: DAY) {{ count }} }}"), "`from` must be earlier than `before`"),
        ("{ proposalStats { funnel(bucket: DAY) { created } } }".to_owned(), "1000 buckets"),
        (
            r#"{ eventStats(from: "2026-01-01T00:00:00Z", before: "2026-02-11T16:00:01Z", bucket: HOUR) { count } }"#.to_owned(),
            "1000 buckets",
        ),
        (
            r#"{ eventStats(from: "2026-01-01T00:00:00Z", before: "2026-02-01T00:00:00Z", bucket: DAY, timeZone: "UTC+1") { count } }"#
                .to_owned(),
            "`timeZone`",
        ),
        (r#"{ events(filter: { payloadContains: " ab " }) { totalCount } }"#.to_owned(), "`payloadContains`"),
    ] {
        assert_bad_user_input(&service.query_error(&query).await, text);
    }
    let months = service.query("{ proposalStats { funnel { start created } } }").await;
    assert_eq!(
        months["proposalStats"]["funnel"],
        json!([{ "start": "1985-01-01T00:00:00Z", "created": 1 }, { "start": "2026-01-01T00:00:00Z", "created": 1 }])
    );
    // Odd times of a vendor do not cost the numbers.
    service.bidsketch("proposal_created", r#"{"id":3,"created_at":"0001-01-01T00:00:00Z"}"#).await.accepted();
    service.bidsketch("proposal_created", r#"{"id":4,"created_at":"2620-01-01T00:00:00Z"}"#).await.accepted();
    let query = "{ proposalStats { byStatus { count } funnel { start created } } }";
    let with_odd = service.query(query).await["proposalStats"].take();
    assert_eq!(with_odd["funnel"], months["proposalStats"]["funnel"]);
    let count = |row: &Value| row["count"].as_i64().unwrap();
    assert_eq!(with_odd["byStatus"].as_array().unwrap().iter().map(count).sum::<i64>(), 4);
    let at_most =
        r#"{ eventStats(from: "2026-01-01T00:00:00Z", before: "2026-02-11T16:00:00Z", bucket: HOUR) { count } }"#;
    assert_eq!(service.query(at_most).await["eventStats"], json!([]));
    service.stop().await;
}

#[tokio::test]
async fn empty_database_has_no_numbers() {
    let service = Service::open().await;
    let expected = json!({
        "byStatus": [], "funnel": [], "viewsByHour": [],
        "timeToAccept": { "count": 0, "medianSeconds": null, "p90Seconds": null },
    });
    assert_eq!(stats(&service, "").await, expected);
    service.stop().await;
}

/// Sums are exact beyond the largest amount, and unknown currencies are not added to known ones.
#[tokio::test]
async fn sums_do_not_overflow_and_do_not_mix_currencies() {
    let service = Service::open().await;
    for (id, currency) in [(1, "\"USD\""), (2, "\"USD\""), (3, "\"CAD\""), (4, "null"), (5, "\"dollars\"")] {
        let data = format!(r#"{{"id":{id},"status":"Pending","currency":{currency},"total":922337203685477.5807}}"#);
        service.bidsketch("proposal_created", &data).await.accepted();
    }
    service.arcsite("proposal.status_changed", r#"{"proposal_id":1,"status":"PENDING","total":-1.5}"#).await.accepted();
    let data = service.query("{ proposalStats { byStatus { totals { currency amount } } } }").await;
    let expected = json!([
        { "currency": null, "amount": "-1.50" },
        { "currency": null, "amount": "1844674407370955.1614" },
        { "currency": "CAD", "amount": "922337203685477.5807" },
        { "currency": "USD", "amount": "1844674407370955.1614" },
    ]);
    assert_eq!(data["proposalStats"]["byStatus"][0]["totals"], expected);
    service.stop().await;
}
