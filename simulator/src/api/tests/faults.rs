//! What goes wrong on request.

use super::*;

/// How long silence is listened to. An answer would be there at once.
const SILENCE: Duration = Duration::from_millis(100);

/// Waits until so many requests have come and so many webhooks are registered.
async fn until(api: &BidsketchApi, requests: usize, webhooks: usize) {
    let state = async {
        while (api.requests().len(), api.webhooks().len()) != (requests, webhooks) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(BOUND, state).await.unwrap();
}

#[tokio::test]
async fn a_status_does_nothing_but_answer() {
    let api = start().await;
    api.next(Fault::Status(500, "<h1>Sorry</h1>".to_owned()));
    api.next(Fault::Status(422, r#"{"errors":["no"]}"#.to_owned()));
    let body = webhook("client_created").to_string();
    let answer = call(&api, Method::POST, "/webhooks.json", &body).await.unwrap();
    assert_eq!(answer.status(), 500);
    assert_eq!(answer.text().await.unwrap(), "<h1>Sorry</h1>");
    assert_eq!(create(&api, &webhook("client_created")).await, (422, json!({"errors": ["no"]})));
    assert_eq!(api.webhooks(), []);
    // Both are used up.
    assert_eq!(create(&api, &webhook("client_created")).await.0, 200);
    let statuses: Vec<_> = api.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [Some(500), Some(422), Some(200)]);
}

#[tokio::test]
async fn a_hang_keeps_the_connection_open_without_an_answer() {
    for (fault, registered) in [(Fault::HangBefore, 0), (Fault::HangAfter, 1)] {
        let api = start().await;
        api.next(fault.clone());
        let body = webhook("client_created").to_string();
        let mut hanging = Box::pin(call(&api, Method::POST, "/webhooks.json", &body));
        tokio::select! {
            end = &mut hanging => panic!("{fault:?}: {end:?}"),
            () = until(&api, 1, registered) => {}
        }
        let end = tokio::time::timeout(SILENCE, &mut hanging).await;
        assert!(end.is_err(), "{fault:?}: neither an answer nor an end, but {end:?}");
        assert_eq!(api.requests()[0].status, None, "{fault:?}");
        assert_eq!(api.webhooks().len(), registered, "{fault:?}");
        // Meanwhile another request finds everything in order.
        assert_eq!(create(&api, &webhook("client_created")).await.0, 200, "{fault:?}");
    }
}

#[tokio::test]
async fn a_cut_closes_the_connection_without_an_answer() {
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
async fn another_body_hides_what_was_done() {
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
async fn a_dropped_api_answers_no_more() {
    let api = start().await;
    let (url, keeping_alive) = (api.url(), client());
    let ask = async || keeping_alive.get(format!("{url}/clients.json")).send().await;
    assert_eq!(ask().await.unwrap().status(), 400);
    drop(api);
    let refused = async { while ask().await.is_ok() {} };
    tokio::time::timeout(BOUND, refused).await.unwrap();
}
