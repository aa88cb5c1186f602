//! The lower bound of the cost of the query: an axum handler with one statement, in which the
//! database builds the whole answer.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};

use crate::Failure;

/// Gives the same answer as bidarc to [`crate::reads::QUERY`].
const STATEMENT: &str = r#"
SELECT json_object('data', json_object('projects', json_object('nodes', json_group_array(json(node)))))
FROM (
    SELECT json_object(
        'id', 'project:' || vendor_id,
        'name', coalesce(name, ''),
        'jobNumber', job_number,
        'drawings', json_object('nodes', (
            SELECT json_group_array(json_object(
                'id', 'drawing:' || vendor_id, 'name', coalesce(name, ''), 'pngUrl', png_url))
            FROM (
                SELECT vendor_id, name, png_url FROM drawing
                WHERE project_vendor_id = project.vendor_id
                ORDER BY last_event_at DESC, vendor_id DESC LIMIT 5
            )
        ))
    ) AS node
    FROM project ORDER BY last_event_at DESC, vendor_id DESC LIMIT 50
)"#;

/// Creates the handler, with a pool as large as the service's.
pub(crate) async fn router(url: &str) -> Result<Router, Failure> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(4).min_connections(1).sqlx_logging(false).test_before_acquire(false);
    let database = Database::connect(options).await?;
    Ok(Router::new().route("/graphql", routing::post(answer)).with_state(database))
}

async fn answer(State(database): State<DatabaseConnection>) -> Response {
    let statement = Statement::from_string(DbBackend::Sqlite, STATEMENT);
    match database.query_one_raw(statement).await {
        Ok(Some(row)) => match row.try_get_by_index::<String>(0) {
            Ok(json) => ([(CONTENT_TYPE, "application/json")], json).into_response(),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        },
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
