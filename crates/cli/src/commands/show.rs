//! `measurand show`: what the record of a run holds, with a sketch of it.

use std::path::Path;

use records::{Column, Data, Dataset, Figure, Reading, Run, Scale, State, Table};
use serde_json::{Map, Value as Json, json};
use unicode_width::UnicodeWidthStr;

use super::plot::Axes;
use crate::{
    complaint::Complaint,
    exit::Exit,
    quantity::{counted, duration, local_time},
    records_of::{read_run, resolve_run},
    sketch::sketch,
    terminal::{Paint, Stream, harmless},
};

/// The text of the measurement is long, and what it is for is running it again.
const NOT_SHOWN: &[&str] = &["measurement", "start", "end", "outcome"];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Its record, or `name_id`, the name (of its latest run), `last`, or the beginning of one of these
    #[arg(value_name = "RUN", default_value = "last")]
    run: String,
    #[command(flatten)]
    axes: Axes,
    /// As JSON, without a sketch
    #[arg(long)]
    json: bool,
}

pub(crate) fn show(args: &Args) -> Result<Exit, Complaint> {
    let record = resolve_run(&args.run)?;
    let reading = read_run(&record)?;
    if args.json {
        Stream::Output.write(&format!("{:#}\n", json(&record, &reading)));
        return Ok(Exit::Completed);
    }
    let paint = Stream::Output.paint();
    let mut text = facts(&record, &reading, paint);
    for table in &reading.tables {
        text.push_str(&table_text(table, paint));
    }
    let choice = args.axes.choice();
    match Figure::of(&Dataset::of(&reading.tables, &reading.facts), &choice) {
        Ok(figure) => {
            text.push('\n');
            text.push_str(&sketch(&figure, Stream::Output.width(), paint));
        }
        Err(error) if choice != records::Choice::default() => {
            return Err(Complaint::new(format!("cannot draw `{}`", record.display())).because(&error));
        }
        Err(_) => (), // Nobody asked for a sketch, and there is nothing to sketch.
    }
    Stream::Output.write(&text);
    Ok(Exit::Completed)
}

/// Microseconds from the start to the end; of a run without an end to what was last on record.
fn taken_us(record: &Path, reading: &Reading) -> i64 {
    let run = Run::of(record, reading);
    let last = reading.tables.iter().filter_map(|table| table.times_us.last());
    let marks = reading.marks.iter().map(|mark| &mark.time_us);
    let end = run.ended_us.or_else(|| last.chain(marks).max().copied());
    end.map_or(0, |end| (end - run.started_us).max(0))
}

fn outcome(reading: &Reading) -> &str {
    let outcome = reading.facts.items.iter().find(|(name, _)| name == "outcome");
    outcome.map_or(reading.state.name(), |(_, outcome)| outcome)
}

fn facts(record: &Path, reading: &Reading, paint: Paint) -> String {
    let outcome = outcome(reading);
    let coloured = match (reading.state, outcome) {
        (State::Running, _) => paint.good(outcome),
        (State::Broken, _) => paint.error(outcome),
        (State::Ended, "Completed") => paint.good(outcome),
        (State::Ended, _) => paint.warning(outcome),
    };
    let run = format!("{}_{}", reading.facts.name, reading.facts.id);
    let mut text = format!("{}  {coloured}\n", paint.strong(&harmless(&run)));
    let start = reading.schema.run.started_us;
    let mut items = vec![("start".to_owned(), local_time(start))];
    let taken = taken_us(record, reading);
    if reading.state == State::Ended {
        items.push(("end".to_owned(), local_time(start + taken)));
    }
    items.push(("duration".to_owned(), duration(taken as f64 / 1e6)));
    items.push(("record".to_owned(), record.display().to_string()));
    let others = reading
        .facts
        .items
        .iter()
        .filter(|(name, value)| !NOT_SHOWN.contains(&name.as_str()) && !value.is_empty());
    items.extend(others.cloned());
    let width = items.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
    for (name, value) in items {
        let gap = " ".repeat(width - name.width());
        text.push_str(&format!(
            "  {}{gap}  {}\n",
            paint.emphasis(&harmless(&name)),
            harmless(&value)
        ));
    }
    text
}

fn table_text(table: &Table, paint: Paint) -> String {
    let shape: Vec<String> = table
        .axes
        .iter()
        .map(|axis| format!("{} in {}", rounds(&axis.index), axis.name()))
        .collect();
    let shape = if shape.len() > 1 {
        format!(": {}", shape.join(", "))
    } else {
        String::new()
    };
    let columns = counted(table.columns.len(), "column");
    let head = format!(
        "{}  {} × {columns}{shape}",
        paint.strong(&harmless(&table.path)),
        counted(table.len(), "row")
    );
    let values = table.axes.iter().filter_map(|axis| axis.value.as_ref());
    let rows: Vec<[String; 3]> = values
        .chain(&table.columns)
        .map(|column| column_text(column, table))
        .collect();
    let width = |at: usize| rows.iter().map(|row| row[at].width()).max().unwrap_or(0);
    let (names, kinds) = (width(0), width(1));
    let mut text = format!("\n{head}\n");
    for [name, kind, range] in &rows {
        let (name_gap, kind_gap) = (" ".repeat(names - name.width()), " ".repeat(kinds - kind.width()));
        let line = format!("  {name}{name_gap}  {}{kind_gap}  {range}", paint.faint(kind));
        text.push_str(&format!("{}\n", line.trim_end()));
    }
    text
}

/// The most iterations of a loop.
fn rounds(index: &[u32]) -> u32 {
    index.iter().max().map_or(0, |most| most + 1)
}

fn column_text(column: &Column, table: &Table) -> [String; 3] {
    let unit = column.unit.as_ref().map(|unit| format!(" {unit}")).unwrap_or_default();
    let range = match (&column.data, range(&column.data)) {
        (Data::Text(data), _) => data.last().map(|text| format!("last: {text}")).unwrap_or_default(),
        (_, Some((low, high))) if low == high => format!("{}{unit}", Scale::number(low)),
        (Data::Complex(_), Some((low, high))) => {
            format!("magnitude {} … {}{unit}", Scale::number(low), Scale::number(high))
        }
        (_, Some((low, high))) => format!("{} … {}{unit}", Scale::number(low), Scale::number(high)),
        (_, None) if table.is_empty() => String::new(),
        (_, None) => "no number".to_owned(),
    };
    let mut range: String = harmless(&range);
    if range.chars().count() > 60 {
        range = range.chars().take(59).chain(['…']).collect();
    }
    [harmless(&column.name), kind(column), range]
}

/// `float`, of arrays `float[101]`.
fn kind(column: &Column) -> String {
    let kind = match &column.data {
        Data::Bool(_) => "bool",
        Data::Int(_) => "int",
        Data::Float(_) => "float",
        Data::Complex(_) => "complex",
        Data::Text(_) => "text",
    };
    let cell: Vec<String> = column.cell.iter().map(usize::to_string).collect();
    if cell.is_empty() {
        kind.to_owned()
    } else {
        format!("{kind}[{}]", cell.join(", "))
    }
}

/// The lowest and the highest finite number, of complex ones the magnitude.
fn range(data: &Data) -> Option<(f64, f64)> {
    let of = |numbers: &mut dyn Iterator<Item = f64>| {
        numbers
            .filter(|number| number.is_finite())
            .fold(None, |range: Option<(f64, f64)>, number| {
                Some(range.map_or((number, number), |(low, high)| (low.min(number), high.max(number))))
            })
    };
    match data {
        Data::Bool(data) => of(&mut data.iter().map(|value| f64::from(u8::from(*value)))),
        Data::Int(data) => of(&mut data.iter().map(|value| *value as f64)),
        Data::Float(data) => of(&mut data.iter().copied()),
        Data::Complex(data) => of(&mut data.iter().map(|value| value.norm())),
        Data::Text(_) => None,
    }
}

fn json(record: &Path, reading: &Reading) -> Json {
    let mut facts: Map<String, Json> = Map::new();
    for (name, value) in &reading.facts.items {
        // A fact that there are several of is a list.
        match facts.get_mut(name) {
            None => {
                facts.insert(name.clone(), json!(value));
            }
            Some(Json::Array(several)) => several.push(json!(value)),
            Some(one) => *one = json!([one.clone(), value]),
        }
    }
    let tables: Vec<Json> = reading.tables.iter().map(table_json).collect();
    json!({
        "record": record,
        "name": reading.facts.name,
        "id": reading.facts.id,
        "state": reading.state.name(),
        "outcome": outcome(reading),
        "started_us": reading.schema.run.started_us,
        "duration_s": taken_us(record, reading) as f64 / 1e6,
        "facts": facts,
        "tables": tables,
        "remarks": reading.remarks,
    })
}

fn table_json(table: &Table) -> Json {
    let loops: Vec<Json> = table
        .axes
        .iter()
        .map(|axis| {
            json!({"path": axis.path, "announced": axis.total, "iterations": rounds(&axis.index),
            "value": axis.value.as_ref().map(column_json)})
        })
        .collect();
    let columns: Vec<Json> = table.columns.iter().map(column_json).collect();
    json!({"path": table.path, "rows": table.len(), "loops": loops, "columns": columns})
}

fn column_json(column: &Column) -> Json {
    let range = range(&column.data);
    json!({"name": column.name, "path": column.path, "kind": kind(column), "cell": column.cell, "unit": column.unit,
        "lowest": range.map(|(low, _)| low), "highest": range.map(|(_, high)| high)})
}
