//! How an object of Python is made, as a profile says it.

use std::{env, path::PathBuf, time::Duration};

use super::host::{Nature, Place};
use crate::device::Profile;

/// What a profile says beside `driver = python:module.Class`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// An interpreter, or the folder of a virtual environment; empty is the environment that is active, then `python3`.
    pub python: PathBuf,
    /// Folders in which modules are looked for first.
    pub folders: Vec<PathBuf>,
    /// Where the instrument is, as its driver wants to hear it; empty if it does not.
    pub address: String,
    /// A tuple as Python writes it: `('TCPIP::…', 2)`
    pub arguments: String,
    /// A dictionary as Python writes it: `{'visalib': '@py'}`
    pub keywords: String,
    /// The method that says good-bye; empty: `close` or `disconnect`, where there is one.
    pub close: String,
    /// The method that brings the safe state about; empty: there is none.
    pub safe: String,
    /// A process that nothing else lives in.
    pub isolated: bool,
    /// The longest that a call may take.
    pub timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            python: PathBuf::new(),
            folders: Vec::new(),
            address: String::new(),
            arguments: String::new(),
            keywords: String::new(),
            close: String::new(),
            safe: String::new(),
            isolated: false,
            timeout: Duration::from_secs(60),
        }
    }
}

impl Options {
    /// What a profile says: at its top, or in its first connection.
    ///
    /// # Errors
    /// A field is not what it must be; the words name it.
    pub fn from_profile(profile: &Profile) -> Result<Self, String> {
        let connection = profile.connections.first().map(|connection| &connection.fields);
        let field = |name: &str| {
            let found = profile.fields.get(name).or_else(|| connection?.get(name));
            found.map_or("", |text| text.trim())
        };
        let folders = env::split_paths(field("path")).filter(|folder| !folder.as_os_str().is_empty());
        let address = match field("address") {
            "" => field("resource_name"),
            address => address,
        };
        let isolated = match field("isolated") {
            "" | "False" | "false" | "no" => false,
            "True" | "true" | "yes" => true,
            other => return Err(format!("`isolated` is `{other}`, neither `True` nor `False`")),
        };
        let timeout = match field("timeout") {
            "" => Self::default().timeout,
            text => {
                let secs: Option<f64> = text.parse().ok();
                let time = secs.and_then(|secs| Duration::try_from_secs_f64(secs).ok());
                let no_time = || format!("`timeout` is `{text}`, no number of seconds");
                time.filter(|time| !time.is_zero()).ok_or_else(no_time)?
            }
        };
        Ok(Self {
            python: PathBuf::from(field("python")),
            folders: folders.collect(),
            address: address.to_owned(),
            arguments: field("args").to_owned(),
            keywords: field("kwargs").to_owned(),
            close: field("close").to_owned(),
            safe: field("safe").to_owned(),
            isolated,
            timeout,
        })
    }

    /// The process that the object of this key lives in.
    pub(crate) fn place(&self, nature: Nature, key: u64) -> Place {
        Place {
            interpreter: self.interpreter(),
            folders: self.folders.clone(),
            nature,
            alone: self.isolated.then_some(key),
        }
    }

    fn interpreter(&self) -> PathBuf {
        let of = |environment: PathBuf| environment.join("bin").join("python");
        if self.python.as_os_str().is_empty() {
            return match env::var_os("VIRTUAL_ENV") {
                Some(environment) => of(environment.into()),
                None => PathBuf::from("python3"),
            };
        }
        if self.python.is_dir() {
            of(self.python.clone())
        } else {
            self.python.clone()
        }
    }
}
