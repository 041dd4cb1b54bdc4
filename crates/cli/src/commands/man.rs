//! `measurand man`: the manual, made from the description of the command line.

use std::path::PathBuf;

use clap::CommandFactory;
use clap_mangen::Man;

use crate::{args::Cli, complaint::Complaint, exit::Exit, terminal::Stream};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write a page for each command to this folder, instead of the first page to standard output
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

pub(crate) fn man(args: &Args) -> Result<Exit, Complaint> {
    match &args.folder {
        Some(folder) => {
            std::fs::create_dir_all(folder).map_err(|error| Complaint::of_file("make the folder", folder, &error))?;
            clap_mangen::generate_to(Cli::command(), folder)
                .map_err(|error| Complaint::of_file("write the manual to", folder, &error))?;
        }
        None => {
            let mut page = Vec::new();
            Man::new(Cli::command())
                .render(&mut page)
                .map_err(|error| Complaint::new("cannot make the manual").because(&error))?;
            Stream::Output.write(&String::from_utf8_lossy(&page));
        }
    }
    Ok(Exit::Completed)
}
