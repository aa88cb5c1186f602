//! The page that holds the reports: docs/PERFORMANCE.md, or a copy of it. A report stands between
//! two marks, each alone on its line: `<!-- bench reads -->` and `<!-- /bench -->`. All else on the
//! page is written by hand.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::Failure;
use crate::report::{Picture, Report};

/// How the first mark of every section begins.
const BEGIN: &str = "<!-- bench ";
/// The mark after a section.
const END: &str = "<!-- /bench -->";
/// The directory of pictures, beside the page.
const PICTURES: &str = "pictures";

/// A page on disk.
#[derive(Debug)]
pub(crate) struct ResultsPage {
    file: PathBuf,
}

impl ResultsPage {
    pub(crate) const fn new(file: PathBuf) -> Self {
        Self { file }
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Fails if the page has no section, or no clear section, for this part.
    pub(crate) fn check(&self, part: &str) -> Result<(), Failure> {
        self.read(part).map(|_| ())
    }

    /// Replaces the section of a part by the line and the report. Writes the report's picture
    /// beside the page.
    pub(crate) fn write(&self, part: &str, line: &str, report: &Report) -> Result<(), Failure> {
        // The page may have changed while the part was measured.
        let (mut page, section) = self.read(part)?;
        let mut text = format!("\n{line}\n\n{}\n\n", report.text.trim());
        if let Some(Picture { file_name, title, svg }) = &report.picture {
            let pictures = self.file.parent().unwrap_or(Path::new("")).join(PICTURES);
            std::fs::create_dir_all(&pictures)?;
            std::fs::write(pictures.join(file_name), svg)?;
            text += &format!("![{title}]({PICTURES}/{file_name})\n\n");
        }
        page.replace_range(section, &text);
        Ok(std::fs::write(&self.file, page)?)
    }

    fn read(&self, part: &str) -> Result<(String, Range<usize>), Failure> {
        let name = self.file.display();
        let page = std::fs::read_to_string(&self.file).map_err(|error| format!("{name}: {error}"))?;
        let section = section(&page, part).map_err(|wrong| format!("{name}: {wrong}"))?;
        Ok((page, section))
    }
}

/// Finds what stands between the marks of a part. The message of an error names the mark that is
/// wrong; all marks of the page must be right.
fn section(page: &str, part: &str) -> Result<Range<usize>, String> {
    let wanted = format!("{BEGIN}{part} -->");
    let (mut open, mut found, mut at) = (None, None, 0);
    for (number, line) in (1..).zip(page.split_inclusive('\n')) {
        let (mark, next) = (line.trim(), at + line.len());
        if mark.starts_with(BEGIN) {
            if let Some((opened, _)) = open {
                return Err(format!("line {number} has `{mark}` before the `{END}` of `{opened}`"));
            }
            if mark == wanted && found.is_some() {
                return Err(format!("line {number} has `{mark}` a second time"));
            }
            open = Some((mark, next));
        } else if mark == END {
            let Some((opened, start)) = open.take() else {
                return Err(format!("line {number} has `{END}`, but no section is open"));
            };
            if opened == wanted {
                found = Some(start..at);
            }
        }
        at = next;
    }
    if let Some((opened, _)) = open {
        return Err(format!("`{opened}` has no `{END}` after it"));
    }
    found.ok_or_else(|| format!("no line is `{wanted}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# Title\n\n<!-- bench reads -->\nold\n<!-- /bench -->\n\nBy hand.\n\n  <!-- bench live -->  \n<!-- /bench -->\nEnd.\n";

    fn page(text: &str) -> (tempfile::TempDir, ResultsPage) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("RESULTS.md");
        std::fs::write(&file, text).unwrap();
        (directory, ResultsPage::new(file))
    }

    #[test]
    fn write_replaces_the_section_of_its_part_only() {
        let (_directory, page) = page(PAGE);
        let report = Report { text: "new\n".into(), picture: None };
        for _ in 0..2 {
            page.write("reads", "Command.", &report).unwrap();
            page.write("live", "Other.", &report).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(page.file()).unwrap(),
            "# Title\n\n<!-- bench reads -->\n\nCommand.\n\nnew\n\n<!-- /bench -->\n\nBy hand.\n\n  \
             <!-- bench live -->  \n\nOther.\n\nnew\n\n<!-- /bench -->\nEnd.\n"
        );
    }

    #[test]
    fn write_puts_the_picture_beside_the_page() {
        let (directory, page) = page(PAGE);
        let picture = Picture { file_name: "growth.svg", title: "Rates", svg: "<svg/>".into() };
        page.write("live", "Command.", &Report { text: "new".into(), picture: Some(picture) }).unwrap();
        assert_eq!(std::fs::read_to_string(directory.path().join("pictures/growth.svg")).unwrap(), "<svg/>");
        let text = std::fs::read_to_string(page.file()).unwrap();
        assert!(text.contains("\n\nnew\n\n![Rates](pictures/growth.svg)\n\n<!-- /bench -->\n"), "{text}");
    }

    #[test]
    fn wrong_marks_are_named_with_the_file_and_change_nothing() {
        let begin = "<!-- bench reads -->";
        let other = "<!-- bench live -->";
        for (text, expected) in [
            (String::new(), "no line is `<!-- bench reads -->`"),
            (format!("see {begin} here\n"), "no line is `<!-- bench reads -->`"),
            (format!("{other}\n{END}\n"), "no line is `<!-- bench reads -->`"),
            (format!("{begin}\n"), "`<!-- bench reads -->` has no `<!-- /bench -->` after it"),
            (format!("{begin}\n{END}\n{other}"), "`<!-- bench live -->` has no `<!-- /bench -->` after it"),
            (format!("{begin}\n{END}\n{END}\n"), "line 3 has `<!-- /bench -->`, but no section is open"),
            (format!("{END}\n{begin}\n{END}\n"), "line 1 has `<!-- /bench -->`, but no section is open"),
            (format!("{begin}\n{END}\n\n{begin}\n{END}\n"), "line 4 has `<!-- bench reads -->` a second time"),
            (
                format!("{begin}\n{other}\n{END}\n{END}\n"),
                "line 2 has `<!-- bench live -->` before the `<!-- /bench -->` of `<!-- bench reads -->`",
            ),
            (
                format!("{begin}\n{begin}\n{END}\n"),
                "line 2 has `<!-- bench reads -->` before the `<!-- /bench -->` of `<!-- bench reads -->`",
            ),
        ] {
            let (_directory, page) = page(&text);
            let expected = format!("{}: {expected}", page.file().display());
            let report = Report { text: "new".into(), picture: None };
            assert_eq!(page.check("reads").unwrap_err().to_string(), expected, "{text}");
            assert_eq!(page.write("reads", "Command.", &report).unwrap_err().to_string(), expected, "{text}");
            assert_eq!(std::fs::read_to_string(page.file()).unwrap(), text);
        }
    }

    #[test]
    fn page_that_cannot_be_read_is_named() {
        let page = ResultsPage::new("/no/such/page.md".into());
        assert!(page.check("reads").unwrap_err().to_string().starts_with("/no/such/page.md: "));
    }
}
