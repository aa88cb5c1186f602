//! Links that are signed to expire: a redelivery renews them, and changes nothing else.

use serde_json::{Value, json};

use super::rebuild::rebuild;
use crate::harness::{Service, assert_same_rows};

fn link(file: &str, expires: u32) -> String {
    format!("https://cdn.example/{file}?Expires={expires}&Signature=s{expires}&Key-Pair-Id=K")
}

fn drawing(name: &str, pdf: &str, png: &str) -> String {
    json!({ "id": 2, "project_id": 1, "name": name, "pdf_url": pdf, "png_url": png }).to_string()
}

async fn state(service: &Service) -> Value {
    service.query(r#"{ drawing(vendorId: "2") { name pdfUrl pngUrl lastEventAt } }"#).await["drawing"].take()
}

#[tokio::test]
async fn redelivery_with_fresh_links_renews_them() {
    let service = Service::open().await;
    for (kind, vendor_type) in [("created", "drawing.created"), ("updated", "drawing.updated")] {
        let of = |expires| drawing(kind, &link("a.pdf", expires), &link("a.png", expires));
        let event = service.arcsite(vendor_type, &of(1_000)).await.accepted();
        let first = state(&service).await;
        assert_eq!((&first["pdfUrl"], &first["pngUrl"]), (&json!(link("a.pdf", 1_000)), &json!(link("a.png", 1_000))));
        service.arcsite(vendor_type, &of(2_000)).await.redelivery_of(&event);
        let renewed = state(&service).await;
        assert_eq!(
            (&renewed["pdfUrl"], &renewed["pngUrl"]),
            (&json!(link("a.pdf", 2_000)), &json!(link("a.png", 2_000)))
        );
        assert_eq!((&renewed["name"], &renewed["lastEventAt"]), (&first["name"], &first["lastEventAt"]));
        // A late, older repeat does not take them back.
        service.arcsite(vendor_type, &of(1_500)).await.redelivery_of(&event);
        service.arcsite(vendor_type, &of(1_000)).await.redelivery_of(&event);
        assert_eq!(state(&service).await, renewed);
    }
    let database = service.stop().await;
    let before = database.dump().await;
    rebuild(&database).await;
    assert_same_rows(&before, &database.dump().await);
}

/// A creation repeated after the drawing has changed.
#[tokio::test]
async fn redelivery_renews_no_link_that_the_drawing_no_longer_has() {
    let service = Service::open().await;
    let created = |expires| drawing("created", &link("a.pdf", expires), &link("a.png", expires));
    let event = service.arcsite("drawing.created", &created(1_000)).await.accepted();
    service
        .arcsite("drawing.updated", &drawing("updated", &link("b.pdf", 1_000), &link("a.png", 900)))
        .await
        .accepted();
    service.arcsite("drawing.created", &created(2_000)).await.redelivery_of(&event);
    let after = state(&service).await;
    assert_eq!((&after["name"], &after["pdfUrl"]), (&json!("updated"), &json!(link("b.pdf", 1_000))));
    assert_eq!(after["pngUrl"], link("a.png", 2_000));
    // The next event has the last word, even with a link that expires earlier.
    service.arcsite("drawing.updated", &drawing("again", &link("a.pdf", 500), &link("a.png", 500))).await.accepted();
    assert_eq!(state(&service).await["pngUrl"], link("a.png", 500));
    // The bytes of the creation itself renew it again.
    service.arcsite("drawing.created", &created(1_000)).await.redelivery_of(&event);
    assert_eq!(state(&service).await["pngUrl"], link("a.png", 1_000));
    let database = service.stop().await;
    let before = database.dump().await;
    rebuild(&database).await;
    assert_same_rows(&before, &database.dump().await);
}

#[tokio::test]
async fn redelivery_changes_no_link_that_does_not_expire() {
    let service = Service::open().await;
    let plain = drawing("a", "https://cdn.example/a.pdf", "https://cdn.example/a.png?page=1");
    let event = service.arcsite("drawing.created", &plain).await.accepted();
    let before = state(&service).await;
    service.arcsite("drawing.created", &plain).await.redelivery_of(&event);
    assert_eq!(state(&service).await, before);
    let renewals =
        service.database().numbers("SELECT COUNT(*) FROM delivery WHERE links_renewed_after IS NOT NULL").await;
    assert_eq!(renewals, [0]);
    service.stop().await;
}
