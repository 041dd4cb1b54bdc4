//! What is specific to an operating system, behind functions of the same name.
//!
//! Linux and macOS share one file. Windows (job objects, named pipes) would be another; until it is written, building
//! there fails here and not at run time.

#[cfg(unix)]
mod unix;

#[cfg(unix)]
pub(crate) use unix::{
    Readable, has_ended, in_own_group, is_readable, kill_group, private_folder, signal_name, terminate_group, token,
    user, wait, wait_for_either,
};

#[cfg(not(unix))]
compile_error!("the supervisor knows the processes of Unix only so far");
