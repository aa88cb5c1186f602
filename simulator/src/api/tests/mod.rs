//! The API through its front door: a real socket and a real client.

mod deliveries;
mod faults;
mod limits;
mod pages;
mod webhooks;

use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use super::*;

/// Longer than any answer on this machine takes. A test that waits this long fails.
const TEST_TIMEOUT: Duration = Duration::from_secs(10);

async fn start() -> BidsketchApi {
    BidsketchApi::start(Options::default()).await.unwrap()
}

fn client() -> Client {
    Client::builder().no_proxy().timeout(TEST_TIMEOUT).build().unwrap()
}

/// Makes a call with the valid token.
async fn call(api: &BidsketchApi, method: Method, path: &str, body: &str) -> reqwest::Result<Response> {
    let request = client().request(method, format!("{}{path}", api.url()));
    request.header("Authorization", r#"Token token="simulated""#).body(body.to_owned()).send().await
}

async fn get(api: &BidsketchApi, path: &str) -> (u16, Value) {
    status_and_body(call(api, Method::GET, path, "").await.unwrap()).await
}

async fn delete(api: &BidsketchApi, id: u64) -> u16 {
    call(api, Method::DELETE, &format!("/webhooks/{id}.json"), "").await.unwrap().status().as_u16()
}

async fn create(api: &BidsketchApi, body: &Value) -> (u16, Value) {
    status_and_body(call(api, Method::POST, "/webhooks.json", &body.to_string()).await.unwrap()).await
}

fn webhook(event: &str) -> Value {
    json!({"event": event, "endpoint": "http://127.0.0.1:9/hook"})
}

async fn status_and_body(answer: Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap())
}
