//! The webhooks at Bidsketch. The simulator's API is a real server that stores them and sends
//! deliveries.

use serde_json::{Value, json};
use simulator::api::{BidsketchApi, Options};

use crate::harness::{Client, Service, Setup};

mod answers;
mod crashes;
mod endpoints;
mod life;
mod secrets;

const TOKEN: &str = "bidsketch-api-token-0123456789";

const CREATE: &str = "mutation ($event: BidsketchEvent!, $endpoint: Url) {
    createBidsketchWebhook(input: { event: $event, endpoint: $endpoint }) {
        bidsketchWebhook { id vendorId event endpoint state lastError lastDeliveryAt }
        userErrors { code message field }
    }
}";
const CREATE_ALL: &str = "mutation { createAllBidsketchWebhooks {
    bidsketchWebhooks { id vendorId event endpoint state }
    userErrors { code message field }
} }";
const DELETE: &str = "mutation ($input: DeleteBidsketchWebhookInput!) { deleteBidsketchWebhook(input: $input) {
    bidsketchWebhook { id vendorId state endpoint lastError }
    userErrors { code message field }
} }";
const LIST: &str =
    "{ bidsketchWebhooks { id vendorId event endpoint state lastError createdAt lastDeliveryAt deliveryCount } }";

async fn vendor() -> BidsketchApi {
    BidsketchApi::start(Options { token: TOKEN.to_owned(), ..Options::default() }).await.unwrap()
}

async fn service(api: &BidsketchApi) -> Service {
    Setup::new().bidsketch_api(api, TOKEN).start().await
}

async fn create(client: &Client, event: &str) -> Value {
    create_at(client, event, None).await
}

async fn create_at(client: &Client, event: &str, endpoint: Option<&str>) -> Value {
    let variables = json!({ "event": event, "endpoint": endpoint });
    client.query_with(CREATE, variables).await["createBidsketchWebhook"].take()
}

/// Creates a webhook, which must succeed.
async fn created(client: &Client, event: &str) -> Value {
    let mut payload = create(client, event).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload}");
    assert_eq!(payload["bidsketchWebhook"]["state"], "ACTIVE", "{payload}");
    payload["bidsketchWebhook"].take()
}

async fn create_all(client: &Client) -> Value {
    client.query(CREATE_ALL).await["createAllBidsketchWebhooks"].take()
}

async fn delete(client: &Client, input: Value) -> Value {
    client.query_with(DELETE, json!({ "input": input })).await["deleteBidsketchWebhook"].take()
}

async fn list(client: &Client) -> Vec<Value> {
    client.query(LIST).await["bidsketchWebhooks"].as_array().unwrap().clone()
}

/// The code and the message of the only user error.
#[track_caller]
fn user_error(payload: &Value) -> (&str, &str) {
    let errors = payload["userErrors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{payload}");
    (errors[0]["code"].as_str().unwrap(), errors[0]["message"].as_str().unwrap())
}

/// The number of requests to Bidsketch with this method.
fn calls(api: &BidsketchApi, method: &str) -> usize {
    api.requests().iter().filter(|request| request.method == method).count()
}

/// The path of a hook's URL.
fn path(endpoint: &str) -> &str {
    &endpoint[endpoint.find("/webhooks/").unwrap()..]
}

/// The payload of a `proposal_sent`.
fn proposal(id: u64) -> String {
    json!({ "id": id, "name": "Gazebo", "status": "Pending", "updated_at": "2014-05-12T12:45:01-05:00" }).to_string()
}
