//! Authentication, the rate limit and the account's limit.

use super::*;

#[tokio::test]
async fn missing_token_is_400_and_wrong_token_is_401() {
    let api = start().await;
    let status = async |value: &str| {
        let request = client().get(format!("{}/clients.json", api.url())).header("Authorization", value);
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        assert!(status == 200 || answer.json::<Value>().await.unwrap()["error"].is_string());
        status
    };
    assert_eq!(client().get(format!("{}/clients.json", api.url())).send().await.unwrap().status(), 400);
    assert_eq!(status("Bearer simulated").await, 400);
    assert_eq!(status(r#"Token token="""#).await, 400);
    assert_eq!(status(r#"Token token="Simulated""#).await, 401);
    assert_eq!(status(r#"Token token="simulated2""#).await, 401);
    assert_eq!(status(r#"Token token="simulated""#).await, 200);
    assert_eq!(status("Token token=simulated").await, 200);
    // Without a token, an unknown path looks like any other.
    let nothing = client().get(format!("{}/nothing.json", api.url())).send().await.unwrap();
    assert_eq!(nothing.status(), 400);
}

#[tokio::test]
async fn request_past_the_rate_is_429_without_effect() {
    // An hour, so that on a slow machine every request of this test counts.
    let rate = Some((2, Duration::from_secs(3600)));
    let api = BidsketchApi::start(Options { rate, ..Options::default() }).await.unwrap();
    let unauthorized = client().get(format!("{}/clients.json", api.url())).header("Authorization", "Token token=x");
    assert_eq!(unauthorized.send().await.unwrap().status(), 401, "does not use up the token's requests");
    assert_eq!(get(&api, "/clients.json").await.0, 200);
    assert_eq!(get(&api, "/nothing.json").await.0, 404, "counts as well");
    let (status, answer) = create(&api, &webhook("client_created")).await;
    assert_eq!(status, 429);
    assert!(answer["error"].is_string());
    assert_eq!(api.webhooks(), []);
}

#[tokio::test]
async fn rate_default_is_documented_and_none_is_unlimited() {
    assert_eq!(Options::default().rate, Some((100, Duration::from_secs(20))));
    let api = BidsketchApi::start(Options { rate: None, ..Options::default() }).await.unwrap();
    for _ in 0..101 {
        assert_eq!(get(&api, "/proposals/stats.json").await.0, 200);
    }
}

#[tokio::test]
async fn creation_past_the_account_limit_is_426_until_deletion() {
    let api = BidsketchApi::start(Options { webhooks_max: 1, ..Options::default() }).await.unwrap();
    let (_, first) = create(&api, &webhook("client_created")).await;
    let (status, answer) = create(&api, &webhook("proposal_sent")).await;
    assert_eq!(status, 426);
    assert!(answer["error"].as_str().unwrap().contains("1 webhooks"), "{answer}");
    assert_eq!(delete(&api, first["id"].as_u64().unwrap()).await, 204);
    assert_eq!(create(&api, &webhook("proposal_sent")).await.0, 200);
}

#[tokio::test]
async fn oversized_body_is_413() {
    let api = start().await;
    let answer = call(&api, Method::POST, "/webhooks.json", &" ".repeat(64 * 1024 + 1)).await.unwrap();
    assert_eq!(answer.status(), 413);
}
