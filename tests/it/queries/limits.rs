//! The limits of depth and complexity: a query over one is an error. `hostile_documents` has all
//! limits.

use serde_json::Value;

use crate::harness::{Service, Setup};

async fn limit_error(service: &Service, query: &str) -> Value {
    let error = service.query_error(query).await;
    assert_eq!(error["extensions"]["code"], "LIMIT_EXCEEDED", "{query}: {error}");
    error
}

#[tokio::test]
async fn query_over_a_limit_is_an_error_that_names_the_limit() {
    let service = Setup::new()
        .with(|settings| {
            settings.graphql.max_depth = 4;
            settings.graphql.max_complexity = 50;
        })
        .start()
        .await;
    service.query("{ projects(first: 1) { nodes { customer { name } } } }").await;
    for query in [
        "{ projects(first: 1) { nodes { customer { address { city } } } } }",
        "{ projects(first: 1) { ...a } } fragment a on ProjectConnection { nodes { ...b } } \
         fragment b on Project { customer { address { city } } }",
    ] {
        let message = limit_error(&service, query).await["message"].clone();
        assert!(
            message.as_str().unwrap().contains("max_depth") && message.as_str().unwrap().contains('4'),
            "{message}"
        );
    }
    service.query("{ projects(first: 24) { nodes { id } } }").await;
    for query in [
        "{ projects(first: 25) { nodes { id } } }",
        "{ projects(last: 25) { nodes { id } } }",
        "{ projects { nodes { id name } } }",
        "{ events(first: 100) { totalCount } }",
        "{ eventFeed(pageSize: 500) { cursor } }",
        "query ($n: Int = 100) { events(first: $n) { totalCount } }",
        "{ a: projects(first: 15) { nodes { id } } b: projects(first: 15) { nodes { id } } }",
    ] {
        let message = limit_error(&service, query).await["message"].clone();
        let message = message.as_str().unwrap();
        assert!(message.contains("max_complexity") && message.contains("50"), "{message}");
    }
    let mut refused = service.subscribe("subscription { eventFeed(pageSize: 500) { events { id } } }").await;
    let error = refused.error().await;
    assert_eq!(error["extensions"]["code"], "LIMIT_EXCEEDED", "{error}");
    service.stop().await;
}

#[tokio::test]
async fn query_that_reads_everything_is_over_the_default_limits() {
    let service = Service::open().await;
    limit_error(
        &service,
        "{ projects(first: 100) { nodes { drawings(first: 100) { nodes { events(first: 100) { nodes { id } } } } } } }",
    )
    .await;
    // A dashboard's page is far below them.
    service
        .query(
            "{ projects(first: 50) { nodes { id name customer { name email } drawings(first: 5) { nodes { id name pdfUrl } }
               proposals(first: 5) { nodes { id name status total paidTotal payments { amount } } } } } }",
        )
        .await;
    service.stop().await;
}
