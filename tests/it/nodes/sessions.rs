//! Sessions on several nodes: a browser's next request may go to another one.

use reqwest::Method;
use serde_json::json;

use super::{start_nodes, stop};
use crate::harness::{Cluster, Database, HttpResponse, Process, TIMEOUT, add_key, eventually, revoke_key};

async fn status(node: &Process, cookie: &str) -> u16 {
    let request = node.request(Method::GET, "/graphql?query={headCursor}").header("cookie", cookie);
    HttpResponse::of(request.header("sec-fetch-site", "same-origin")).await.status
}

#[tokio::test]
async fn session_begins_and_ends_on_every_node() {
    let database = Database::in_cluster(&Cluster::shared());
    let token = add_key(&database, "office", "read").await;
    add_key(&database, "other", "read").await;
    let nodes = start_nodes(2, &database).await;
    let sign_in = async || {
        let response = nodes[0].post("/session", json!({ "token": token }).to_string()).await;
        response.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
    };
    for _ in 0..5 {
        let cookie = sign_in().await;
        assert_eq!(status(&nodes[1], &cookie).await, 200, "the other node knows it at once");
        assert_eq!(status(&nodes[0], &cookie).await, 200);
    }
    let cookie = sign_in().await;
    let sign_out = nodes[1].request(Method::DELETE, "/session").header("cookie", &cookie);
    assert_eq!(HttpResponse::of(sign_out.header("sec-fetch-site", "same-origin")).await.status, 204);
    let refused = async |cookie: &str| {
        for node in &nodes {
            eventually("the session is over", TIMEOUT, async || (status(node, cookie).await == 401).then_some(()))
                .await;
        }
    };
    refused(&cookie).await;
    let cookie = sign_in().await;
    revoke_key(&database, "office").await;
    refused(&cookie).await;
    stop(nodes, &database).await;
}
