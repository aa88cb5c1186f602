//! Which parts run, in which order, and into which page their reports go.

use std::path::{Path, PathBuf};

use clap::Parser;

use crate::report::{self, Report, progress};
use crate::results_page::ResultsPage;
use crate::run_facts::{ROOT, RunFacts};
use crate::{All, Arguments, Command, Failure, Part, growth, hooks, live, nodes, reads};

/// The page that has the results, in the work tree.
const RESULTS: &str = "docs/PERFORMANCE.md";

/// All parts in their order, and what makes each quick. Growth comes last, because it is the
/// longest.
const PARTS: [(&str, &str); 5] = [
    ("reads", "--projects 50 --connections 2 --seconds 1 --rounds 1"),
    ("hooks", "--projects 50 --connections 2 --seconds 1 --rounds 1"),
    ("live", "--subscribers 10 --events 10 --rounds 1 --filters 5 --latency-events 10 --idle 64"),
    ("nodes", "--latency-events 20 --connections 2 --seconds 1 --rounds 1"),
    (GROWTH, "--sizes 100,500 --seconds 1 --rounds 1"),
];
const GROWTH: &str = "growth";

/// The value of `--write`: absent, without a file, or with one.
type Write = Option<Option<PathBuf>>;

/// What a run does.
pub(crate) struct Plan {
    /// The parts, each with the arguments that repeat it.
    parts: Vec<(Part, Vec<String>)>,
    page: Option<ResultsPage>,
}

impl Plan {
    /// A part as it was requested on the command line.
    pub(crate) fn of_part(part: Part, write: Write) -> Result<Self, Failure> {
        let arguments = std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
        let arguments = arguments.filter(|argument| !argument.starts_with("--write")).collect();
        let page = write.map(|file| page(file, false)).transpose()?;
        Ok(Self { parts: vec![(part, arguments)], page })
    }

    /// All parts with their default settings, or quick ones.
    pub(crate) fn of_all(all: &All, write: Write) -> Result<Self, Failure> {
        let page = match write {
            None if all.quick => None,
            write => Some(page(write.flatten(), all.quick)?),
        };
        let mut parts = Vec::new();
        for (name, quick) in PARTS {
            if name == GROWTH && !all.growth && !all.quick {
                continue;
            }
            let mut arguments = vec![name.to_owned()];
            if all.quick {
                arguments.extend(quick.split(' ').map(str::to_owned));
            }
            let parsed = Arguments::try_parse_from(["bench"].into_iter().chain(arguments.iter().map(String::as_str)))?;
            let Command::Part(part) = parsed.command else { return Err(format!("{name} is no part").into()) };
            parts.push((part, arguments));
        }
        Ok(Self { parts, page })
    }

    /// Measures the parts one after another. Prints each report, and writes it into the page, as
    /// soon as the part ends.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let Self { parts, page } = self;
        // Whatever can be refused is refused before hours of measuring.
        for (part, _) in &parts {
            if let Some(page) = &page {
                page.check(part.name())?;
            }
            part.prepare()?;
        }
        let facts = RunFacts::read();
        let count = parts.len();
        for (number, (part, arguments)) in (1..).zip(parts) {
            let name = part.name();
            progress(&format!("part {number} of {count}: {name}"));
            let report = part.measure().await.map_err(|failure| format!("{name}: {failure}"))?;
            let line = facts.line(&arguments, &part.directory());
            report::print(&format!("{line}\n\n{}\n", report.text.trim()))?;
            if let Some(page) = &page {
                page.write(name, &line, &report)?;
                progress(&format!("wrote {name} into {}", page.file().display()));
            }
        }
        Ok(())
    }
}

impl Part {
    const fn name(&self) -> &'static str {
        match self {
            Self::Reads(_) => "reads",
            Self::Live(_) => "live",
            Self::Nodes(_) => "nodes",
            Self::Hooks(_) => "hooks",
            Self::Growth(_) => GROWTH,
        }
    }

    /// The directory in which its databases are made.
    fn directory(&self) -> PathBuf {
        match self {
            Self::Growth(settings) => settings.directory(),
            Self::Reads(_) | Self::Live(_) | Self::Nodes(_) | Self::Hooks(_) => std::env::temp_dir(),
        }
    }

    /// Fails if the machine has too little for it.
    fn prepare(&self) -> Result<(), Failure> {
        match self {
            Self::Live(settings) => settings.allow_open_files(),
            Self::Growth(settings) => settings.announce(),
            Self::Reads(_) | Self::Nodes(_) | Self::Hooks(_) => Ok(()),
        }
    }

    async fn measure(&self) -> Result<Report, Failure> {
        let text = match self {
            Self::Reads(settings) => reads::run(settings).await?,
            Self::Live(settings) => live::run(settings).await?,
            Self::Nodes(settings) => nodes::run(settings).await?,
            Self::Hooks(settings) => hooks::run(settings).await?,
            Self::Growth(settings) => return growth::run(settings).await,
        };
        Ok(Report { text, picture: None })
    }
}

/// The page that reports are written into. Only figures of a release build, with sizes that mean
/// something, belong in the one of the work tree.
fn page(file: Option<PathBuf>, quick: bool) -> Result<ResultsPage, Failure> {
    match file {
        Some(file) => Ok(ResultsPage::new(file)),
        None if quick => Err(format!("quick figures do not belong in {RESULTS}; name a file: --write=FILE").into()),
        None if cfg!(debug_assertions) => Err(format!(
            "figures of a debug build do not belong in {RESULTS}; run cargo with --release, or name a file: --write=FILE"
        )
        .into()),
        None => Ok(ResultsPage::new(Path::new(ROOT).join(RESULTS))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(arguments: &[&str]) -> Result<Plan, Failure> {
        let parsed = Arguments::try_parse_from(["bench", "all"].iter().chain(arguments))?;
        let Command::All(all) = parsed.command else { panic!("not all parts") };
        Plan::of_all(&all, parsed.write)
    }

    fn names(plan: &Plan) -> Vec<&'static str> {
        plan.parts.iter().map(|(part, _)| part.name()).collect()
    }

    fn file(plan: &Plan) -> Option<&Path> {
        plan.page.as_ref().map(ResultsPage::file)
    }

    #[test]
    fn command_line_has_no_contradiction() {
        <Arguments as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn all_runs_growth_only_on_request_or_quick() {
        let four = ["reads", "hooks", "live", "nodes"];
        let five = ["reads", "hooks", "live", "nodes", "growth"];
        assert_eq!(names(&plan(&["--write=copy.md"]).unwrap()), four);
        assert_eq!(names(&plan(&["--growth", "--write=copy.md"]).unwrap()), five);
        assert_eq!(names(&plan(&["--quick"]).unwrap()), five);
    }

    #[test]
    fn quick_parts_are_repeated_by_their_arguments() {
        let quick = plan(&["--quick"]).unwrap();
        for ((name, arguments), (_, repeating)) in PARTS.iter().zip(&quick.parts) {
            assert_eq!(repeating.join(" "), format!("{name} {arguments}"));
        }
        let default = plan(&["--write=copy.md"]).unwrap();
        assert_eq!(default.parts[0].1, ["reads"]);
    }

    #[test]
    fn quick_writes_only_into_a_named_file() {
        assert_eq!(file(&plan(&["--quick"]).unwrap()), None);
        assert_eq!(file(&plan(&["--quick", "--write=copy.md"]).unwrap()), Some(Path::new("copy.md")));
        let refused = plan(&["--quick", "--write"]).err().unwrap().to_string();
        assert!(refused.contains("docs/PERFORMANCE.md") && refused.contains("--write=FILE"), "{refused}");
    }

    #[test]
    fn all_writes_into_the_results_of_the_work_tree_from_a_release_build_only() {
        for arguments in [[].as_slice(), &["--write"]] {
            match plan(arguments) {
                Ok(plan) => {
                    assert!(!cfg!(debug_assertions) && file(&plan).is_some_and(|file| file.ends_with(RESULTS)));
                }
                Err(refused) => assert!(cfg!(debug_assertions) && refused.to_string().contains("--release")),
            }
        }
    }

    #[test]
    fn results_of_the_work_tree_have_a_section_for_each_part() {
        for (part, _) in PARTS {
            ResultsPage::new(Path::new(ROOT).join(RESULTS)).check(part).unwrap();
        }
    }
}
