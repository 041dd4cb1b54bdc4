//! The data files that tasks of a run write: text and HDF5, opened at their first use and closed with the run.

use measurement::{DataFile, Hdf5, TaskId};
use protocol::{OnExisting, Value};

/// The data files of one run.
pub(crate) struct DataFiles {
    on_existing: OnExisting,
}

impl DataFiles {
    pub(crate) fn new(on_existing: OnExisting) -> Self {
        Self { on_existing }
    }

    pub(crate) fn open_file(&self, _task: TaskId) -> Option<DataFile> {
        None
    }

    pub(crate) fn create_text(
        &self,
        _task: TaskId,
        path: &str,
        _header: &[u8],
        _notes: Value,
    ) -> Result<DataFile, String> {
        Err(format!("`{path}`: {:?}", self.on_existing))
    }

    pub(crate) fn append_text(&self, _task: TaskId, _text: &[u8], _rows: u64) -> Result<(), String> {
        Err(String::new())
    }

    pub(crate) fn create_hdf5(
        &self,
        _task: TaskId,
        path: &str,
        _file: &Hdf5,
        _notes: Value,
    ) -> Result<DataFile, String> {
        Err(path.to_owned())
    }

    pub(crate) fn append_hdf5(&self, _task: TaskId, _values: &[Value]) -> Result<(), String> {
        Err(String::new())
    }

    pub(crate) fn close(&self, _task: TaskId) -> Result<(), String> {
        Ok(())
    }

    pub(crate) fn write_whole(&self, _task: TaskId, path: &str, _content: &[u8]) -> Result<String, String> {
        Err(path.to_owned())
    }

    pub(crate) fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        Err(path.to_owned())
    }

    pub(crate) fn read_hdf5(&self, path: &str) -> Result<(Vec<(String, Value)>, Option<i64>), String> {
        Err(path.to_owned())
    }
}
