//! Builds the pages with Node into `OUT_DIR`, where `lib.rs` embeds them. It is a crate of its own
//! so that a change of Rust code elsewhere does not run it again.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the pages are made of. Cargo looks into directories.
const SOURCES: [&str; 8] = [
    "index.html",
    "package-lock.json",
    "playground.html",
    "routes.txt",
    "scripts/build.mjs",
    "scripts/install.mjs",
    "src",
    "vite.config.ts",
];

/// The oldest Node that Vite runs on.
const NODE_MIN: (u32, u32) = (20, 19);

/// The page in the place of each page that was not built.
const MISSING_PAGE: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<title>bidarc</title>
<h1>This bidarc was built without its pages</h1>
<p>Its hooks and its API at /graphql work. For the dashboard and the playground, install Node 20.19 or later
from <a href=\"https://nodejs.org\">nodejs.org</a> on the machine that builds bidarc, and build it again with
<code>cargo build</code> and without the feature <code>without-pages</code>.</p>
</html>
";

fn main() -> Result<(), Box<dyn Error>> {
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
    }
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?).join("pages");
    if env::var_os("CARGO_FEATURE_WITHOUT_PAGES").is_some() {
        return write_missing_pages(&out);
    }
    let Some(problem) = node_problem() else {
        return build(&out);
    };
    if env::var_os("PROFILE").is_some_and(|profile| profile == "release") {
        return Err(format!(
            "{problem}: a release has the dashboard and the playground in it. Install Node 20.19 or later \
             (https://nodejs.org), or build without them: cargo build --release --features without-pages"
        )
        .into());
    }
    println!("cargo::warning={problem}, so the pages are missing; install Node 20.19 or later and build again");
    // It never exists, so that the next build looks for Node again.
    println!("cargo::rerun-if-changed={}", out.join("node-was-missing").display());
    write_missing_pages(&out)
}

/// Why Node cannot build the pages.
fn node_problem() -> Option<String> {
    let Ok(output) = Command::new("node").arg("--version").output() else {
        return Some("Node is not installed".to_owned());
    };
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let mut numbers = version.trim_start_matches('v').split('.').map_while(|number| number.parse().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) if (major, minor) >= NODE_MIN => None,
        _ => Some(format!("Node {version} is too old")),
    }
}

fn build(out: &Path) -> Result<(), Box<dyn Error>> {
    let output = Command::new("node").arg("scripts/build.mjs").arg(out).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "the pages were not built:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
    .into())
}

fn write_missing_pages(out: &Path) -> Result<(), Box<dyn Error>> {
    if out.exists() {
        fs::remove_dir_all(out)?;
    }
    fs::create_dir_all(out)?;
    for page in ["index.html", "playground.html"] {
        fs::write(out.join(page), MISSING_PAGE)?;
    }
    Ok(())
}
