//! `measurand completions`: what makes a shell complete commands and options.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::{args::Cli, complaint::Complaint, exit::Exit, terminal::Stream};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

pub(crate) fn completions(args: &Args) -> Result<Exit, Complaint> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "measurand", &mut text);
    Stream::Output.write(&String::from_utf8_lossy(&text));
    Ok(Exit::Completed)
}
