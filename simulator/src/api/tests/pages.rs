//! The pages of clients and proposals.

use super::*;
use crate::office::every_event;

/// Reads a whole list, page by page.
async fn all(api: &BidsketchApi, path: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for page in 1.. {
        let (status, Value::Array(objects)) = get(api, &format!("{path}?page={page}&per_page=50")).await else {
            panic!("{path} is not a list");
        };
        assert_eq!(status, 200);
        if objects.is_empty() {
            break;
        }
        all.extend(objects);
    }
    all
}

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn list_page_has_at_most_a_hundred_objects() {
    let api = start().await;
    let clients = all(&api, "/clients.json").await;
    assert!(clients.len() > 100);
    assert!(clients.is_sorted_by_key(|client| client["id"].as_u64()));
    for (query, expected) in [("", &clients[..100]), ("?per_page=1000", &clients[..100]), ("?page=2", &clients[100..])]
    {
        assert_eq!(get(&api, &format!("/clients.json{query}")).await.1, json!(expected), "{query}");
    }
    assert_eq!(get(&api, "/proposals.json").await.1.as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn object_page_has_more_fields_than_the_list() {
    let api = start().await;
    for (list, expected, more) in [
        (
            "clients",
            "app_url created_at email first_name id last_name name phone updated_at url",
            ["country", "notes", "website"],
        ),
        (
            "proposals",
            "app_url created_at description id is_draft name status updated_at url",
            ["client", "content", "total"],
        ),
    ] {
        let (_, objects) = get(&api, &format!("/{list}.json?per_page=1")).await;
        let listed = &objects[0];
        assert_eq!(keys(listed).join(" "), expected);
        let id = &listed["id"];
        assert!(id.as_u64() > Some(u64::from(u32::MAX)));
        let (status, own) = get(&api, &format!("/{list}/{id}.json")).await;
        assert_eq!(status, 200);
        assert!(keys(listed).iter().all(|key| own[key] == listed[key]), "{own}\n{listed}");
        assert!(more.iter().all(|key| own.get(key).is_some()), "{own}");
        assert_eq!(get(&api, &format!("/{list}/1.json")).await.0, 404);
        assert_eq!(get(&api, &format!("/{list}/x.json")).await.0, 404);
    }
}

#[tokio::test]
async fn client_proposals_are_listed_and_counted() {
    let api = BidsketchApi::start(Options { rate: None, ..Options::default() }).await.unwrap();
    let proposals = all(&api, "/proposals.json").await;
    assert_eq!(get(&api, "/proposals/stats.json").await, (200, json!({"total": proposals.len()})));
    let (_, own) = get(&api, &format!("/proposals/{}.json", proposals[0]["id"])).await;
    let of_client = all(&api, &format!("/clients/{}/proposals.json", own["client"]["id"])).await;
    assert!(of_client.contains(&proposals[0]));
    assert!(of_client.len() < proposals.len());
    for proposal in &of_client {
        let (_, page) = get(&api, &format!("/proposals/{}.json", proposal["id"])).await;
        assert_eq!(page["client"], own["client"]);
    }
    assert_eq!(get(&api, "/clients/1/proposals.json").await.0, 404);
}

#[tokio::test]
async fn account_with_equal_seed_is_equal() {
    let with = async |seed| {
        let api = BidsketchApi::start(Options { seed, ..Options::default() }).await.unwrap();
        let (_, webhook) = create(&api, &webhook("client_created")).await;
        (get(&api, "/clients.json").await.1, get(&api, "/proposals.json").await.1, webhook["id"].clone())
    };
    let (first, second) = (with(3).await, with(4).await);
    assert_eq!(first, with(3).await);
    assert!(first.0 != second.0 && first.1 != second.1 && first.2 != second.2);
}

#[tokio::test]
async fn learned_hook_appears_on_the_pages() {
    let api = start().await;
    let hooks: Vec<Hook> = every_event(0).into_iter().filter(|hook| hook.vendor == Vendor::Bidsketch).collect();
    let data = |hook: &Hook| serde_json::from_str::<Value>(&hook.body).unwrap()["data"].clone();
    let path = |object: &Value, list| format!("/{list}/{}.json", object["id"]);
    let (client, decided) = (data(&hooks[0]), data(hooks.last().unwrap()));
    assert_eq!(get(&api, &path(&client, "clients")).await.0, 404);
    for hook in &hooks {
        api.learn(hook);
    }
    assert_eq!(get(&api, &path(&client, "clients")).await, (200, client));
    assert_eq!(decided["status"], "Declined");
    assert_eq!(get(&api, &path(&decided, "proposals")).await, (200, decided), "the newest state");
}
