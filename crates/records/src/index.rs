//! Which runs there were: a small database of this user's, so that a run is found by its name from any folder.
//!
//! It holds nothing that is not in the records, and can be deleted: `measurand runs FOLDER` fills it again. Several
//! processes may use it at once (SQLite, write-ahead log). Deliberately absent: the data, and runs of other users.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{
    read::{Reading, State},
    schema::What,
    table::Table,
};

/// How long one process waits for another's transaction, which takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);
/// Version of the tables below.
const FORMAT: i64 = 1;

/// The runs that are known.
#[derive(Debug)]
pub struct Index {
    connection: Connection,
    path: PathBuf,
}

/// What is known of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Of its record; absolute.
    pub path: PathBuf,
    pub name: String,
    pub id: String,
    /// Microseconds since 1970-01-01 UTC.
    pub started_us: i64,
    pub ended_us: Option<i64>,
    /// How it ended (`Completed`), else `Running` or `Broken`.
    pub outcome: String,
    /// Points measured: rows of the innermost loops.
    pub rows: u64,
}

/// Which runs are wanted.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// This is part of `name_id`, whatever the case.
    pub name: Option<String>,
    /// Not more than these.
    pub limit: Option<usize>,
}

/// Why the index cannot be used.
#[derive(Debug)]
pub enum IndexError {
    /// There is neither `XDG_DATA_HOME` nor `HOME`.
    NoHome,
    Io {
        path: PathBuf,
        source: io::Error,
    },
    /// Another version of the program made it.
    OtherFormat {
        path: PathBuf,
        format: i64,
    },
    Database {
        path: PathBuf,
        source: rusqlite::Error,
    },
}

impl Run {
    /// What a record says of its run.
    pub fn of(path: &Path, reading: &Reading) -> Run {
        let ended = reading.marks.iter().rev().find_map(|mark| match &mark.what {
            What::Ended { outcome, .. } => Some((mark.time_us, outcome.clone())),
            What::Instrument { .. }
            | What::Paused { .. }
            | What::WentOn { .. }
            | What::StopAsked { .. }
            | What::Resumed { .. }
            | What::Closing => None,
        });
        let (ended_us, outcome) = match (reading.state, ended) {
            (State::Ended, Some((time_us, outcome))) => (Some(time_us), outcome),
            (state, _) => (None, state.name().to_owned()),
        };
        Run {
            path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
            name: reading.facts.name.clone(),
            id: reading.facts.id.clone(),
            started_us: reading.schema.run.started_us,
            ended_us,
            outcome,
            rows: points(&reading.tables),
        }
    }

    /// The name of its record without the extension: `name_id`, of a repeated run `name_id-1`.
    pub fn stem(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Whether nothing about it will change by itself.
    pub fn is_over(&self) -> bool {
        self.ended_us.is_some()
    }
}

/// Rows of the loops that have no loop inside them.
fn points(tables: &[Table]) -> u64 {
    let is_innermost = |table: &&Table| {
        let around_others =
            |other: &Table| other.path != table.path && other.axes.iter().any(|axis| axis.path == table.path);
        !table.axes.is_empty() && !tables.iter().any(around_others)
    };
    tables.iter().filter(is_innermost).map(|table| table.len() as u64).sum()
}

impl Index {
    /// The index of this user: `$XDG_DATA_HOME/measurand/runs.sqlite`, by default in `~/.local/share`.
    ///
    /// # Errors
    /// There is no home, or see [`Index::open`].
    pub fn of_user() -> Result<Index, IndexError> {
        let folder = |name: &str| {
            std::env::var_os(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let share = folder("XDG_DATA_HOME").or_else(|| Some(folder("HOME")?.join(".local/share")));
        Index::open(&share.ok_or(IndexError::NoHome)?.join("measurand/runs.sqlite"))
    }

    /// Opens an index, which is made if it is not there.
    ///
    /// # Errors
    /// It cannot be made, is no database, or is of another version.
    pub fn open(path: &Path) -> Result<Index, IndexError> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|source| IndexError::Io {
                path: folder.to_owned(),
                source,
            })?;
        }
        let of_database = |source| IndexError::Database {
            path: path.to_owned(),
            source,
        };
        let connection = Connection::open(path).map_err(of_database)?;
        let index = Index {
            connection,
            path: path.to_owned(),
        };
        match index.prepare().map_err(of_database)? {
            FORMAT => Ok(index),
            format => Err(IndexError::OtherFormat {
                path: path.to_owned(),
                format,
            }),
        }
    }

    /// Returns the version of its tables.
    fn prepare(&self) -> rusqlite::Result<i64> {
        self.connection.busy_timeout(PATIENCE)?;
        // Some network folders cannot have it; the default is slower and as safe.
        self.connection.pragma_update(None, "journal_mode", "WAL").ok();
        self.connection.pragma_update(None, "synchronous", "NORMAL")?;
        let format = |connection: &Connection| connection.pragma_query_value(None, "user_version", |row| row.get(0));
        if format(&self.connection)? == 0 {
            self.connection.execute_batch(&format!(
                "BEGIN IMMEDIATE;
                 CREATE TABLE IF NOT EXISTS runs (
                     path TEXT PRIMARY KEY, name TEXT NOT NULL, id TEXT NOT NULL, started_us INTEGER NOT NULL,
                     ended_us INTEGER, outcome TEXT NOT NULL, rows INTEGER NOT NULL
                 ) WITHOUT ROWID;
                 CREATE INDEX IF NOT EXISTS newest ON runs (started_us DESC);
                 PRAGMA user_version = {FORMAT};
                 COMMIT;"
            ))?;
        }
        format(&self.connection)
    }

    /// Keeps a run, instead of what was known of it.
    ///
    /// # Errors
    /// The database is locked for longer than 5 s, or cannot be written.
    pub fn add_or_update(&self, run: &Run) -> Result<(), IndexError> {
        let path = run.path.to_string_lossy();
        let values = params![
            path,
            run.name,
            run.id,
            run.started_us,
            run.ended_us,
            run.outcome,
            i64::try_from(run.rows).unwrap_or(i64::MAX)
        ];
        let sql = "INSERT OR REPLACE INTO runs (path, name, id, started_us, ended_us, outcome, rows) VALUES (?, ?, ?, ?, ?, ?, ?)";
        self.said(self.connection.execute(sql, values)).map(drop)
    }

    /// The runs that are wanted, the newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn list(&self, filter: &Filter) -> Result<Vec<Run>, IndexError> {
        let list = || {
            let sql = "SELECT path, name, id, started_us, ended_us, outcome, rows FROM runs
                       WHERE ?1 IS NULL OR instr(lower(name || '_' || id), lower(?1)) > 0
                       ORDER BY started_us DESC, path LIMIT ?2";
            let mut statement = self.connection.prepare(sql)?;
            let limit = filter.limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(-1));
            statement.query_map(params![filter.name, limit], run)?.collect()
        };
        self.said(list())
    }

    /// What is known of the run of a record.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn get(&self, path: &Path) -> Result<Option<Run>, IndexError> {
        let sql = "SELECT path, name, id, started_us, ended_us, outcome, rows FROM runs WHERE path = ?";
        let found = self
            .connection
            .query_row(sql, params![path.to_string_lossy()], run)
            .optional();
        self.said(found)
    }

    /// Forgets the runs whose records are gone, and says how many. A record in a folder that is gone too may be on a disk
    /// that is not mounted: it is not forgotten.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub fn forget_missing(&self) -> Result<usize, IndexError> {
        let mut forgotten = 0;
        for run in self.list(&Filter::default())? {
            if !run.path.exists() && run.path.parent().is_some_and(Path::exists) {
                let sql = "DELETE FROM runs WHERE path = ?";
                forgotten += self.said(self.connection.execute(sql, params![run.path.to_string_lossy()]))?;
            }
        }
        Ok(forgotten)
    }

    fn said<T>(&self, result: rusqlite::Result<T>) -> Result<T, IndexError> {
        result.map_err(|source| IndexError::Database {
            path: self.path.clone(),
            source,
        })
    }
}

fn run(row: &Row<'_>) -> rusqlite::Result<Run> {
    Ok(Run {
        path: PathBuf::from(row.get::<_, String>(0)?),
        name: row.get(1)?,
        id: row.get(2)?,
        started_us: row.get(3)?,
        ended_us: row.get(4)?,
        outcome: row.get(5)?,
        rows: row.get::<_, i64>(6)?.unsigned_abs(),
    })
}

impl fmt::Display for IndexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IndexError::NoHome => f.write_str("neither `XDG_DATA_HOME` nor `HOME` says where the list of runs is"),
            IndexError::Io { path, .. } => write!(f, "cannot make the folder `{}`", path.display()),
            IndexError::OtherFormat { path, format } => {
                write!(
                    f,
                    "`{}` is of version {format}; this program knows version {FORMAT}",
                    path.display()
                )
            }
            IndexError::Database { path, .. } => write!(f, "cannot use the list of runs `{}`", path.display()),
        }
    }
}

impl std::error::Error for IndexError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            IndexError::Io { source, .. } => Some(source),
            IndexError::Database { source, .. } => Some(source),
            IndexError::NoHome | IndexError::OtherFormat { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_run(folder: &Path, name: &str, started_us: i64) -> Run {
        Run {
            path: folder.join(format!("{name}_001.record")),
            name: name.to_owned(),
            id: "001".to_owned(),
            started_us,
            ended_us: None,
            outcome: "Running".to_owned(),
            rows: 0,
        }
    }

    fn names(index: &Index, filter: &Filter) -> Vec<String> {
        index
            .list(filter)
            .expect("a list")
            .into_iter()
            .map(|run| run.name)
            .collect()
    }

    #[test]
    fn runs_are_listed_newest_first_and_forgotten_when_their_records_are_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let index = Index::open(&folder.path().join("a/b/runs.sqlite")).expect("an index");
        for (name, started_us) in [("Warm", 1), ("cool", 3), ("cold", 2)] {
            index
                .add_or_update(&a_run(folder.path(), name, started_us))
                .expect("room");
        }
        assert_eq!(names(&index, &Filter::default()), ["cool", "cold", "Warm"]);
        let some = |name: &str| Filter {
            name: Some(name.to_owned()),
            limit: None,
        };
        assert_eq!(names(&index, &some("CO")), ["cool", "cold"]);
        assert_eq!(names(&index, &some("warm_001")), ["Warm"]);
        assert_eq!(
            names(
                &index,
                &Filter {
                    name: None,
                    limit: Some(1)
                }
            ),
            ["cool"]
        );

        let ended = Run {
            ended_us: Some(9),
            outcome: "Completed".to_owned(),
            rows: 7,
            ..a_run(folder.path(), "cool", 3)
        };
        index.add_or_update(&ended).expect("room");
        assert_eq!(index.get(&ended.path).expect("a look"), Some(ended.clone()));
        fs::write(&ended.path, "").expect("room");
        let elsewhere = a_run(Path::new("/no/such/disk"), "far", 4);
        index.add_or_update(&elsewhere).expect("room");
        assert_eq!(index.forget_missing().expect("a look"), 2);
        assert_eq!(names(&index, &Filter::default()), ["far", "cool"]);
    }

    #[test]
    fn several_writers_at_once_lose_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("runs.sqlite");
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let (path, folder) = (&path, folder.path());
                scope.spawn(move || {
                    let index = Index::open(path).expect("an index");
                    for number in 0..20 {
                        let run = a_run(folder, &format!("w{writer}n{number}"), number);
                        index.add_or_update(&run).expect("a turn");
                    }
                });
            }
        });
        let index = Index::open(&path).expect("an index");
        assert_eq!(index.list(&Filter::default()).expect("a list").len(), 80);
    }

    #[test]
    fn what_is_no_index_of_this_version_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("runs.sqlite");
        fs::write(
            &path,
            "something else that is long enough to be looked at, and is no database at all",
        )
        .expect("room");
        assert!(matches!(Index::open(&path), Err(IndexError::Database { .. })));
        let later = folder.path().join("later.sqlite");
        let connection = Connection::open(&later).expect("a database");
        connection.pragma_update(None, "user_version", 2).expect("a version");
        drop(connection);
        assert!(matches!(
            Index::open(&later),
            Err(IndexError::OtherFormat { format: 2, .. })
        ));
    }
}
