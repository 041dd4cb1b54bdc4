//! `measurand`: checks and performs laboratory measurements. This file only wires: the words of the command line lead to a
//! command, and what a command could not do is printed.
//!
//! The same program is the child that performs measurements (`measurand __runner`, started by the parent only).

mod args;
mod commands;
mod complaint;
mod display;
mod events;
mod exit;
mod interruption;
mod laboratory;
mod live;
mod observe;
mod plain;
mod quantity;
mod records_of;
mod registry;
mod resumable;
mod sketch;
mod snippet;
mod source;
mod surroundings;
mod telling;
mod terminal;
mod values;

use std::process::ExitCode;

use clap::Parser;

use crate::{
    args::{Cli, Command},
    commands::{check, completions, control, convert, man, outline, tasks},
    exit::Exit,
};

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|word| word == "__runner") {
        return runner::main();
    }
    let done = match Cli::parse().command {
        Command::Run(args) => commands::run::run(&args),
        Command::Check(args) => check::check(&args),
        Command::Outline(args) => outline::outline(&args),
        Command::Pause(args) => control::control(control::Verb::Pause, &args),
        Command::Resume(args) => commands::resume::resume(&args),
        Command::Stop(args) => control::control(control::Verb::Stop, &args),
        Command::Kill(args) => control::control(control::Verb::Kill, &args),
        Command::Show(args) => commands::show::show(&args),
        Command::Plot(args) => commands::plot::plot(&args),
        Command::Export(args) => commands::export::export(&args),
        Command::Runs(args) => commands::runs::runs(&args),
        Command::Instruments(args) => commands::instruments::instruments(&args),
        Command::Drivers(args) => commands::drivers::drivers(&args),
        Command::Simulate(args) => commands::simulate::simulate(&args),
        Command::Tasks(args) => tasks::tasks(&args),
        Command::Convert(args) => convert::convert(&args),
        Command::Completions(args) => completions::completions(&args),
        Command::Man(args) => man::man(&args),
    };
    let exit = done.unwrap_or_else(|complaint| {
        complaint.print();
        Exit::Unusable
    });
    ExitCode::from(exit)
}
