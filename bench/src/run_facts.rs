//! The line above each report: the command, the date, the commit and the machine of the run.

use std::fs::read_to_string;
use std::path::Path;
use std::process::Command;

use bidarc::clock::Clock;

/// The work tree of this program's sources.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What a reader must know to repeat a run. It is read before the run, which may take hours.
pub(crate) struct RunFacts {
    date: String,
    commit: String,
    machine: String,
}

impl RunFacts {
    /// Reads the facts. A fact that cannot be read is called unknown.
    pub(crate) fn read() -> Self {
        Self { date: Clock::system().now().format("%Y-%m-%d").to_string(), commit: commit(), machine: machine() }
    }

    /// The line for a run with these arguments whose databases were in this directory.
    pub(crate) fn line(&self, arguments: &[String], directory: &Path) -> String {
        let Self { date, commit, machine } = self;
        let release = if cfg!(debug_assertions) { "" } else { "--release " };
        let mounts = read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
        let file_system = file_system(&mounts, &directory).unwrap_or("an unknown file system");
        let arguments = arguments.join(" ");
        format!(
            "`cargo run {release}-p bench -- {arguments}` on {date}, {commit}. {machine}; the databases on {file_system}."
        )
    }
}

/// The commit, and whether the work tree differs from it. Documents cannot change a figure, and a
/// run writes into them, so they do not count.
fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(ROOT).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(hash) = git(&["rev-parse", "--short=10", "HEAD"]) else { return "unknown commit".to_owned() };
    match git(&["status", "--porcelain", "--", ".", ":(exclude)docs"]) {
        Some(changes) if changes.is_empty() => format!("commit {hash}"),
        _ => format!("commit {hash} with changes"),
    }
}

/// The processor, the number of cores that this process may use, the memory and the kernel.
fn machine() -> String {
    let read = |file: &str| read_to_string(file).unwrap_or_default();
    let (processors, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
    let processor = value(&processors, "model name").unwrap_or("unknown processor");
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let memory = value(&memory, "MemTotal").and_then(|size| size.strip_suffix(" kB")?.parse::<u64>().ok());
    let memory =
        memory.map_or("unknown memory".to_owned(), |size| format!("{} GB of memory", size * 1024 / 1_000_000_000));
    let kernel = format!("{} {}", read("/proc/sys/kernel/ostype").trim(), read("/proc/sys/kernel/osrelease").trim());
    let architecture = std::env::consts::ARCH;
    format!("{processor} ({architecture}), {cores} cores, {memory}; {kernel}")
}

/// The value of the first line with this name, in the form of the files in /proc.
fn value<'text>(text: &'text str, name: &str) -> Option<&'text str> {
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(found, _)| found.trim() == name).map(|(_, value)| value.trim())
}

/// The type of the file system at a path, by the lines of `/proc/self/mountinfo`.
fn file_system<'text>(mounts: &'text str, path: &Path) -> Option<&'text str> {
    let mounts = mounts.lines().filter_map(|line| {
        let (mount, file_system) = line.split_once(" - ")?;
        Some((mount.split(' ').nth(4)?, file_system.split(' ').next()?))
    });
    // The longest mount point is the nearest. Of two at one point, the later one hides the earlier.
    mounts.filter(|(point, _)| path.starts_with(point)).max_by_key(|(point, _)| point.len()).map(|(_, found)| found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
        27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
        28 27 0:25 / /tmp rw - tmpfs tmpfs rw\n\
        29 27 254:1 / /tmp rw shared:1 - xfs /dev/vdb rw\n\
        30 27 0:26 / /tmpfiles rw - btrfs /dev/vdc rw\n";

    #[test]
    fn file_system_of_a_directory_is_that_of_the_nearest_mount_point() {
        for (path, expected) in
            [("/", "ext4"), ("/home/a", "ext4"), ("/tmp", "xfs"), ("/tmp/a", "xfs"), ("/tmpfiles/a", "btrfs")]
        {
            assert_eq!(file_system(MOUNTS, Path::new(path)), Some(expected), "{path}");
        }
        assert_eq!(file_system("", Path::new("/")), None);
    }

    #[test]
    fn line_names_command_commit_and_machine() {
        let facts = RunFacts {
            date: "2026-11-27".into(),
            commit: "commit 0123456789 with changes".into(),
            machine: "A (x), 2 cores".into(),
        };
        let line = facts.line(&["reads".into(), "--rounds".into(), "9".into()], Path::new("/"));
        assert!(line.contains("-p bench -- reads --rounds 9` on 2026-11-27, commit 0123456789 with changes. A (x), 2 cores; the databases on "), "{line}");
        assert_eq!(line.lines().count(), 1);
    }

    #[test]
    fn value_is_that_of_the_first_line_with_the_name() {
        let text = "processor\t: 0\nmodel name\t: A: fast one\nprocessor\t: 1\nmodel name\t: B\n";
        assert_eq!(value(text, "model name"), Some("A: fast one"));
        assert_eq!(value(text, "model"), None);
    }
}
