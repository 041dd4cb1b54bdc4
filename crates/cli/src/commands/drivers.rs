//! `measurand drivers`: the instruments that can be driven, what each can set and read, and whether a driver file is right.
//!
//! Deliberately absent: talking to an instrument, which is `measurand instruments`.

use std::path::Path;

use ::instruments::driver::{Driver, library};
use measurement::{Problem, Stage};

use crate::{
    complaint::Complaint,
    exit::Exit,
    quantity::counted,
    snippet, source,
    terminal::{Stream, harmless},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// One model by its id, or by what Exopy calls it; or a driver file of your own, which is checked
    #[arg(value_name = "MODEL")]
    model: Option<String>,
}

pub(crate) fn drivers(args: &Args) -> Result<Exit, Complaint> {
    match &args.model {
        None => Stream::Output.write(&list()),
        Some(path) if Path::new(path).extension().is_some_and(|end| end == "toml") => return of_file(path),
        Some(model) => Stream::Output.write(&found(model)?.document()),
    }
    Ok(Exit::Completed)
}

/// A line each: id and title.
fn list() -> String {
    let drivers: Vec<Driver> = known();
    let width = drivers.iter().map(|driver| driver.id.len()).max().unwrap_or(0);
    let line = |driver: &Driver| format!("{:width$}  {}\n", driver.id, driver.title);
    drivers.iter().map(line).collect()
}

fn known() -> Vec<Driver> {
    library::LIBRARY
        .iter()
        .filter_map(|text| Driver::parse(text).ok())
        .collect()
}

fn found(model: &str) -> Result<Driver, Complaint> {
    let wanted = model.to_lowercase();
    // `yokogawa.gs200`, `gs200`, or the last word of Exopy's id.
    let means = |name: &str| {
        let name = name.to_lowercase();
        name == wanted || name.rsplit('.').next() == Some(wanted.as_str())
    };
    let is_meant = |driver: &Driver| means(&driver.id) || driver.aliases.iter().any(|alias| means(alias));
    let complaint = || Complaint::new(format!("no driver `{}` is known here", harmless(model)));
    known()
        .into_iter()
        .find(is_meant)
        .ok_or_else(|| complaint().hint("`measurand drivers` shows all; a file of your own ends in `.toml`"))
}

fn of_file(path: &str) -> Result<Exit, Complaint> {
    let bytes = source::bytes(Path::new(path))?;
    let text = String::from_utf8(bytes).map_err(|error| Complaint::of_file("read", Path::new(path), &error))?;
    match Driver::parse(&text) {
        Ok(driver) => {
            Stream::Output.write(&driver.document());
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
    use super::{found, list};

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
        let complaint = found("GS2000").expect_err("there is no such model");
        assert_eq!(complaint.line(), "no driver `GS2000` is known here");
    }

    #[test]
    fn the_list_has_a_line_for_each_model() {
        let list = list();
        assert_eq!(list.lines().count(), instruments::driver::library::LIBRARY.len());
        let line = list.lines().find(|line| line.starts_with("srs.sr830 "));
        assert!(
            line.is_some_and(|line| line.ends_with("  Stanford Research SR830 lock-in")),
            "{list}"
        );
    }
}
