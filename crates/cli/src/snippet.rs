//! A problem of a measurement as text: what is wrong, the line with a caret under it, and the way out.
//!
//! Only the lines of the place itself are drawn, so that a problem costs the same in a file of any length.

use annotate_snippets::{AnnotationKind, Element, Level, Origin, Renderer, Snippet};
use measurement::{Problem, Severity, Source, Stage};
use serde_json::{Value as Json, json};

use crate::terminal::{Paint, Stream};

/// More lines than these of one place are not drawn.
const LINES: usize = 4;

/// The problem for a screen. `label` is the file's name there.
pub(crate) fn text(problem: &Problem, source: &(impl Source + ?Sized), label: &str, stream: Stream) -> String {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut elements: Vec<Element<'_>> = Vec::new();
    match place(problem, source.source()) {
        Some(place) => elements.push(
            Snippet::source(place.lines)
                .line_start(place.first_line)
                .path(label)
                .annotation(AnnotationKind::Primary.span(place.start..place.end))
                .into(),
        ),
        None => elements.push(Origin::path(label).into()),
    }
    if let Some(hint) = &problem.hint {
        elements.push(Level::HELP.message(hint).into());
    }
    let renderer = match stream.paint() {
        Paint::Coloured => Renderer::styled(),
        Paint::Plain => Renderer::plain(),
    };
    let report = &[level.primary_title(title(problem)).elements(elements)];
    format!("{}\n", renderer.term_width(stream.width()).render(report))
}

/// `root/loop/f-a: what is wrong`.
pub(crate) fn title(problem: &Problem) -> String {
    match problem.path.as_str() {
        "" => problem.message.clone(),
        path => format!("{path}: {}", problem.message),
    }
}

/// The problem for programs.
pub(crate) fn json(problem: &Problem, source: &(impl Source + ?Sized)) -> Json {
    let place = source.line_col(problem);
    json!({
        "severity": severity(problem),
        "path": problem.path,
        "message": problem.message,
        "line": place.map(|(line, _)| line),
        "column": place.map(|(_, column)| column),
        "hint": problem.hint,
        "stage": match problem.stage {
            Stage::Read => "read",
            Stage::Build => "build",
            Stage::Check => "check",
        },
    })
}

pub(crate) fn severity(problem: &Problem) -> &'static str {
    match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// Lines of a text, and the bytes among them that are to blame.
struct Place<'a> {
    lines: &'a str,
    first_line: usize,
    start: usize,
    end: usize,
}

fn place<'a>(problem: &Problem, source: &'a str) -> Option<Place<'a>> {
    let (start, end) = problem.place?;
    if start > source.len() || source.is_empty() {
        return None;
    }
    let start = source.floor_char_boundary(start);
    let end = source.ceil_char_boundary(end.clamp(start, source.len()));
    let begin = source[..start].rfind('\n').map_or(0, |at| at + 1);
    // A place that ends with the end of a line does not show the next one.
    let last = source.floor_char_boundary(end.saturating_sub(1).max(start));
    let line_end = source[last..].find('\n').map_or(source.len(), |at| last + at);
    let limit = source[begin..]
        .match_indices('\n')
        .nth(LINES - 1)
        .map_or(source.len(), |(at, _)| begin + at);
    let stop = line_end.min(limit);
    Some(Place {
        lines: source[begin..stop].trim_end_matches('\r'),
        first_line: source[..begin].matches('\n').count() + 1,
        start: start - begin,
        end: end.min(stop) - begin,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, start: usize, end: usize, expected: &str) {
        let mut problem = Problem::error(Stage::Check, "root/f-a", "no entry `x`");
        problem.place = Some((start, end));
        let problem = problem.hint("did you mean `y`?");
        assert_eq!(text(&problem, source, "f.ini", Stream::Error), expected);
    }

    #[test]
    fn a_problem_shows_its_line_with_a_caret_and_the_way_out() {
        check(
            "a = 1\nb = {x} + 1\nc = 2\n",
            11,
            12,
            "error: root/f-a: no entry `x`\n --> f.ini:2:6\n  |\n2 | b = {x} + 1\n  |      ^\n  |\n  = help: did you mean `y`?\n",
        );
    }

    #[test]
    fn places_beyond_the_text_inside_a_letter_or_on_many_lines_do_no_harm() {
        let problem = |start, end| {
            let mut problem = Problem::warning("", "odd");
            problem.place = Some((start, end));
            problem
        };
        for source in ["", "é", "a\r\nb\r\n", "a\n\n\n\n\n\n\n\nb"] {
            for start in 0..source.len() + 2 {
                for end in 0..source.len() + 3 {
                    let text = text(&problem(start, end), source, "f", Stream::Error);
                    assert!(text.contains("odd"), "{source:?} {start} {end}");
                }
            }
        }
    }
}
