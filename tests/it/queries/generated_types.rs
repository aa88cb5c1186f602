//! Generators of types read the schema, and TypeScript accepts a use of the types.

use std::path::Path;
use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::Command;

use crate::harness::Service;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A program in TypeScript that queries the service, in a directory of its own.
struct Project(TempDir);

impl Project {
    fn new(service: &Service) -> Self {
        let (project, tools) = (Self(tempfile::tempdir().unwrap()), Path::new(ROOT).join("tests/clients/tools"));
        let installed = tools.join("node_modules");
        assert!(installed.exists(), "the tools are not installed; scripts/test installs them");
        std::os::unix::fs::symlink(installed, project.0.path().join("node_modules")).unwrap();
        std::fs::create_dir(project.0.path().join("codegen")).unwrap();
        std::fs::create_dir(project.0.path().join("relay")).unwrap();
        for file in [
            "package.json",
            "tsconfig.json",
            "codegen/codegen.ts",
            "codegen/projects.ts",
            "relay/relay.config.json",
            "relay/projects.ts",
        ] {
            std::fs::copy(tools.join(file), project.0.path().join(file)).unwrap();
        }
        std::fs::copy(Path::new(ROOT).join("schema.graphql"), project.0.path().join("relay/schema.graphql")).unwrap();
        project.replace("codegen/codegen.ts", "http://127.0.0.1:8080", service.base());
        project.replace("codegen/projects.ts", "http://127.0.0.1:8080", service.base());
        project
    }

    fn replace(&self, file: &str, from: &str, to: &str) {
        let file = self.0.path().join(file);
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(file, text.replace(from, to)).unwrap();
    }

    /// Runs a command in a folder of the project. Returns whether it succeeded, and what it
    /// printed.
    async fn run(&self, folder: &str, command: &str) -> (bool, String) {
        let mut process = Command::new("bash");
        process.args(["-c", &format!("PATH=\"$BIN:$PATH\"; {command}")]).current_dir(self.0.path().join(folder));
        process.env("BIN", self.0.path().join("node_modules/.bin"));
        let output = process.stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    }

    async fn succeed(&self, folder: &str, command: &str) -> String {
        let (is_success, printed) = self.run(folder, command).await;
        assert!(is_success, "{command}: {printed}");
        printed
    }
}

#[tokio::test]
async fn generated_types_are_accepted_and_hold_at_run_time() {
    let service = Service::open().await;
    service.arcsite("project.created", r#"{"id":1,"name":"Gutters"}"#).await.accepted();
    let project = Project::new(&service);
    project.succeed("codegen", "graphql-codegen").await;
    project.succeed("relay", "relay-compiler").await;
    project.succeed(".", "tsc").await;
    let printed = project.succeed(".", "node compiled/codegen/projects.js").await;
    assert!(printed.starts_with("Gutters 2") && printed.ends_with(" PROJECT_CREATED\n"), "{printed}");
    let mistakes = [
        ("codegen/projects.ts", "{ name, lastEventAt", "{ colour: name, lastEventAt", "'colour' does not exist"),
        ("codegen/projects.ts", "lastEventAt.slice(0, 4)", "lastEventAt.getFullYear()", "'getFullYear' does not exist"),
        ("codegen/projects.ts", r#"nameContains: "gutters""#, "nameContains: 1", "'number' is not assignable"),
        ("relay/projects.ts", "data.events.cursor", "data.events.payload", "'unknown' is not assignable"),
        ("relay/projects.ts", "input: { id }", "input: { identity: id }", "'identity' does not exist"),
    ];
    for (file, right, wrong, _) in mistakes {
        project.replace(file, right, wrong);
    }
    let (is_success, printed) = project.run(".", "tsc --noEmit").await;
    assert!(!is_success);
    for (.., error) in mistakes {
        assert!(printed.contains(error), "{error}: {printed}");
    }
    service.stop().await;
}

/// Without one of them the types would be `any`.
#[tokio::test]
async fn generator_without_a_scalar_names_it() {
    let service = Service::open().await;
    let project = Project::new(&service);
    project.replace("codegen/codegen.ts", r#"DateTime: "string", "#, "");
    project.replace("relay/relay.config.json", r#""DateTime": "string","#, "");
    for (folder, command) in [("codegen", "graphql-codegen"), ("relay", "relay-compiler")] {
        let (is_success, printed) = project.run(folder, command).await;
        assert!(!is_success && printed.contains("DateTime"), "{command}: {printed}");
    }
    service.stop().await;
}
