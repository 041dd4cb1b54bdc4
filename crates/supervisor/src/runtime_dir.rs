//! The folder of the sockets of running engines: `$XDG_RUNTIME_DIR/measurand`, else `measurand-<user id>` in the
//! folder of temporary files. It is the user's alone; one that is somebody else's is refused, never used.

use std::{
    env, fmt, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use crate::platform;

/// The path of a socket has at most 104 bytes on macOS, 108 on Linux; the names in the folder need up to 40.
const LONGEST: usize = 60;

/// The folder, which is there and private when this returns.
pub(crate) fn runtime_dir() -> Result<PathBuf, RuntimeDirError> {
    let run = env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|folder| folder.is_dir());
    let temporary = env::var_os("TMPDIR")
        .map(PathBuf::from)
        .filter(|folder| folder.is_dir());
    dir(run, temporary)
}

fn dir(run: Option<PathBuf>, temporary: Option<PathBuf>) -> Result<PathBuf, RuntimeDirError> {
    let fits = |folder: &PathBuf| folder.is_absolute() && folder.as_os_str().as_bytes().len() <= LONGEST;
    let own_name = format!("measurand-{}", platform::user());
    let folder = match (run.filter(fits), temporary.filter(fits)) {
        (Some(run), _) => run.join("measurand"),
        (None, Some(temporary)) => temporary.join(own_name),
        (None, None) => Path::new("/tmp").join(own_name),
    };
    match platform::private_folder(&folder) {
        Ok(()) => Ok(folder),
        Err(error) => Err(RuntimeDirError { folder, error }),
    }
}

/// There is no private folder for sockets.
#[derive(Debug)]
pub(crate) struct RuntimeDirError {
    folder: PathBuf,
    error: io::Error,
}

impl fmt::Display for RuntimeDirError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the folder `{}` cannot be used for sockets: {}",
            self.folder.display(),
            self.error
        )
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn the_folder_is_made_private_and_a_file_in_its_place_is_refused() {
        let base = env::temp_dir().join(format!("measurand-dir-{}", std::process::id()));
        fs::create_dir_all(&base).expect("a folder");
        let folder = dir(Some(base.clone()), None).expect("a private folder");
        assert_eq!(folder, base.join("measurand"));
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("it is ours");
        dir(Some(base.clone()), None).expect("the same folder");
        assert_eq!(
            fs::metadata(&folder).expect("there").permissions().mode() & 0o777,
            0o700
        );

        fs::remove_dir(&folder).expect("empty");
        fs::write(&folder, "").expect("a file");
        let refused = dir(Some(base.clone()), None).expect_err("it is a file").to_string();
        assert!(refused.ends_with("it is no folder"), "{refused}");
        fs::remove_dir_all(&base).expect("ours");
    }

    #[test]
    fn a_folder_too_deep_for_a_socket_is_passed_over() {
        let deep = PathBuf::from(format!("/{}", "d".repeat(100)));
        let folder = dir(Some(deep.clone()), Some(deep)).expect("a folder of temporary files");
        assert_eq!(
            folder,
            Path::new("/tmp").join(format!("measurand-{}", platform::user()))
        );
    }
}
