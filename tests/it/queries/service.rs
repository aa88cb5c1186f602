//! What the service tells of itself.

use serde_json::{Value, json};

use crate::harness::{Client, Database, ManualClock, Service, Setup, TIMEOUT, add_key, eventually};

const VENDORS: &str =
    "{ service { vendors { provider configured hookUrl apiConfigured lastDeliveryAt lastRefusedAt quarantined } } }";

async fn vendors(client: &Client) -> Value {
    client.query(VENDORS).await["service"]["vendors"].take()
}

#[tokio::test]
async fn service_in_open_mode_tells_its_defaults() {
    let service = Service::open().await;
    let data = service.query("{ service { version name publicUrl openMode timeZone defaultCurrency } }").await;
    assert_eq!(
        data["service"],
        json!({ "version": env!("CARGO_PKG_VERSION"), "name": null, "publicUrl": null, "openMode": true,
                "timeZone": "UTC", "defaultCurrency": null })
    );
    let vendors = vendors(&service).await;
    for (at, name) in ["arcsite", "bidsketch"].into_iter().enumerate() {
        assert_eq!(
            vendors[at],
            json!({ "provider": name.to_uppercase(), "configured": false, "hookUrl": format!("{}/webhooks/{name}", service.base()),
                    "apiConfigured": false, "lastDeliveryAt": null, "lastRefusedAt": null, "quarantined": 0 })
        );
    }
    service.stop().await;
}

#[tokio::test]
async fn service_set_up_tells_its_settings_without_secrets() {
    let database = Database::fresh();
    let token = add_key(&database, "office", "read").await;
    let (arcsite_path, bidsketch_path) = ("arcsite-path-0123456789", "bidsketch-path-0123456789");
    let set = |settings: &mut bidarc::config::Settings| {
        settings.server.public_url = Some("https://hooks.example.com".into());
        settings.service.name = Some("Roofs Ltd".to_owned());
        settings.service.time_zone = "America/New_York".to_owned();
        settings.bidsketch.api_token = Some("api-token-0123456789".into());
    };
    let setup = Setup::new().database(database).arcsite_token(arcsite_path).bidsketch_token(bidsketch_path).with(set);
    let service = setup.start().await;
    let client = service.with_token(&token);
    let text = client.graphql(&format!("{VENDORS} "), json!({})).await.body;
    for secret in [arcsite_path, bidsketch_path, "api-token"] {
        assert!(!text.contains(secret), "{text}");
    }
    let data = client.query("{ service { name publicUrl openMode timeZone } }").await;
    assert_eq!(
        data["service"],
        json!({ "name": "Roofs Ltd", "publicUrl": "https://hooks.example.com", "openMode": false, "timeZone": "America/New_York" })
    );
    let vendors = vendors(&client).await;
    for (at, name) in ["arcsite", "bidsketch"].into_iter().enumerate() {
        let vendor = &vendors[at];
        assert_eq!(vendor["hookUrl"], format!("https://hooks.example.com/webhooks/{name}/…"));
        assert_eq!((&vendor["configured"], &vendor["apiConfigured"]), (&true.into(), &(at == 1).into()));
    }
    service.stop().await;
}

#[tokio::test]
async fn vendors_show_their_last_deliveries_refusals_and_quarantine() {
    let clock = ManualClock::new();
    let service = Setup::new().clock(&clock).signing_secrets(&["whsec_0123456789"]).start().await;
    service.bidsketch("client_created", r#"{"id":1}"#).await.accepted();
    let delivered_at = clock.now();
    clock.advance(chrono::TimeDelta::minutes(1));
    for _ in 0..2 {
        service.post("/webhooks/bidsketch", "wrong").await.receipt();
    }
    let quarantined_at = clock.now();
    clock.advance(chrono::TimeDelta::minutes(1));
    assert_eq!(service.post("/webhooks/arcsite", "{}").await.status, 401);
    let refused_at = clock.now();
    let time = |time: bidarc::clock::Time| Value::from(time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true));
    let vendors = eventually("the refusal is written", TIMEOUT, async || {
        let vendors = vendors(&service).await;
        (!vendors[0]["lastRefusedAt"].is_null()).then_some(vendors)
    })
    .await;
    assert!(delivered_at < quarantined_at);
    assert_eq!(vendors[0]["lastRefusedAt"], time(refused_at));
    assert_eq!((&vendors[0]["lastDeliveryAt"], &vendors[0]["quarantined"]), (&Value::Null, &0.into()));
    assert_eq!(vendors[0]["hookUrl"], format!("{}/webhooks/arcsite", service.base()));
    assert_eq!((&vendors[0]["configured"], &vendors[1]["configured"]), (&true.into(), &false.into()));
    assert_eq!(
        (&vendors[1]["lastDeliveryAt"], &vendors[1]["lastRefusedAt"], &vendors[1]["quarantined"]),
        (&time(quarantined_at), &Value::Null, &2.into())
    );
    service.stop().await;
}

#[test]
fn time_zone_is_a_name_of_the_database_of_zones() {
    use bidarc::config::{Overrides, Settings};
    let load = |zone: &str| Settings::load(None, [("BIDARC_SERVICE__TIME_ZONE", zone)], Overrides::default());
    for (given, zone) in [("Europe/Berlin", "Europe/Berlin"), ("utc", "UTC"), ("america/new_york", "America/New_York")]
    {
        assert_eq!(load(given).unwrap().service.time_zone, zone);
    }
    for given in ["", "Europe", "Mars/Base", "UTC+1", "/etc/localtime", "../UTC"] {
        let error = load(given).unwrap_err().to_string();
        assert!(error.contains("service.time_zone") && error.contains("Europe/Berlin"), "{given}: {error}");
    }
}
