//! The book is true: what `docs/` and the README show is written, run and compared.
//!
//! The info string of a fenced block says what is done with it, in the order of the page, each page in a folder of its own
//! that has the examples:
//!
//! ```text
//! ini file=NAME      a complete measurement: it is written to NAME and must pass `measurand check`
//! sh run [exit=N]    commands for the reader: they are run and must end with status N, else 0
//! python run         lines for the reader to type, where `MEASURAND_PYTHON` has what they import
//! text output        what the commands before it print; a line `…` stands for any lines, times for any times
//! <!-- run: … -->    what the reader does in an editor, or has done before
//! ```
//!
//! Other blocks are only shown. Deliberately absent: blocks that need a second terminal or time to pass.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = fs::read_dir(repository().join("docs"))
        .expect("the book")
        .map(|entry| entry.expect("a file of the book").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort();
    pages.push(repository().join("README.md"));
    pages
}

/// A fenced block, or a command in a comment.
struct Block {
    line: usize,
    info: String,
    body: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let (info, body) = if let Some(info) = line.strip_prefix("```") {
            let body = lines
                .by_ref()
                .map(|(_, line)| line)
                .take_while(|line| *line != "```")
                .map(|line| format!("{line}\n"))
                .collect();
            (info, body)
        } else if let Some(command) = line.strip_prefix("<!-- run: ") {
            let command = command.strip_suffix(" -->").expect("the comment ends on its line");
            ("sh run", command.to_owned())
        } else {
            continue;
        };
        blocks.push(Block {
            line: at + 1,
            info: info.to_owned(),
            body,
        });
    }
    blocks
}

/// A reader who follows a page.
struct Reader {
    folder: TempDir,
    /// Nothing after lines that could not be run here.
    printed: Option<String>,
}

impl Reader {
    fn new() -> Reader {
        let folder = tempfile::tempdir().expect("a folder");
        let examples = folder.path().join("examples");
        fs::create_dir_all(examples.join("data")).expect("a folder for the examples");
        for entry in fs::read_dir(repository().join("examples")).expect("the examples") {
            let path = entry.expect("an example").path();
            if let (true, Some(name)) = (path.is_file(), path.file_name()) {
                fs::copy(&path, examples.join(name)).expect("room for an example");
            }
        }
        Reader { folder, printed: None }
    }

    /// Says what is wrong with the block, if anything is.
    fn follow(&mut self, block: &Block) -> Result<(), String> {
        let mut words = block.info.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some("ini"), Some(file), None) => {
                let name = file
                    .strip_prefix("file=")
                    .expect("a complete measurement has a `file=`");
                fs::write(self.folder.path().join(name), &block.body).expect("room for a measurement");
                self.run(&format!("measurand check {name}"), 0)
            }
            (Some("sh"), Some("run"), exit) => {
                let status = exit.map_or("0", |exit| exit.strip_prefix("exit=").expect("`exit=N`"));
                self.run(&block.body, status.parse().expect("a status is a number"))
            }
            (Some("python"), Some("run"), None) => self.run_python(&block.body),
            (Some("text"), Some("output"), None) => match &self.printed {
                Some(printed) if !fits(&block.body, printed) => Err(format!("this was printed:\n{printed}")),
                Some(_) | None => Ok(()),
            },
            (_, None, None) => Ok(()),
            _ => Err(format!("nobody knows what `{}` means", block.info)),
        }
    }

    fn run_python(&mut self, lines: &str) -> Result<(), String> {
        self.printed = None;
        let Some(interpreter) = std::env::var_os("MEASURAND_PYTHON") else {
            println!("skipped: no `MEASURAND_PYTHON`");
            return Ok(());
        };
        let output = Command::new(interpreter)
            .args(["-c", lines])
            .current_dir(self.folder.path())
            .env("MPLBACKEND", "agg")
            .output()
            .expect("an interpreter");
        let complained = String::from_utf8_lossy(&output.stderr);
        if complained.contains("ModuleNotFoundError") {
            println!("skipped: {complained}");
            return Ok(());
        }
        self.printed = Some(String::from_utf8_lossy(&output.stdout).into_owned());
        if output.status.success() {
            Ok(())
        } else {
            Err(complained.into_owned())
        }
    }

    fn run(&mut self, commands: &str, status: i32) -> Result<(), String> {
        let program = Path::new(env!("CARGO_BIN_EXE_measurand"));
        let mut path = program
            .parent()
            .expect("a program is in a folder")
            .as_os_str()
            .to_owned();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let output = Command::new("sh")
            .args(["-c", &format!("exec 2>&1\n{commands}")])
            .current_dir(self.folder.path())
            .env("PATH", path)
            .env("XDG_DATA_HOME", self.folder.path().join("home"))
            .output()
            .expect("a shell");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let wrong = format!("status {:?} instead of {status}:\n{printed}", output.status.code());
        self.printed = Some(printed);
        if output.status.code() == Some(status) {
            Ok(())
        } else {
            Err(wrong)
        }
    }
}

/// Whether the text is as shown.
fn fits(shown: &str, printed: &str) -> bool {
    let shown: Vec<String> = shown.trim().lines().map(timeless).collect();
    let printed: Vec<String> = printed.trim().lines().map(timeless).collect();
    lines_fit(&shown, &printed)
}

fn lines_fit(shown: &[String], printed: &[String]) -> bool {
    match shown {
        [] => printed.is_empty(),
        [any, rest @ ..] if any == "…" => (0..=printed.len()).any(|at| lines_fit(rest, &printed[at..])),
        [line, rest @ ..] => printed.first() == Some(line) && lines_fit(rest, &printed[1..]),
    }
}

/// The line with its days, times of day and duration replaced.
fn timeless(line: &str) -> String {
    let ends = [": Completed in ", ": Failed after ", ": Interrupted after "];
    let end = ends.iter().find_map(|end| line.find(end).map(|at| at + end.len()));
    let is_of_time = |c: char| c.is_ascii_digit() || c == ':' || c == '-';
    let mut rest = &line[..end.unwrap_or(line.len())];
    let mut timeless = String::new();
    while let Some(start) = rest.find(is_of_time) {
        let length = rest[start..].find(|c| !is_of_time(c)).unwrap_or(rest.len() - start);
        let run = &rest[start..start + length];
        let shape: String = run.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        timeless.push_str(&rest[..start]);
        match shape.as_str() {
            "00:00:00" | "00-00-00" | "0000-00-00" => timeless.push_str("<time>"),
            _ => timeless.push_str(run),
        }
        rest = &rest[start + length..];
    }
    timeless + rest
}

#[test]
fn what_the_book_shows_happens() {
    let mut wrong = String::new();
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        let mut reader = Reader::new();
        for block in blocks(&text) {
            if let Err(why) = reader.follow(&block) {
                wrong.push_str(&format!("{}:{}: {why}\n", page.display(), block.line));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn every_link_leads_to_a_file_and_to_a_heading_in_it() {
    let mut wrong = String::new();
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                page.clone()
            } else {
                page.with_file_name(file)
            };
            let is_there = match heading {
                "" => target.exists(),
                _ => fs::read_to_string(&target).is_ok_and(|text| has_heading(&text, heading)),
            };
            if !is_there {
                wrong.push_str(&format!("{}: `{link}` leads nowhere\n", page.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Headings are named as GitHub and mdBook name them.
fn has_heading(page: &str, name: &str) -> bool {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| line.trim_start_matches('#').trim().to_lowercase())
        .map(|title| {
            title
                .chars()
                .filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-')
                .collect::<String>()
        })
        .any(|title| title.replace(' ', "-") == name)
}

#[test]
fn texts_are_compared_as_the_book_means_it() {
    let printed = "10:20:30  a\nb 1\nc\nd_001: Completed in 12 ms\n";
    for (shown, expected) in [
        ("12:13:14  a\nb 1\nc\nd_001: Completed in 3 s\n", true),
        ("12:13:14  a\n…\nd_001: Completed in 3 s\n", true),
        ("…\nc\n…\n", true),
        ("…\n", true),
        ("12:13:14  a\nb 1\n", false),
        ("12:13:14  a\nb 2\n…\n", false),
        ("…\nc\nb 1\n…\n", false),
        ("…\nx\n…\n", false),
    ] {
        assert_eq!(fits(shown, printed), expected, "{shown}");
    }
}
