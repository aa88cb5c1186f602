//! Faults that a test requests.

use super::*;

/// How long a test waits for an answer that must not come.
const SILENCE: Duration = Duration::from_millis(100);

/// Waits until the API has this many requests and webhooks.
async fn wait_until_counts(api: &BidsketchApi, requests: usize, webhooks: usize) {
    let state = async {
        while (api.requests().len(), api.webhooks().len()) != (requests, webhooks) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(TEST_TIMEOUT, state).await.unwrap();
}

#[tokio::test]
async fn status_fault_answers_without_effect() {
    let api = start().await;
    api.next(Fault::Status(500, "<h1>Sorry</h1>".to_owned()));
    api.next(Fault::Status(422, r#"{"errors":["no"]}"#.to_owned()));
    let body = webhook("client_created").to_string();
    let answer = call(&api, Method::POST, "/webhooks.json", &body).await.unwrap();
    assert_eq!(answer.status(), 500);
    assert_eq!(answer.text().await.unwrap(), "<h1>Sorry</h1>");
    assert_eq!(create(&api, &webhook("client_created")).await, (422, json!({"errors": ["no"]})));
    assert_eq!(api.webhooks(), []);
    // Both faults are used up.
    assert_eq!(create(&api, &webhook("client_created")).await.0, 200);
    let statuses: Vec<_> = api.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [Some(500), Some(422), Some(200)]);
}

#[tokio::test]
async fn hang_fault_keeps_the_connection_open_without_an_answer() {
    for (fault, registered) in [(Fault::HangBefore, 0), (Fault::HangAfter, 1)] {
        let api = start().await;
        api.next(fault.clone());
        let body = webhook("client_created").to_string();
        let mut hanging = Box::pin(call(&api, Method::POST, "/webhooks.json", &body));
        tokio::select! {
            end = &mut hanging => panic!("{fault:?}: {end:?}"),
            () = wait_until_counts(&api, 1, registered) => {}
        }
        let end = tokio::time::timeout(SILENCE, &mut hanging).await;
        assert!(end.is_err(), "{fault:?}: neither an answer nor an end, but {end:?}");
        assert_eq!(api.requests()[0].status, None, "{fault:?}");
        assert_eq!(api.webhooks().len(), registered, "{fault:?}");
        // Another request is not affected.
        assert_eq!(create(&api, &webhook("client_created")).await.0, 200, "{fault:?}");
    }
}

#[tokio::test]
async fn cut_fault_closes_the_connection_without_an_answer() {
    for (fault, registered) in [(Fault::CutBefore, 0), (Fault::CutAfter, 1)] {
        let api = start().await;
        api.next(fault.clone());
        let body = webhook("client_created").to_string();
        let error = call(&api, Method::POST, "/webhooks.json", &body).await.unwrap_err();
        assert!(!error.is_timeout() && !error.is_status(), "{fault:?}: {error:?}");
        assert_eq!(api.requests()[0].status, None, "{fault:?}");
        assert_eq!(api.webhooks().len(), registered, "{fault:?}");
        assert_eq!(create(&api, &webhook("client_created")).await.0, 200, "{fault:?}");
    }
}

#[tokio::test]
async fn body_fault_hides_the_performed_call() {
    let api = start().await;
    api.next(Fault::NotJson);
    api.next(Fault::Body(r#"{"id":"seven"}"#.to_owned()));
    let body = webhook("client_created").to_string();
    let answer = call(&api, Method::POST, "/webhooks.json", &body).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.json::<Value>().await.unwrap_err().is_decode());
    assert_eq!(create(&api, &webhook("proposal_sent")).await, (200, json!({"id": "seven"})));
    assert_eq!(api.webhooks().len(), 2);
}

#[tokio::test]
async fn dropped_api_refuses_connections() {
    let api = start().await;
    let (url, keeping_alive) = (api.url(), client());
    let request = async || keeping_alive.get(format!("{url}/clients.json")).send().await;
    assert_eq!(request().await.unwrap().status(), 400);
    drop(api);
    let refused = async { while request().await.is_ok() {} };
    tokio::time::timeout(TEST_TIMEOUT, refused).await.unwrap();
}
