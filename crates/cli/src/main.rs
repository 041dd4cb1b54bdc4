//! `measurand`: checks and performs laboratory measurements. This file only wires: the words of the command line lead to a
//! command, and what a command could not do is printed.
//!
//! The same program is the child that performs measurements (`measurand __runner`, started by the parent only).

mod args;
mod commands;
mod complaint;
mod exit;
mod quantity;
mod snippet;
mod source;
mod surroundings;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

use crate::{
    args::{Cli, Command},
    commands::{check, completions, convert, man, outline, tasks},
    exit::Exit,
};

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Check(args) => check::check(&args),
        Command::Outline(args) => outline::outline(&args),
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
