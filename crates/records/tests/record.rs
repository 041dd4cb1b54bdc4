//! A record holds what was written, cut anywhere it still holds all that was complete, and it says where a run goes on.

use std::{fs, path::Path};

use expr::{Array, Value};
use records::{
    Available, Data, FileAt, FileContent, LoopEntries, LoopValues, Mark, OpenedFile, Position, RecordError, RowEnd,
    RunFacts, Schema, State, TableFacts, TaskFacts, What, Writer, read,
};

/// `root`, `root/outer` with a formula `a`, in it `root/outer/inner` with entries `b` and `c`.
const OUTER: u32 = 1;
const FORMULA: u32 = 2;
const INNER: u32 = 3;
const POINT: u32 = 4;

const A: usize = 0;
const B: usize = 1;
const C: usize = 2;

fn schema() -> Schema {
    let task = |path: &str, parent: Option<u32>, table: u32| TaskFacts {
        path: path.to_owned(),
        parent,
        works_in: 0,
        called_in: 0,
        table,
    };
    let own = |first: u32| LoopEntries {
        point_number: Some(first),
        index: Some(first + 1),
        value: Some(first + 2),
        loop_values: Some(first + 3),
    };
    let table = |task, parent, columns, entries, is_innermost| TableFacts {
        task,
        parent,
        columns,
        entries,
        is_innermost,
        has_values: true,
    };
    let entries = [
        "a", "b", "c", "outer_n", "outer_i", "outer_v", "outer_l", "inner_n", "inner_i", "inner_v", "inner_l",
    ];
    Schema {
        format: records::FORMAT,
        run: RunFacts {
            name: "m".to_owned(),
            id: "1".to_owned(),
            started_us: 1_700_000_000_000_000,
            ..RunFacts::default()
        },
        tasks: vec![
            task("root", None, 0),
            task("root/outer", Some(0), 0),
            task("root/outer/f", Some(OUTER), 1),
            task("root/outer/inner", Some(OUTER), 1),
            task("root/outer/inner/g", Some(INNER), 2),
        ],
        entries: entries.map(|name| format!("root/{name}")).to_vec(),
        units: vec![(B as u32, "V".to_owned())],
        tables: vec![
            table(0, None, Vec::new(), LoopEntries::default(), false),
            table(OUTER, Some(0), vec![A as u32], own(3), false),
            table(INNER, Some(1), vec![B as u32, C as u32], own(7), true),
        ],
    }
}

fn floats(values: &[f64]) -> LoopValues {
    LoopValues {
        array: Value::from(values.to_vec()),
        values: None,
    }
}

fn nothing_open(_: u32) -> FileAt {
    FileAt::default()
}

fn none_there(_: &OpenedFile) -> Available {
    Available::Missing
}

/// Two rounds of the outer loop, three of the inner; `c` is a text now and then, and then an array.
fn write(folder: &Path) -> std::path::PathBuf {
    let mut values = vec![Value::Int(0); 11];
    let mut writer = Writer::create(folder, "m_1", schema(), &values).expect("it can be made");
    let path = writer.path().to_owned();
    writer.begin(1, Some(2), Some(floats(&[10.0, 20.0]))).expect("room");
    for outer in 0..2 {
        values[A] = Value::Float(f64::from(outer) + 0.5);
        let a = values[A].clone();
        writer.done(FORMULA, &[(A as u32, &a)], &nothing_open).expect("room");
        writer.begin(2, Some(3), Some(floats(&[1.0, 2.0, 3.0]))).expect("room");
        for inner in 0..3 {
            values[B] = Value::Float(f64::from(outer * 3 + inner));
            values[C] = match inner {
                0 => Value::from("text"),
                1 => Value::Int(7),
                _ => Value::from(vec![1.0, 2.0]),
            };
            writer.row(2, &values, RowEnd::GoesOn, &nothing_open).expect("room");
        }
        writer.done(INNER, &[], &nothing_open).expect("room");
        writer.row(1, &values, RowEnd::GoesOn, &nothing_open).expect("room");
    }
    writer.done(OUTER, &[], &nothing_open).expect("room");
    writer.last_values(&values).expect("room");
    let ended = Mark {
        time_us: 1_700_000_001_000_000,
        what: What::Ended {
            outcome: "Completed".to_owned(),
            errors: Vec::new(),
        },
    };
    writer.mark(&ended).expect("room");
    path
}

#[test]
fn what_was_written_is_read_as_tables() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let reading = read(&write(folder.path())).expect("it is a record");
    assert_eq!(reading.state, State::Ended);
    assert_eq!(reading.remarks, Vec::<String>::new());
    let inner = &reading.tables[2];
    assert_eq!((inner.path.as_str(), inner.len()), ("root/outer/inner", 6));
    assert_eq!(inner.axes[0].index, [0, 0, 0, 1, 1, 1]);
    assert_eq!(inner.axes[1].index, [0, 1, 2, 0, 1, 2]);
    let value = |axis: usize| inner.axes[axis].value.clone().expect("the loop has values").data;
    assert_eq!(value(0), Data::Float(vec![10.0, 10.0, 10.0, 20.0, 20.0, 20.0]));
    assert_eq!(value(1), Data::Float(vec![1.0, 2.0, 3.0, 1.0, 2.0, 3.0]));
    assert_eq!(inner.columns[0].data, Data::Float(vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]));
    assert_eq!(inner.columns[0].unit.as_deref(), Some("V"));
    let outer = &reading.tables[1];
    assert_eq!(outer.columns[0].data, Data::Float(vec![0.5, 1.5]));
}

#[test]
fn a_record_cut_anywhere_keeps_every_complete_point_and_says_where_to_go_on() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = write(folder.path());
    let whole = fs::read(&path).expect("it can be read");
    let mut seen = Vec::new();
    for cut in 0..whole.len() {
        fs::write(&path, &whole[..cut]).expect("it can be written");
        let reading = match read(&path) {
            Err(RecordError::NoBeginning(_) | RecordError::NotARecord(_)) => continue,
            other => other.expect("a record with a beginning can be read"),
        };
        let position = match Position::of(&path, &none_there) {
            Err(RecordError::NoBeginning(_)) => continue,
            other => other.expect("a record with a beginning can be gone on with"),
        };
        let rows = reading
            .tables
            .iter()
            .find(|table| table.name() == "inner")
            .map_or(0, |table| table.len());
        assert_eq!(position.rows[2], rows as u64, "cut at {cut}");
        if seen.last() != Some(&rows) {
            seen.push(rows);
        }
        // The loops under way have as many iterations as there are rows of their present rounds.
        let rounds = |task: u32| position.loops.iter().find(|at| at.task == task).map(|at| at.rounds);
        if let Some(outer) = rounds(OUTER) {
            assert_eq!(outer, position.rows[1], "cut at {cut}");
            let inner = rounds(INNER).unwrap_or(if position.done.contains(&INNER) { 3 } else { 0 });
            assert_eq!(outer * 3 + inner, position.rows[2], "cut at {cut}");
        }
    }
    assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_broken_record_is_gone_on_with_and_reads_like_an_unbroken_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = write(folder.path());
    let whole = read(&path).expect("it is a record");
    let bytes = fs::read(&path).expect("it can be read");
    for cut in (0..bytes.len()).step_by(7) {
        // Zeros behind it, as reserved space is.
        let mut torn = bytes[..cut].to_vec();
        torn.resize(cut + 100, 0);
        fs::write(&path, &torn).expect("it can be written");
        let Ok(position) = Position::of(&path, &none_there) else {
            continue;
        };
        let mut values = position.values.clone();
        let mut writer = Writer::go_on(&path, &position).expect("nobody else writes it");
        let at = |task: u32| position.loops.iter().find(|at| at.task == task);
        let is_done = |task: u32| position.done.contains(&task);
        if !is_done(OUTER) {
            let first = at(OUTER).map(|at| at.rounds as i32);
            if first.is_none() {
                writer.begin(1, Some(2), Some(floats(&[10.0, 20.0]))).expect("room");
            }
            let mut is_first = true;
            for outer in first.unwrap_or(0)..2 {
                values[A] = Value::Float(f64::from(outer) + 0.5);
                let a = values[A].clone();
                if !(is_first && is_done(FORMULA)) {
                    writer.done(FORMULA, &[(A as u32, &a)], &nothing_open).expect("room");
                }
                if !(is_first && is_done(INNER)) {
                    let inner = at(INNER).filter(|_| is_first).map(|at| at.rounds as i32);
                    if inner.is_none() {
                        writer.begin(2, Some(3), Some(floats(&[1.0, 2.0, 3.0]))).expect("room");
                    }
                    for inner in inner.unwrap_or(0)..3 {
                        values[B] = Value::Float(f64::from(outer * 3 + inner));
                        values[C] = match inner {
                            0 => Value::from("text"),
                            1 => Value::Int(7),
                            _ => Value::from(vec![1.0, 2.0]),
                        };
                        writer.row(2, &values, RowEnd::GoesOn, &nothing_open).expect("room");
                    }
                    writer.done(INNER, &[], &nothing_open).expect("room");
                }
                writer.row(1, &values, RowEnd::GoesOn, &nothing_open).expect("room");
                is_first = false;
            }
            writer.done(OUTER, &[], &nothing_open).expect("room");
        }
        drop(writer);
        let resumed = read(&path).expect("it is a record");
        let comparable = |reading: &records::Reading| {
            let mut tables = reading.tables.clone();
            tables.iter_mut().for_each(|table| table.times_us.clear());
            tables
        };
        assert_eq!(comparable(&resumed), comparable(&whole), "cut at {cut}");
    }
}

#[test]
fn bytes_that_changed_end_the_record_there_and_nothing_panics() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = write(folder.path());
    let whole = fs::read(&path).expect("it can be read");
    let rows = |path: &Path| read(path).map_or(0, |reading| reading.tables.iter().map(records::Table::len).sum());
    let most: usize = rows(&path);
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0x41;
        fs::write(&path, &changed).expect("it can be written");
        assert!(rows(&path) <= most, "byte {at}");
        // Either there is a position before the byte, or the beginning is not whole.
        if let Ok(position) = Position::of(&path, &none_there) {
            assert!(position.offset <= at as u64, "byte {at}: {}", position.offset);
        }
    }
}

#[test]
fn a_text_file_shorter_than_the_record_says_moves_the_position_back() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let values = vec![Value::Int(0); 11];
    let mut writer = Writer::create(folder.path(), "m_1", schema(), &values).expect("it can be made");
    let path = writer.path().to_owned();
    writer.begin(1, Some(2), Some(floats(&[10.0, 20.0]))).expect("room");
    writer.begin(2, Some(3), Some(floats(&[1.0, 2.0, 3.0]))).expect("room");
    let file = OpenedFile {
        task: POINT,
        asked: "x.dat".to_owned(),
        path: "x.dat".to_owned(),
        content: FileContent::Text {
            header: b"a\n".to_vec(),
        },
        notes: Value::None,
    };
    writer.file_opened(&file, FileAt { bytes: 2, rows: 0 }).expect("room");
    for row in 1..=3 {
        let at = FileAt {
            bytes: 2 + 10 * row,
            rows: row,
        };
        writer.row(2, &values, RowEnd::GoesOn, &|_| at).expect("room");
    }
    drop(writer);
    let rows_with = |bytes: u64| {
        let has = |_: &OpenedFile| Available::UpTo(FileAt { bytes, rows: u64::MAX });
        let position = Position::of(&path, &has).expect("it is a record");
        (position.rows[2], position.files[0].at.bytes, position.cut.is_some())
    };
    assert_eq!(rows_with(32), (3, 32, false));
    assert_eq!(rows_with(31), (2, 22, true));
    assert_eq!(rows_with(12), (1, 12, true));
    assert_eq!(rows_with(5), (0, 2, true));
    let position = Position::of(&path, &none_there).expect("it is a record");
    assert_eq!((position.rows[2], position.missing.len()), (3, 1));
}

#[test]
fn work_started_inside_an_unfinished_iteration_does_not_count() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut schema = schema();
    schema.tasks[POINT as usize].works_in = POINT;
    let values = vec![Value::Int(0); 11];
    let mut writer = Writer::create(folder.path(), "m_1", schema, &values).expect("it can be made");
    let path = writer.path().to_owned();
    writer.begin(1, Some(2), Some(floats(&[10.0, 20.0]))).expect("room");
    writer.begin(2, Some(3), Some(floats(&[1.0, 2.0, 3.0]))).expect("room");
    writer.started(POINT, None).expect("room");
    writer.row(2, &values, RowEnd::GoesOn, &nothing_open).expect("room");
    writer.late(POINT, B as u32, 2, 0, Value::Float(5.0)).expect("room");
    writer.finished(POINT, &nothing_open).expect("room");
    writer.started(POINT, None).expect("room");
    writer.late(POINT, B as u32, 2, 1, Value::Float(6.0)).expect("room");
    writer.finished(POINT, &nothing_open).expect("room");
    drop(writer);
    let position = Position::of(&path, &none_there).expect("it is a record");
    assert_eq!(position.rows[2], 1);
    assert!(position.works.is_empty());
    assert_eq!(position.values[B].as_f64(), Some(5.0));
    // The value belongs to the iteration that its work was started in, though that was complete before.
    let reading = read(&path).expect("it is a record");
    assert_eq!(reading.tables[2].columns[0].data, Data::Float(vec![5.0]));
}

#[test]
fn two_processes_do_not_write_one_record() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let values = vec![Value::Int(0); 11];
    let writer = Writer::create(folder.path(), "m_1", schema(), &values).expect("it can be made");
    let refused = Position::of(writer.path(), &none_there);
    assert!(matches!(refused, Err(RecordError::InUse(_))));
    assert_eq!(read(writer.path()).expect("reading is allowed").state, State::Running);
    let second = Writer::create(folder.path(), "m_1", schema(), &values).expect("it gets another name");
    assert!(second.path().ends_with("m_1-1.record"));
}

#[test]
fn large_values_and_many_rows_pass_the_windows() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut values = vec![Value::Int(0); 11];
    let mut writer = Writer::create(folder.path(), "m_1", schema(), &values).expect("it can be made");
    let path = writer.path().to_owned();
    writer.begin(1, Some(1), Some(floats(&[10.0]))).expect("room");
    writer.begin(2, None, None).expect("room");
    let big: Vec<f64> = (0..2_000_000).map(f64::from).collect();
    for row in 0..1000 {
        values[B] = Value::Float(f64::from(row));
        values[C] = if row == 500 {
            Value::from(big.clone())
        } else {
            Value::from(vec![1.0])
        };
        writer.row(2, &values, RowEnd::GoesOn, &nothing_open).expect("room");
    }
    drop(writer);
    let position = Position::of(&path, &none_there).expect("it is a record");
    assert_eq!(position.rows[2], 1000);
    let Value::Array(array) = &position.values[C] else {
        panic!("an array")
    };
    assert!(matches!(&**array, Array::Float(array) if array.len() == 1));
    assert_eq!(position.values[B].as_f64(), Some(999.0));
}
