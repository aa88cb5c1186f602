//! The calls for webhooks: create and delete. There is no list.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use reqwest::Url;
use serde::Serialize;
use serde_json::{Map, Value};

use super::account::Account;
use super::refusal::Refusal;
use crate::registry::Full;
use crate::time::with_offset;
use crate::{bidsketch, clock};

/// A webhook in the answer to its creation.
#[derive(Debug, Serialize)]
pub(super) struct CreatedWebhook {
    id: u64,
    event: String,
    endpoint: String,
    created_at: String,
    updated_at: String,
    url: String,
}

/// `POST /webhooks.json`. Answers 200, as documented, not 201.
pub(super) async fn create(State(account): State<Arc<Account>>, body: Bytes) -> Result<Json<CreatedWebhook>, Refusal> {
    let (event, endpoint) = parse_body(&body).map_err(Refusal::Invalid)?;
    let webhook =
        account.registry.register(&event, &endpoint).map_err(|Full| Refusal::AccountLimit(account.webhooks_max))?;
    let now = with_offset(clock::now());
    Ok(Json(CreatedWebhook {
        id: webhook.id,
        event: webhook.event,
        endpoint: webhook.endpoint,
        created_at: now.clone(),
        updated_at: now,
        url: format!("{}/webhooks/{}.json", account.base, webhook.id),
    }))
}

/// `DELETE /webhooks/{id}.json`. A webhook that is already deleted, by a 410 for example, is not
/// found.
pub(super) async fn delete(
    State(account): State<Arc<Account>>,
    Path(file): Path<String>,
) -> Result<StatusCode, Refusal> {
    let id = parse_id(&file)?;
    if account.registry.delete(id) { Ok(StatusCode::NO_CONTENT) } else { Err(Refusal::NotFound) }
}

/// Parses the id in `4815162342.json`.
pub(super) fn parse_id(file: &str) -> Result<u64, Refusal> {
    file.strip_suffix(".json").and_then(|id| id.parse().ok()).ok_or(Refusal::NotFound)
}

/// Parses event type and endpoint, or returns everything that is wrong with the body.
fn parse_body(body: &[u8]) -> Result<(String, String), Vec<String>> {
    let Ok(fields) = serde_json::from_slice::<Map<String, Value>>(body) else {
        return Err(vec!["the body must be a JSON object".to_owned()]);
    };
    let mut errors = Vec::new();
    let event = required_string(&fields, "event", &mut errors);
    if event.is_some_and(|event| !bidsketch::EVENTS.contains(&event)) {
        errors.push(format!("event must be one of {}", bidsketch::EVENTS.join(", ")));
    }
    let endpoint = required_string(&fields, "endpoint", &mut errors);
    if endpoint.is_some_and(|endpoint| !is_web_url(endpoint)) {
        errors.push("endpoint must be an http or https URL".to_owned());
    }
    errors.extend(
        fields
            .keys()
            .filter(|key| !["event", "endpoint"].contains(&key.as_str()))
            .map(|key| format!("{key} is unknown")),
    );
    match (event, endpoint) {
        (Some(event), Some(endpoint)) if errors.is_empty() => Ok((event.to_owned(), endpoint.to_owned())),
        (Some(_) | None, Some(_) | None) => Err(errors),
    }
}

/// Reads a required field that must be a non-empty string.
fn required_string<'a>(fields: &'a Map<String, Value>, name: &str, errors: &mut Vec<String>) -> Option<&'a str> {
    match fields.get(name) {
        Some(Value::String(text)) if !text.is_empty() => return Some(text),
        None | Some(Value::Null | Value::String(_)) => errors.push(format!("{name} cannot be blank")),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            errors.push(format!("{name} must be a string"));
        }
    }
    None
}

fn is_web_url(text: &str) -> bool {
    text.parse::<Url>().is_ok_and(|url| ["http", "https"].contains(&url.scheme()) && url.has_host())
}
