//! Filling a database through the service's hooks, as a vendor does.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::load::Connection;
use crate::{Failure, report};

/// The path of ArcSite's hook.
const HOOK: &str = "/webhooks/arcsite";
/// How many connections post at once.
const CONNECTIONS: u64 = 64;

/// Posts projects and their drawings.
pub(crate) async fn fill(address: SocketAddr, projects: u64, drawings: u64) -> Result<(), Failure> {
    let mut tasks = Vec::new();
    for offset in 0..CONNECTIONS {
        tasks.push(tokio::spawn(async move {
            let mut connection = Connection::open(address).await?;
            for project in (offset..projects).step_by(usize::try_from(CONNECTIONS)?) {
                post(&mut connection, &project_body(project)).await?;
                for drawing in 0..drawings {
                    post(&mut connection, &drawing_body(project, drawing)).await?;
                }
                if project % 1000 == 0 {
                    report::progress(&format!("  filled about {project} of {projects} projects"));
                }
            }
            Ok::<_, Failure>(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(())
}

/// Returns a number that no project has yet.
pub(crate) fn next_project() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1_000_000);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Posts the creation of a project.
pub(crate) async fn post_project(connection: &mut Connection, project: u64) -> Result<(), Failure> {
    post(connection, &project_body(project)).await
}

/// Encodes a request that creates a new project.
pub(crate) fn new_project_request(connection: &Connection) -> Vec<u8> {
    connection.request(HOOK, &project_body(next_project()))
}

async fn post(connection: &mut Connection, body: &str) -> Result<(), Failure> {
    let request = connection.request(HOOK, body);
    connection.send(&request).await?;
    Ok(())
}

/// The first id. ArcSite's ids exceed 2^53, and so do these.
const FIRST_ID: u64 = 36_029_621_652_000_000;

/// The body of a project's creation.
pub(crate) fn project_body(project: u64) -> String {
    format!(
        r#"{{"event":"project.created","data":{{"id":{id},"name":"Deck and pergola, lot {project}","job_number":"J-{project}","created_at":"2026-01-01T00:00:00","updated_at":"2026-01-01T00:00:00","tags":["deck","lot"],"customer":{{"name":"Customer {project}","email":"customer{project}@example.com","address":{{"street":"{project} Main Street","city":"Oakland","state":"CA"}}}}}}}}"#,
        id = FIRST_ID + project * 100,
    )
}

/// The body of a drawing's creation.
pub(crate) fn drawing_body(project: u64, drawing: u64) -> String {
    format!(
        r#"{{"event":"drawing.created","data":{{"id":{id},"project_id":{parent},"name":"Sheet {drawing} of lot {project}","pdf_url":"https://cdn.example.com/{project}/{drawing}.pdf?Expires=1767225600&Signature=c2lnbmF0dXJl&Key-Pair-Id=K1","png_url":"https://cdn.example.com/{project}/{drawing}.png?Expires=1767225600&Signature=c2lnbmF0dXJl&Key-Pair-Id=K1"}}}}"#,
        id = FIRST_ID + project * 100 + drawing + 1,
        parent = FIRST_ID + project * 100,
    )
}
