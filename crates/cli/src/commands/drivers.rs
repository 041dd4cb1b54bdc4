//! `measurand drivers`: the instruments that can be driven, what each can set and read, and whether a driver file is right.
//!
//! Deliberately absent: talking to an instrument, which is `measurand instruments`; making driver files from Python's classes,
//! which is `convert`.

mod convert;

use std::path::Path;

use ::instruments::driver::{Argument, Driver, Signal, library};
use measurement::{Problem, Stage};
use serde_json::{Value as Json, json};

use crate::{
    complaint::Complaint,
    exit::Exit,
    quantity::counted,
    snippet, source,
    terminal::{Stream, harmless},
};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    /// One model by its id, or by what Exopy calls it; words to look for; or a driver file of your own, which is checked
    #[arg(value_name = "MODEL")]
    model: Vec<String>,

    /// The list, or the model, as JSON
    #[arg(long)]
    json: bool,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a driver file from a class of PyMeasure or QCoDeS
    Convert(convert::Args),
}

pub(crate) fn drivers(args: &Args) -> Result<Exit, Complaint> {
    if let Some(Command::Convert(args)) = &args.command {
        return convert::convert(args);
    }
    if let [path] = &args.model[..]
        && Path::new(path).extension().is_some_and(|end| end == "toml")
    {
        return of_file(path, args.json);
    }
    let text = match (found(&args.model.join(" ")), args.json) {
        (Some(driver), false) => driver.document(),
        (Some(driver), true) => format!("{:#}\n", json_of(&driver)),
        (None, json) => listed(&args.model, json)?,
    };
    Stream::Output.write(&text);
    Ok(Exit::Completed)
}

/// Those that have all the words, or all there are.
fn listed(words: &[String], json: bool) -> Result<String, Complaint> {
    let drivers: Vec<Driver> = known().into_iter().filter(|driver| has_words(driver, words)).collect();
    if drivers.is_empty() {
        let said = format!("no driver `{}` is known here", harmless(&words.join(" ")));
        return Err(Complaint::new(said).hint("`measurand drivers` shows all; a file of your own ends in `.toml`"));
    }
    if json {
        let all: Vec<Json> = drivers.iter().map(head_json).collect();
        return Ok(format!("{:#}\n", json!(all)));
    }
    let width = drivers.iter().map(|driver| driver.id.len()).max().unwrap_or(0);
    let mut text = String::new();
    let mut last = "";
    for driver in &drivers {
        let maker = maker(driver);
        if !last.is_empty() && maker != last {
            text.push('\n');
        }
        last = maker;
        text.push_str(&format!("{:width$}  {}\n", driver.id, driver.title));
    }
    Ok(text)
}

fn has_words(driver: &Driver, words: &[String]) -> bool {
    let names = [&driver.id, &driver.title, &driver.doc]
        .into_iter()
        .chain(&driver.aliases);
    let all = names.map(|name| name.to_lowercase()).collect::<Vec<_>>().join(" ");
    words.iter().all(|word| all.contains(&word.to_lowercase()))
}

/// Models of one maker stand together.
fn maker(driver: &Driver) -> &str {
    driver.id.split('.').next().unwrap_or_default()
}

fn known() -> Vec<Driver> {
    let mut drivers: Vec<Driver> = library::LIBRARY
        .iter()
        .filter_map(|text| Driver::parse(text).ok())
        .collect();
    drivers.sort_by(|a, b| a.id.cmp(&b.id));
    drivers
}

fn head_json(driver: &Driver) -> Json {
    json!({"id": driver.id, "title": driver.title, "aliases": driver.aliases, "source": driver.source})
}

fn json_of(driver: &Driver) -> Json {
    let signal = |signal: &Signal| {
        json!({
            "name": signal.name,
            "doc": signal.doc,
            "unit": signal.unit,
            "can_set": signal.can_set(),
            "can_get": signal.can_get(),
        })
    };
    let argument = |argument: &Argument| {
        json!({
            "name": argument.name,
            "doc": argument.doc,
            "default": argument.default.as_ref().map(ToString::to_string),
        })
    };
    let mut all = head_json(driver);
    all["signals"] = driver.signals.iter().map(signal).collect();
    all["arguments"] = driver.arguments.iter().map(argument).collect();
    all["actions"] = driver
        .actions
        .iter()
        .map(|action| json!({"name": action.name, "doc": action.doc}))
        .collect();
    all
}

/// By one of its names: `yokogawa.gs200`, `gs200`, or the last word of Exopy's id.
pub(crate) fn found(model: &str) -> Option<Driver> {
    library::find(model).or_else(|| library::find_by_last_word(model))
}

fn of_file(path: &str, json: bool) -> Result<Exit, Complaint> {
    let bytes = source::bytes(Path::new(path))?;
    let text = String::from_utf8(bytes).map_err(|error| Complaint::of_file("read", Path::new(path), &error))?;
    match Driver::parse(&text) {
        Ok(driver) => {
            let text = match json {
                true => format!("{:#}\n", json_of(&driver)),
                false => driver.document(),
            };
            Stream::Output.write(&text);
            Ok(Exit::Completed)
        }
        Err(problems) => {
            let count = counted(problems.len(), "problem");
            for problem in problems {
                let shown = Problem {
                    place: Some((problem.place.start, problem.place.end)),
                    hint: problem.hint,
                    ..Problem::error(Stage::Read, "", problem.message)
                };
                Stream::Error.write(&snippet::text(&shown, text.as_str(), path, Stream::Error));
            }
            Stream::Error.write(&format!("{}: {count}\n", harmless(path)));
            Ok(Exit::Refused)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{found, listed};

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_model_is_found_by_each_of_its_names() {
        for name in [
            "yokogawa.gs200",
            "GS200",
            "exopy_hqc_legacy.Legacy.YokogawaGS200",
            "YokogawaGS200",
        ] {
            let driver = found(name).expect("it comes with the program");
            assert_eq!(driver.id, "yokogawa.gs200", "{name}");
        }
        assert!(found("").is_none());
        let complaint = listed(&words(&["GS2000"]), false).expect_err("there is no such model");
        assert_eq!(complaint.line(), "no driver `GS2000` is known here");
    }

    #[test]
    fn the_list_has_a_line_for_each_model_and_can_be_searched() {
        let list = listed(&[], false).expect("there are models");
        let lines = list.lines().filter(|line| !line.is_empty());
        assert_eq!(lines.count(), instruments::driver::library::LIBRARY.len());
        let line = list.lines().find(|line| line.starts_with("srs.sr830 "));
        assert!(
            line.is_some_and(|line| line.ends_with("  Stanford Research SR830 lock-in")),
            "{list}"
        );
        let list = listed(&words(&["lock-in", "stanford"]), false).expect("there are some");
        assert!(list.contains("srs.sr830") && !list.contains("yokogawa"), "{list}");
    }
}
