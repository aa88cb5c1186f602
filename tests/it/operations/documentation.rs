//! The examples of README and docs/, run as a reader runs them: the same commands, the same
//! answers.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::harness::{Database, Launch, Process, Script, eventually};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A fenced block of a page.
struct Block {
    language: String,
    text: String,
}

/// The fenced blocks of a page, in order. They name the service of the test instead of the default
/// address.
fn blocks(page: &str, service: &Process) -> Vec<Block> {
    let text =
        std::fs::read_to_string(Path::new(ROOT).join(page)).unwrap().replace("http://127.0.0.1:8080", service.base());
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_open = false;
    for line in text.lines() {
        if let Some(language) = line.strip_prefix("```") {
            is_open = !is_open;
            if is_open {
                blocks.push(Block { language: language.to_owned(), text: String::new() });
            }
        } else if is_open && let Some(block) = blocks.last_mut() {
            block.text += line;
            block.text += "\n";
        }
    }
    assert!(!is_open, "{page} has an open block");
    blocks
}

/// Runs a script. Returns what it printed.
async fn shell(script: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new("bash");
    command.args(["-euc", script]).current_dir(ROOT).envs(variables.iter().copied());
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn readme_commands_print_what_the_readme_shows() {
    let database = Database::fresh();
    let service = Process::start(0, &database).await;
    let directory = tempfile::tempdir().unwrap();
    let mut watch = None;
    let mut printed = String::new();
    let (mut commands, mut answers) = (0, 0);
    for Block { language, text } in blocks("README.md", &service) {
        match language.as_str() {
            "sh" if text.starts_with("curl ") => {
                printed = shell(&text, &[]).await;
                commands += 1;
            }
            "sh" if text.contains("node tests/clients/watch.mjs") => {
                let url = format!("{}/graphql/ws", service.base().replace("http", "ws"));
                watch = Some(Script::run("watch.mjs", &[("BIDARC_SOCKET", &url)], directory.path()));
                let subscribed = async || (service.metric("bidarc_subscriptions").await == 1.0).then_some(());
                eventually("the script has subscribed", std::time::Duration::from_secs(30), subscribed).await;
            }
            "json" => {
                assert_eq!(printed, text.trim_end());
                answers += 1;
            }
            "text" => assert_eq!(watch.as_mut().unwrap().line().await, text.trim_end()),
            other => panic!("README.md has a block of {other} that no test runs:\n{text}"),
        }
    }
    assert_eq!((commands, answers), (5, 4));
    drop(watch);
    service.stop(&database).await;
}

#[tokio::test]
async fn client_examples_are_answered_without_errors() {
    let database = Database::fresh();
    let service = Process::start(0, &database).await;
    let (mut commands, mut bodies) = (0, 0);
    for Block { language, text } in blocks("docs/CLIENTS.md", &service) {
        let answer = match language.as_str() {
            "sh" if text.contains("/export/") => {
                commands += 1;
                let printed = shell(&text, &[]).await;
                let begin = if text.contains("python3") { "[]" } else { "\u{feff}id,provider," };
                assert!(printed.starts_with(begin), "{text}\n{printed}");
                continue;
            }
            "sh" => {
                commands += 1;
                shell(&text, &[]).await
            }
            // What a program sends, in which Grafana replaces its variables.
            "json" if text.contains(r#""query""#) => {
                bodies += 1;
                let from = text.replace("${__from:date:iso}", "2026-10-01T00:00:00.000Z");
                let body = from.replace("${__to:date:iso}", "2026-11-01T00:00:00.000Z");
                shell(
                    "curl -s \"$URL\" -H 'Content-Type: application/json' -d \"$BODY\"",
                    &[("URL", &format!("{}/graphql", service.base())), ("BODY", &body)],
                )
                .await
            }
            // `live::clients` and `queries::generated_types` run these.
            _ => continue,
        };
        assert!(answer.starts_with(r#"{"data":{"#) && !answer.contains(r#""errors""#), "{text}\n{answer}");
    }
    assert_eq!((commands, bodies), (5, 3));
    service.stop(&database).await;
}

#[tokio::test]
async fn key_examples_make_use_and_revoke_a_key() {
    let database = Database::fresh();
    let service = Process::start(0, &database).await;
    let script: String = blocks("docs/KEYS.md", &service).into_iter().map(|block| block.text).collect();
    assert!(script.contains("keys add") && script.contains("keys revoke"));
    let script = script.replace("cargo run -q --", env!("CARGO_BIN_EXE_bidarc"));
    // The service notices a new key within a second.
    let script = script.replace("curl ", "curl --retry 20 --retry-delay 1 --retry-all-errors --fail ");
    let printed = shell(&script, &[("BIDARC_DATABASE__URL", &database.url())]).await;
    assert!(printed.contains(r#"{"data":{"headCursor":"#), "{printed}");
    assert!(printed.contains("revoked the key 2"), "{printed}");
    service.stop(&database).await;
}

#[tokio::test]
async fn signature_example_is_accepted() {
    let database = Database::fresh();
    let launch = Launch::new(database.directory()).env("BIDARC_ARCSITE__SIGNING_SECRETS", "whsec-of-an-example");
    let service = launch.serve(0, &database).await;
    let commands = blocks("docs/BIDSKETCH-WEBHOOKS.md", &service);
    let signed = commands.iter().find(|block| block.text.contains("openssl dgst")).unwrap();
    assert_eq!(shell(&signed.text, &[]).await, r#"{"outcome":"ACCEPTED","eventId":"event:1"}"#);
    service.stop(&database).await;
}

#[test]
fn shown_scripts_are_the_tested_ones() {
    for (page, names) in [
        ("docs/SUBSCRIPTIONS.md", &["watch.mjs", "watch-sse.mjs"][..]),
        (
            "docs/CLIENTS.md",
            &[
                "apollo.mjs",
                "urql.mjs",
                "graphql-tools.mjs",
                "tools/gateway.mjs",
                "gql-client.py",
                "tools/codegen/codegen.ts",
                "tools/codegen/projects.ts",
                "tools/relay/relay.config.json",
                "tools/relay/projects.ts",
            ],
        ),
    ] {
        let text = std::fs::read_to_string(Path::new(ROOT).join(page)).unwrap();
        for name in names {
            let language = match name.rsplit_once('.').unwrap().1 {
                "mjs" => "js",
                "py" => "python",
                other => other,
            };
            let shown = format!("```{language}\n{}```\n", Script::source(name));
            assert!(text.contains(&shown), "{page} has another {name}");
        }
        let scripts = text.lines().filter(|line| matches!(*line, "```js" | "```python" | "```ts")).count();
        let tested = names.iter().filter(|name| !name.ends_with(".json")).count();
        assert_eq!(scripts, tested, "{page} has a script that no test runs");
    }
}

/// Of the types in the schema, only those without an id need a setting of urql's cache. It knows
/// connections by their names.
#[test]
fn cache_settings_name_every_type_without_an_id() {
    let schema = std::fs::read_to_string(Path::new(ROOT).join("schema.graphql")).unwrap();
    let mut types: Vec<&str> = Vec::new();
    for definition in schema.split("\ntype ").skip(1) {
        let name = definition.split([' ', '{']).next().unwrap();
        let fields = definition.split("\n}").next().unwrap();
        let is_known = ["Connection", "Edge", "Payload"].iter().any(|end| name.ends_with(end))
            || ["PageInfo", "Query", "Mutation", "Subscription"].contains(&name);
        if !is_known && !fields.contains("\n\tid: ID!") {
            types.push(name);
        }
    }
    types.sort_unstable();
    let source = Script::source("urql.mjs");
    let list = source.split("const embedded = [").nth(1).unwrap().split("];").next().unwrap();
    let named: Vec<&str> =
        list.split(',').map(|name| name.trim().trim_matches('"')).filter(|name| !name.is_empty()).collect();
    assert_eq!(named, types);
}

/// Every page that is named by a link is there, and so is every heading.
#[test]
fn links_between_pages_lead_somewhere() {
    let mut links = 0;
    let files = std::fs::read_dir(Path::new(ROOT).join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = files.filter(|file| file.extension().is_some_and(|extension| extension == "md"));
    for page in pages.chain([Path::new(ROOT).join("README.md")]) {
        let text = std::fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("http") {
                continue;
            }
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            assert!(target.exists(), "{} links to {link}", page.display());
            if !heading.is_empty() {
                assert!(target.is_file(), "{} links to {link}", page.display());
                let target = std::fs::read_to_string(&target).unwrap();
                let anchors = target.lines().filter(|line| line.starts_with('#')).map(anchor);
                assert!(anchors.into_iter().any(|anchor| anchor == heading), "{} links to {link}", page.display());
            }
            links += 1;
        }
    }
    assert!(links > 30, "only {links} links were found");
}

/// The anchor of a heading, by GitHub's rule.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}
