//! `measurand convert`: a file in today's form.
//!
//! An old file is modernised, any other is written as Exopy would write it. What had to be decided on the way is said,
//! with the place in the old file. The old file is never touched.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use measurement::{Problem, Stage, file::File, is_old, modernise};

use crate::{complaint::Complaint, exit::Exit, snippet, source, terminal::Stream};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file to rewrite; `-` is standard input
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The file to write; `-` is standard output
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// Replace OUT if it exists
    #[arg(long)]
    force: bool,
}

pub(crate) fn convert(args: &Args) -> Result<Exit, Complaint> {
    let bytes = source::bytes(&args.input)?;
    let label = args.input.display().to_string();
    let file = match File::from_bytes(&bytes) {
        Ok(file) => file,
        Err(errors) => {
            let text = String::from_utf8(bytes).unwrap_or_default();
            for error in errors {
                let mut problem = Problem::error(Stage::Read, "", error.message).at(error.span);
                problem.hint = error.hint;
                Stream::Error.write(&snippet::text(&problem, text.as_str(), &label, Stream::Error));
            }
            return Ok(Exit::Unusable);
        }
    };
    if file.root().section("root_task").is_none()
        && file.root().get("task_id").is_none()
        && file.root().get("task_class").is_none()
    {
        let complaint = Complaint::new(format!("`{label}` is neither a measurement nor the template of a task"));
        return Err(complaint.hint("a measurement has a section `[root_task]`; a template begins with its `task_id`"));
    }
    let new = if is_old(&file) {
        let (new, notes) = modernise(&file);
        for note in notes {
            let problem = Problem::warning("", note.message);
            let has_place = note.span.start != note.span.end;
            let problem = if has_place { problem.at(note.span) } else { problem };
            Stream::Error.write(&format!(
                "{}\n",
                snippet::text(&problem, file.text(), &label, Stream::Error)
            ));
        }
        new
    } else {
        file
    };
    write(args, &new.to_canonical_text())?;
    Ok(Exit::Completed)
}

fn write(args: &Args, text: &str) -> Result<(), Complaint> {
    let output = args.output.as_path();
    if output == Path::new("-") {
        return Stream::Output
            .try_write(text)
            .map_err(|error| Complaint::new("cannot write to standard output").because(&error));
    }
    let failed = |error: std::io::Error| Complaint::of_file("write", output, &error);
    if same_file(&args.input, output) {
        return Err(
            Complaint::new(format!("`{}` is the file to read", output.display())).hint("name another file to write")
        );
    }
    if args.force {
        // Aside and renamed: whoever reads the file meanwhile has the old one or the new one, never half of it.
        let aside = output.with_added_extension(format!("{}.part", std::process::id()));
        return std::fs::write(&aside, text)
            .and_then(|()| std::fs::rename(&aside, output))
            .map_err(failed);
    }
    match std::fs::File::create_new(output) {
        Ok(mut file) => file.write_all(text.as_bytes()).map_err(failed),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(Complaint::new(format!("`{}` exists", output.display())).hint("`--force` replaces it"))
        }
        Err(error) => Err(failed(error)),
    }
}

fn same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        (Ok(_) | Err(_), _) => false,
    }
}
