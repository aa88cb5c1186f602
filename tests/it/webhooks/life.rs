//! The life of a webhook: it is created, delivers, is listed and deleted, and its URL stays
//! retired.

use serde_json::{Value, json};

use super::{TOKEN, calls, create, create_all, created, delete, list, path, proposal, service, user_error, vendor};
use crate::harness::{Client, Setup, Socket, TIMEOUT, assert_bad_user_input, envelope, eventually};

#[tokio::test]
async fn webhook_created_and_deleted_retires_its_url() {
    let api = vendor().await;
    let service = service(&api).await;
    let webhook = created(&service, "PROPOSAL_SENT").await;
    let endpoint = webhook["endpoint"].as_str().unwrap();
    assert!(endpoint.starts_with(&format!("{}/webhooks/bidsketch/", service.base())), "{endpoint}");
    let registered = api.webhooks();
    assert_eq!(registered.len(), 1);
    assert_eq!((registered[0].event.as_str(), registered[0].endpoint.as_str()), ("proposal_sent", endpoint));
    assert_eq!(webhook["vendorId"], registered[0].id.to_string());

    let mut events = service.subscribe("subscription { events { kind } }").await;
    let deliveries = api.deliver("proposal_sent", &proposal(7)).await;
    assert_eq!(deliveries.iter().map(|delivery| delivery.status).collect::<Vec<_>>(), [Some(200)]);
    assert_eq!(events.next().await["events"]["kind"], "PROPOSAL_SENT");
    events.complete().await;

    let listed = list(&service).await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["endpoint"], format!("{}/webhooks/bidsketch/…", service.base()));
    assert_eq!(listed[0]["state"], "ACTIVE");
    assert_eq!(listed[0]["deliveryCount"], 1);
    api.deliver("proposal_sent", &proposal(7)).await;
    api.deliver("proposal_sent", "[]").await;
    assert_eq!(list(&service).await[0]["deliveryCount"], 3, "redeliveries and quarantined deliveries count");
    assert!(listed[0]["lastDeliveryAt"].is_string() && listed[0]["lastError"].is_null(), "{}", listed[0]);
    let node = "query ($id: ID!) { node(id: $id) { __typename id ... on BidsketchWebhook { event } } }";
    let node = service.query_with(node, json!({ "id": webhook["id"] })).await;
    assert_eq!(
        node["node"],
        json!({ "__typename": "BidsketchWebhook", "id": webhook["id"], "event": "PROPOSAL_SENT" })
    );

    let deleted = delete(&service, json!({ "id": webhook["id"] })).await;
    assert_eq!((&deleted["userErrors"], &deleted["bidsketchWebhook"]["state"]), (&json!([]), &json!("DELETED")));
    assert!(api.webhooks().is_empty());
    assert!(list(&service).await.is_empty());
    let all = service.query("{ bidsketchWebhooks(state: [DELETED]) { id } }").await;
    assert_eq!(all["bidsketchWebhooks"], json!([{ "id": webhook["id"] }]));

    let answer = service.post(path(endpoint), envelope("proposal_sent", &proposal(8))).await;
    assert_eq!(answer.status, 410, "{answer:?}");
    assert_eq!(service.get(path(endpoint)).await.status, 405, "a GET is no delivery");
    assert_eq!(service.event_count().await, 1);
    // A second deletion succeeds without a request to Bidsketch.
    let again = delete(&service, json!({ "id": webhook["id"] })).await;
    assert_eq!((&again["userErrors"], &again["bidsketchWebhook"]["state"]), (&json!([]), &json!("DELETED")));
    assert_eq!(calls(&api, "DELETE"), 1);
    service.stop().await;
}

#[tokio::test]
async fn deletion_that_failed_keeps_the_url_retired_and_is_repeated_at_the_start() {
    let api = vendor().await;
    let first = service(&api).await;
    let webhook = created(&first, "CLIENT_CREATED").await;
    let endpoint = webhook["endpoint"].as_str().unwrap().to_owned();
    // Bidsketch refuses the deletion.
    api.next(simulator::api::Fault::Status(401, r#"{"error":"revoked"}"#.to_owned()));
    let deleted = delete(&first, json!({ "id": webhook["id"] })).await;
    assert_eq!(user_error(&deleted).0, "VENDOR_UNAUTHORIZED");
    assert_eq!(deleted["bidsketchWebhook"]["state"], "DELETING");
    assert_eq!(api.webhooks().len(), 1);
    assert_eq!(first.post(path(&endpoint), envelope("client_created", r#"{"id":1}"#)).await.status, 410);
    // Without a token, the start sends no request either.
    let second = Setup::new().database(first.stop().await).start().await;
    assert_eq!(second.post(path(&endpoint), envelope("client_created", r#"{"id":1}"#)).await.status, 410);
    assert_eq!(list(&second).await[0]["state"], "DELETING");
    // With the token, the deletion is sent again.
    let third = Setup::new().bidsketch_api(&api, TOKEN).database(second.stop().await).start().await;
    eventually("the webhook is deleted", TIMEOUT, async || {
        (api.webhooks().is_empty() && list(&third).await.is_empty()).then_some(())
    })
    .await;
    third.stop().await;
}

#[tokio::test]
async fn create_all_twice_makes_seven_webhooks() {
    let api = vendor().await;
    let service = service(&api).await;
    let first = created(&service, "PROPOSAL_VIEWED").await;
    let all = create_all(&service).await;
    assert_eq!(all["userErrors"], json!([]));
    let webhooks = all["bidsketchWebhooks"].as_array().unwrap();
    assert_eq!(webhooks.len(), 7);
    assert!(webhooks.iter().all(|webhook| webhook["state"] == "ACTIVE"), "{all}");
    assert!(webhooks.iter().any(|webhook| webhook["id"] == first["id"]), "the existing webhook stays: {all}");
    let again = create_all(&service).await;
    let ids = |all: &Value| crate::harness::texts(all["bidsketchWebhooks"].as_array().unwrap(), "id");
    assert_eq!((ids(&again), &again["userErrors"]), (ids(&all), &json!([])));
    let mut events: Vec<String> = api.webhooks().into_iter().map(|webhook| webhook.event).collect();
    events.sort();
    assert_eq!(
        events,
        [
            "client_created",
            "proposal_accepted",
            "proposal_accepted_or_declined",
            "proposal_created",
            "proposal_declined",
            "proposal_sent",
            "proposal_viewed"
        ]
    );
    assert_eq!(calls(&api, "POST"), 7);
    service.stop().await;
}

#[tokio::test]
async fn create_all_with_one_failure_reports_it_and_keeps_the_rest() {
    let api = vendor().await;
    let service = service(&api).await;
    api.next(simulator::api::Fault::Status(422, r#"{"errors":["Endpoint is not liked"]}"#.to_owned()));
    let all = create_all(&service).await;
    let (code, message) = user_error(&all);
    assert_eq!(code, "VENDOR_REJECTED");
    assert!(message.contains("Endpoint is not liked"), "{message}");
    let failed = all["bidsketchWebhooks"].as_array().unwrap().iter().find(|webhook| webhook["state"] == "FAILED");
    let event = failed.unwrap()["event"].as_str().unwrap();
    assert!(message.starts_with(&format!("{event}: ")), "{message} names {event}");
    assert_eq!(api.webhooks().len(), 6);
    // A second call creates the missing one.
    assert_eq!(create_all(&service).await["userErrors"], json!([]));
    assert_eq!((api.webhooks().len(), calls(&api, "POST")), (7, 8));
    service.stop().await;
}

#[tokio::test]
async fn creations_of_one_event_at_once_make_one_webhook() {
    let api = vendor().await;
    let service = service(&api).await;
    let clients: Vec<Client> = (0..6).map(|_| service.client().clone()).collect();
    let payloads =
        futures_util::future::join_all(clients.iter().map(|client| create(client, "PROPOSAL_DECLINED"))).await;
    for payload in &payloads {
        assert_eq!(payload["userErrors"], json!([]), "{payload}");
        assert_eq!(payload["bidsketchWebhook"]["id"], payloads[0]["bidsketchWebhook"]["id"]);
    }
    let unmasked =
        payloads.iter().filter(|payload| !payload["bidsketchWebhook"]["endpoint"].as_str().unwrap().contains('…'));
    assert_eq!(unmasked.count(), 1, "the secret is shown once");
    assert_eq!((calls(&api, "POST"), api.webhooks().len(), list(&service).await.len()), (1, 1, 1));
    service.stop().await;
}

#[tokio::test]
async fn deletion_of_a_webhook_gone_at_bidsketch_or_made_by_hand_succeeds() {
    let api = vendor().await;
    let service = service(&api).await;
    let webhook = created(&service, "PROPOSAL_CREATED").await;
    let vendor_id = webhook["vendorId"].as_str().unwrap();
    api.next(simulator::api::Fault::Status(404, "{}".to_owned()));
    let deleted = delete(&service, json!({ "vendorId": vendor_id })).await;
    assert_eq!((&deleted["userErrors"], &deleted["bidsketchWebhook"]["state"]), (&json!([]), &json!("DELETED")));

    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = http
        .post(format!("{}/webhooks.json", api.url()))
        .header("authorization", format!("Token token=\"{TOKEN}\""))
        .json(&json!({ "event": "client_created", "endpoint": "https://office.example.com/hook" }))
        .send()
        .await
        .unwrap();
    let id = response.json::<Value>().await.unwrap()["id"].to_string();
    let deleted = delete(&service, json!({ "vendorId": id })).await;
    assert_eq!(deleted, json!({ "bidsketchWebhook": null, "userErrors": [] }));
    assert!(api.webhooks().iter().all(|webhook| webhook.id.to_string() != id));
    let gone = delete(&service, json!({ "vendorId": id })).await;
    assert_eq!(user_error(&gone).0, "NOT_FOUND");
    assert_eq!(gone["userErrors"][0]["field"], json!(["input", "vendorId"]));
    service.stop().await;
}

/// The variables are coerced before the first field of a mutation runs.
#[tokio::test]
async fn mutation_whose_second_variable_is_missing_creates_nothing() {
    let api = vendor().await;
    let service = service(&api).await;
    let query = "mutation ($a: BidsketchEvent!, $b: BidsketchEvent!) {
        a: createBidsketchWebhook(input: { event: $a }) { userErrors { code } }
        b: createBidsketchWebhook(input: { event: $b }) { userErrors { code } } }";
    let request = json!({ "query": query, "variables": { "a": "PROPOSAL_SENT" } });
    let expected = "the variable $b of type BidsketchEvent! has no value";
    for (accept, status) in [("application/graphql-response+json", 400), ("application/json", 200)] {
        let post = service.request(reqwest::Method::POST, "/graphql").header("accept", accept);
        let post = post.header("content-type", "application/json").body(request.to_string());
        let refused = crate::harness::HttpResponse::of(post).await;
        assert_eq!((refused.status, refused.json().get("data")), (status, None), "{refused:?}");
        assert_bad_user_input(&refused.json()["errors"][0], expected);
        assert_eq!(refused.json()["errors"][0]["locations"], json!([{ "line": 1, "column": 32 }]));
    }
    let mut socket = Socket::open(&service).await;
    socket.send(json!({ "id": "1", "type": "subscribe", "payload": request })).await;
    let message = socket.json().await;
    assert_eq!(message["type"], "error", "{message}");
    assert_bad_user_input(&message["payload"][0], expected);
    assert_eq!((calls(&api, "POST"), list(&service).await.len()), (0, 0));
    service.stop().await;
}

#[tokio::test]
async fn webhook_connection_gives_the_list_in_pages() {
    let api = vendor().await;
    let service = service(&api).await;
    create_all(&service).await;
    let all = list(&service).await;
    delete(&service, json!({ "id": all[2]["id"] })).await;
    let listed: Vec<Value> = list(&service).await.iter().map(|webhook| json!({ "id": webhook["id"] })).collect();
    assert_eq!(listed.len(), 6);
    let query = "query ($first: Int, $after: String, $last: Int, $before: String, $state: [BidsketchWebhookState!]) {
        page: bidsketchWebhookConnection(first: $first, after: $after, last: $last, before: $before, state: $state) {
            totalCount nodes { id } edges { cursor node { id } } pageInfo { hasPreviousPage hasNextPage startCursor endCursor } } }";
    let page = async |variables: Value| service.query_with(query, variables).await["page"].take();
    let first = page(json!({ "first": 4 })).await;
    assert_eq!((&first["nodes"], &first["totalCount"]), (&json!(listed[..4]), &json!(6)));
    assert_eq!(first["edges"][3]["node"], listed[3]);
    let info = &first["pageInfo"];
    assert_eq!((&info["hasNextPage"], &info["endCursor"]), (&json!(true), &first["edges"][3]["cursor"]));
    let second = page(json!({ "first": 4, "after": info["endCursor"] })).await;
    assert_eq!((&second["nodes"], &second["pageInfo"]["hasNextPage"]), (&json!(listed[4..]), &json!(false)));
    let back = page(json!({ "last": 3, "before": second["pageInfo"]["startCursor"] })).await;
    assert_eq!((&back["nodes"], &back["pageInfo"]["hasPreviousPage"]), (&json!(listed[1..4]), &json!(true)));
    let deleted = page(json!({ "state": "DELETED" })).await;
    assert_eq!((&deleted["nodes"], &deleted["totalCount"]), (&json!([{ "id": all[2]["id"] }]), &json!(1)));
    let of_another_list = service.query("{ headCursor }").await["headCursor"].take();
    let refused = service.graphql(query, json!({ "after": of_another_list })).await.json();
    assert_bad_user_input(&refused["errors"][0], "another list");
    service.stop().await;
}
