//! Queries: 50 projects with 5 drawings each.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::load::{self, Connection};
use crate::report::{self, median, progress};
use crate::server::{Kind, OTHER_BUILD, Running};
use crate::{Failure, Reads, seed, server};

/// The query to each server.
pub(crate) const QUERY: &str =
    "{ projects(first: 50) { nodes { id name jobNumber drawings(first: 5) { nodes { id name pngUrl } } } } }";

const SERVERS: [Kind; 3] = [Kind::Bidarc, Kind::Handwritten, Kind::RowByRow];

/// Fills a database, compares the servers' answers, loads them in turn, and reports.
pub(crate) async fn run(settings: &Reads) -> Result<String, Failure> {
    let directory = tempfile::tempdir()?;
    let database = server::sqlite(&directory.path().join("reads.db"));
    progress(&format!("filling a database: {} projects with {} drawings each", settings.projects, settings.drawings));
    let service = Running::start(Kind::Bidarc, &database).await?;
    seed::fill(service.address, settings.projects, settings.drawings).await?;
    service.stop().await?;

    let body: Arc<str> = json!({ "query": QUERY }).to_string().into();
    let mut running = Vec::new();
    for kind in SERVERS {
        running.push((kind.name(), Running::start(kind, &database).await?, Vec::new()));
    }
    if let Some(program) = &settings.beside {
        let other = Running::start_from(program, Kind::Bidarc, &database).await?;
        running.push((OTHER_BUILD, other, Vec::new()));
    }
    let mut answers = Vec::new();
    for (name, server, _) in &running {
        let mut connection = Connection::open(server.address).await?;
        let request = connection.request("/graphql", &body);
        let answer: Value = serde_json::from_slice(connection.send(&request).await?)?;
        answers.push((*name, answer));
    }
    compare(&answers)?;

    let length = Duration::from_secs(settings.seconds);
    for round in 1..=settings.rounds {
        for (name, server, rounds) in &mut running {
            let body = Arc::clone(&body);
            let request = move |connection: &Connection| connection.request("/graphql", &body);
            let measured = load::run(&[server.address], request, settings.connections, length).await?;
            let rate = measured.rate;
            progress(&format!("round {round} of {}: {name} {rate:.0} answers a second", settings.rounds));
            rounds.push(measured);
        }
    }
    let mut results = Vec::new();
    for (name, server, rounds) in running {
        server.stop().await?;
        results.push((name.to_owned(), rounds));
    }
    let rate = |index: usize| median(&results[index].1).map(|round| round.rate);
    let mut text = format!(
        "50 projects with 5 drawings each, of {} projects and {} drawings; {} connections, median of {} of {} s.\n\n\
         {}\nbidarc to hand-written: {:.2}. bidarc to row by row: {:.2}.",
        settings.projects,
        settings.projects * settings.drawings,
        settings.connections,
        report::rounds(settings.rounds),
        settings.seconds,
        report::table(&results)?,
        rate(0)? / rate(1)?,
        rate(0)? / rate(2)?,
    );
    if settings.beside.is_some() {
        text += &format!(" bidarc to {OTHER_BUILD}: {:.2}.", rate(0)? / rate(3)?);
    }
    Ok(text)
}

/// Checks that the servers give the same answer. Otherwise they cannot be compared.
fn compare(answers: &[(&str, Value)]) -> Result<(), Failure> {
    let Some(((_, expected), others)) = answers.split_first() else { return Err("no server answered".into()) };
    let nodes = &expected["data"]["projects"]["nodes"];
    if nodes.as_array().map(Vec::len) != Some(50) || nodes[0]["drawings"]["nodes"].as_array().map(Vec::len) != Some(5) {
        return Err(format!("bidarc's answer is not 50 projects with 5 drawings each: {expected}").into());
    }
    for (name, answer) in others {
        if answer != expected {
            return Err(format!("{name} and bidarc give different answers:\n{answer}\n{expected}").into());
        }
    }
    Ok(())
}
