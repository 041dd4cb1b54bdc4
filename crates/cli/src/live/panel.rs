//! What the live display shows of a run: a pure function of its view, the time, and the size of the terminal.
//!
//! ```text
//! ────────────────────────────────────────────────────────────
//!  Running  rabi_map_001   0:12   examples/rabi_map.meas.ini
//!   freq    ━━━━━━━━━━╸─────────────────  12/41   8.2 s left
//!   power   ━━━━━━━━━━━━━━━━━╸──────────   7/11   0.3 s left
//!   meas_time   10-00-00
//!   signal_v    0.734
//!   root/settle sleeping for 12 s
//!  p pause   s stop   k kill
//! ```
//!
//! On a small terminal the values go first, then the loops, the outer ones first; the state and the keys stay.

use std::time::Duration;

use measurement::{Measurement, Shown};
use protocol::Doing;
use supervisor::{At, LoopView, RunState, View};

use super::{
    keys::Keys,
    row::{Look, Row, columns, cut, cut_front},
};
use crate::quantity::{clock, counted, duration};

/// What is shown, and what a display remembers of the loops.
pub(super) struct Panel {
    stem: String,
    shown: Vec<Shown>,
    /// Entry paths by entry, for the monitor's lines.
    paths: Vec<String>,
    seen: Vec<Seen>,
    /// When the last rows were made.
    last_us: i64,
}

/// A pass of a loop that runs, as this display saw it: news of fast loops come too rarely to count their iterations.
struct Seen {
    task: String,
    /// Iteration of the loop around it; another one means another pass.
    around: u64,
    /// Since when, in microseconds, pauses taken out.
    since_us: i64,
}

/// A task that works for this long without a word may hang.
const LONG: Duration = Duration::from_secs(10);

/// Tasks that are named for being at the same place for a while.
const PLACES: usize = 3;

/// Letters of names before a bar or a value.
const LONGEST_NAME: usize = 28;

impl Panel {
    pub(super) fn new(measurement: &Measurement) -> Self {
        Panel {
            stem: measurement.stem(),
            shown: measurement.monitor.shown().to_vec(),
            paths: measurement
                .tree
                .database()
                .entries()
                .iter()
                .map(|entry| entry.path.clone())
                .collect(),
            seen: Vec::new(),
            last_us: 0,
        }
    }

    /// Rows for a terminal of this many columns and rows.
    pub(super) fn rows(&mut self, view: &View, keys: Keys, now_us: i64, (width, height): (usize, usize)) -> Vec<Row> {
        self.remember(view, now_us);
        // The terminal's last line is not drawn on.
        let room = height.saturating_sub(1);
        let mut head = vec![self.head(view, now_us)];
        let foot = foot(view, keys);
        if keys == Keys::AskedToKill && room < 2 {
            return vec![foot; room];
        }
        if room >= 8 {
            head.insert(0, Row::new().with(Look::Faint, &"─".repeat(width)));
        }
        let places = places(view);
        let mut left = room.saturating_sub(head.len() + 1);
        let place_rows = places.len().min(left);
        left -= place_rows;
        let loops = self.loops(view, now_us, width);
        let loop_rows = loops.len().min(left);
        left -= loop_rows;
        let values = self.values(view, left);

        let mut rows = head;
        rows.extend(loops.into_iter().rev().take(loop_rows).rev());
        rows.extend(values);
        rows.extend(places.into_iter().take(place_rows));
        rows.push(foot);
        rows.truncate(room);
        rows
    }

    fn remember(&mut self, view: &View, now_us: i64) {
        if view.state == Some(RunState::Paused) {
            let held = now_us - self.last_us;
            self.seen.iter_mut().for_each(|seen| seen.since_us += held);
        }
        self.last_us = now_us;
        self.seen
            .retain(|seen| view.loops.iter().any(|running| running.task == seen.task));
        let mut around = 0;
        for running in &view.loops {
            match self.seen.iter_mut().find(|seen| seen.task == running.task) {
                Some(seen) if seen.around == around => (),
                Some(seen) => (seen.around, seen.since_us) = (around, now_us),
                None => self.seen.push(Seen {
                    task: running.task.clone(),
                    around,
                    since_us: now_us,
                }),
            }
            around = running.index;
        }
    }

    fn head(&self, view: &View, now_us: i64) -> Row {
        let (colour, name) = match view.state {
            None if view.outcome.is_some() => (6, "Ending"),
            None | Some(RunState::Ready) => (6, "Starting"),
            Some(state @ RunState::Running) => (2, state.name()),
            Some(state @ (RunState::Pausing | RunState::Paused)) => (3, state.name()),
            Some(state @ RunState::Resuming) => (6, state.name()),
            Some(state @ RunState::Stopping) => (5, state.name()),
        };
        let elapsed = view.began_us.map_or(0, |began| (now_us - began).max(0)) as u64;
        let mut row = Row::new()
            .with(Look::Badge(colour), &format!(" {name} "))
            .with(Look::Plain, "  ")
            .with(Look::Strong, &self.stem)
            .with(Look::Plain, &format!("   {}", clock(Duration::from_micros(elapsed))));
        let (errors, warnings) = view.problem_counts;
        if errors + warnings > 0 {
            let look = if errors > 0 { Look::Error } else { Look::Warning };
            let words = match (errors, warnings) {
                (0, warnings) => counted(warnings, "warning"),
                (errors, _) => counted(errors, "error"),
            };
            row = row.with(Look::Plain, "   ").with(look, &words);
        }
        if let Some(facts) = &view.facts {
            row = row.with(Look::Faint, &format!("   {}", facts.file));
        }
        row
    }

    fn loops(&self, view: &View, now_us: i64, width: usize) -> Vec<Row> {
        // What is left does not shrink while nothing goes on.
        let now_us = if view.state == Some(RunState::Paused) {
            view.last_us
        } else {
            now_us
        };
        let fractions = fractions(&view.loops);
        let names: Vec<String> = view
            .loops
            .iter()
            .map(|running| cut_front(name_of(&running.task), LONGEST_NAME.min(width / 3)))
            .collect();
        let counts: Vec<String> = view.loops.iter().map(count_of).collect();
        let widest = |texts: &[String]| texts.iter().map(|text| columns(text)).max().unwrap_or(0);
        let (name_width, count_width) = (widest(&names), widest(&counts));
        // The time left is last, so that it is what a narrow terminal loses.
        let bar_width = width.saturating_sub(name_width + count_width + 27).min(60);
        let rows = view.loops.iter().zip(&fractions).zip(names.iter().zip(&counts));
        rows.enumerate()
            .map(|(at, ((running, fraction), (name, count)))| {
                let mut row = Row::new()
                    .with(Look::Plain, "  ")
                    .with(Look::Plain, name)
                    .pad(2 + name_width + 2);
                if bar_width >= 6 {
                    row = bar(row, *fraction, bar_width).with(Look::Plain, "  ");
                }
                let blanks = count_width - columns(count);
                row = row.with(Look::Plain, &format!("{}{count}", " ".repeat(blanks)));
                match self.left(running, *fraction, now_us, at == 0) {
                    Some(seconds) if seconds >= 1.0 => row.with(Look::Faint, &format!("   {} left", duration(seconds))),
                    // Inner loops are over and begin again too fast for their last second to be read.
                    Some(_) if at == 0 => row.with(Look::Faint, "   less than 1 s left"),
                    Some(_) | None => row,
                }
            })
            .collect()
    }

    /// Seconds that a loop still takes, if it goes on as it did. The outermost loop's own iterations say it best once
    /// there are some.
    fn left(&self, running: &LoopView, fraction: Option<f64>, now_us: i64, is_outermost: bool) -> Option<f64> {
        if is_outermost && let Some(left) = running.left_us(now_us) {
            return Some(left as f64 / 1e6);
        }
        let seen = self.seen.iter().find(|seen| seen.task == running.task)?;
        // From less than this nothing can be foretold.
        let fraction = fraction.filter(|fraction| *fraction > 0.01)?;
        Some((now_us - seen.since_us).max(0) as f64 / 1e6 * (1.0 - fraction) / fraction)
    }

    /// The monitor's lines, as many as there is room for.
    fn values(&self, view: &View, room: usize) -> Vec<Row> {
        let name_width = self
            .shown
            .iter()
            .map(|shown| columns(&shown.name))
            .max()
            .unwrap_or(0)
            .min(LONGEST_NAME);
        let row = |shown: &Shown| {
            let words = shown.words(|entry| view.value_of(self.paths.get(entry.index())?));
            Row::new()
                .with(Look::Plain, "  ")
                .with(Look::Faint, &cut(&shown.name, name_width))
                .pad(2 + name_width + 2)
                .with(Look::Emphasis, &words)
        };
        if self.shown.len() <= room {
            return self.shown.iter().map(row).collect();
        }
        let Some(fit) = room.checked_sub(1) else {
            return Vec::new();
        };
        let mut rows: Vec<Row> = self.shown.iter().take(fit).map(row).collect();
        rows.push(Row::new().with(Look::Faint, &format!("  … and {} more", self.shown.len() - fit)));
        rows
    }
}

fn name_of(task: &str) -> &str {
    task.strip_prefix("root/").unwrap_or(task)
}

/// How much of each loop is done, the loop inside it counted in; nothing where nobody knows the total.
fn fractions(loops: &[LoopView]) -> Vec<Option<f64>> {
    let mut fractions = vec![None; loops.len()];
    for (at, running) in loops.iter().enumerate().rev() {
        let Some(total) = running.total.filter(|total| *total > 0) else {
            continue;
        };
        let inside = loops
            .get(at + 1)
            .filter(|inner| inner.task.starts_with(&format!("{}/", running.task)));
        let inner: f64 = inside.and_then(|_| fractions[at + 1]).unwrap_or(0.0);
        let done = running.index.saturating_sub(1) as f64 + inner;
        fractions[at] = Some((done / total as f64).clamp(0.0, 1.0));
    }
    fractions
}

fn count_of(running: &LoopView) -> String {
    match running.total {
        Some(total) => format!("{}/{total}", running.index),
        None => format!("{}", running.index),
    }
}

fn bar(row: Row, fraction: Option<f64>, width: usize) -> Row {
    let Some(fraction) = fraction else {
        return row.with(Look::Faint, &"╌".repeat(width));
    };
    let halves = (fraction * 2.0 * width as f64).floor() as usize;
    let (full, half) = (halves / 2, halves % 2);
    row.with(Look::Good, &"━".repeat(full))
        .with(Look::Good, &"╸".repeat(half))
        .with(Look::Faint, &"─".repeat(width.saturating_sub(full + half)))
}

/// Where the run has been for a while, the longest first.
fn places(view: &View) -> Vec<Row> {
    let mut places: Vec<&At> = view.at.iter().collect();
    places.sort_by_key(|at| std::cmp::Reverse(at.millis));
    let row = |at: &&At| {
        let time = Duration::from_millis(at.millis);
        let doing = match at.doing {
            Doing::Working => "working",
            Doing::Sleeping => "sleeping",
            Doing::Waiting => "waiting for other tasks",
            Doing::Held => "held",
        };
        let hangs = at.doing == Doing::Working && time >= LONG;
        let look = if hangs { Look::Warning } else { Look::Faint };
        let words = format!("  {} {doing} for {}", at.task, duration(time.as_secs() as f64));
        Row::new().with(look, &words)
    };
    places
        .iter()
        .filter(|at| at.millis >= 1000)
        .take(PLACES)
        .map(row)
        .collect()
}

fn foot(view: &View, keys: Keys) -> Row {
    if keys == Keys::AskedToKill {
        return Row::new()
            .with(Look::Error, " kill?")
            .with(Look::Plain, " press k again, any other key to go on");
    }
    let key = |row: Row, letter: &str, word: &str| {
        row.with(Look::Plain, "  ")
            .with(Look::Strong, letter)
            .with(Look::Faint, &format!(" {word}"))
    };
    let row = Row::new();
    match view.state {
        Some(RunState::Stopping) => key(row.with(Look::Plain, "  stopping …"), "k", "kill"),
        Some(RunState::Pausing | RunState::Paused) => key(key(key(row, "p", "resume"), "s", "stop"), "k", "kill"),
        None | Some(RunState::Ready | RunState::Running | RunState::Resuming) => {
            key(key(key(row, "p", "pause"), "s", "stop"), "k", "kill")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use measurement::Overrides;
    use protocol::Value;
    use supervisor::{RunEvent, RunFiles, Update, What};

    use super::*;
    use crate::terminal::Paint;

    const TEXT: &str =
        "name = rabi\nid = 001\n[root_task]\n[[children_0]]\ntask_id = exopy.SleepTask\nname = 電圧\ntime = 1\n";

    fn panel() -> Panel {
        let measurement = Measurement::read(TEXT.as_bytes(), "m", &Overrides::default()).expect("a measurement");
        Panel::new(&measurement)
    }

    fn view() -> View {
        let mut view = View::default();
        let entries: Arc<[Arc<str>]> = Arc::new(["root/meas_time".into(), "root/電圧_time".into()]);
        view.fold(&Update::Started {
            entries,
            values: vec![(0, Value::from("10-00-00")), (1, Value::Float(0.25))],
            files: RunFiles::default(),
        });
        let mut at = |second: i64, what| {
            view.fold(&Update::Event(RunEvent {
                seq: 1,
                time_us: second * 1_000_000,
                what,
            }))
        };
        at(0, What::State(RunState::Running));
        for second in 0..=5 {
            let progress = |task: &str, index| What::Progress {
                task: task.to_owned(),
                index,
                total: Some(10),
            };
            at(second, progress("root/freq", 1));
            at(second, progress("root/freq/power", second as u64 + 1));
        }
        view.fold(&Update::At {
            task: "root/freq/power/x".into(),
            doing: Doing::Working,
            millis: 12_000,
        });
        view
    }

    fn check(size: (usize, usize), expected: &str) {
        let mut panel = panel();
        panel.rows(&view(), Keys::Usual, 0, size);
        let rows = panel.rows(&view(), Keys::Usual, 5_000_000, size);
        let texts: Vec<String> = rows
            .iter()
            .map(|row| row.text(size.0, Paint::Plain).trim_end().to_owned())
            .collect();
        assert_eq!(format!("\n{}", texts.join("\n")), expected);
    }

    #[test]
    fn a_panel_shows_state_loops_values_places_and_keys() {
        check(
            (60, 24),
            "
────────────────────────────────────────────────────────────
 Running   rabi_001   0:05
  freq        ╸──────────────────  1/10   1 min 35 s left
  freq/power  ━━━━━━━━━╸─────────  6/10   5.0 s left
  meas_time  10-00-00
  電圧_time  0.25
  root/freq/power/x working for 12 s
  p pause  s stop  k kill",
        );
    }

    #[test]
    fn a_small_terminal_shows_what_matters_most() {
        check(
            (60, 6),
            "
 Running   rabi_001   0:05
  freq        ╸──────────────────  1/10   1 min 35 s left
  freq/power  ━━━━━━━━━╸─────────  6/10   5.0 s left
  root/freq/power/x working for 12 s
  p pause  s stop  k kill",
        );
        check(
            (12, 4),
            "
 Running   …
  root/freq…
  p pause  …",
        );
        check((1, 2), "\n…");
        check((0, 0), "\n");
    }

    #[test]
    fn no_size_of_terminal_does_harm() {
        for width in 0..50 {
            for height in 0..14 {
                for keys in [Keys::Usual, Keys::AskedToKill] {
                    let rows = panel().rows(&view(), keys, 5_000_000, (width, height));
                    assert!(rows.len() <= height.saturating_sub(1), "{width}x{height}");
                    assert!(rows.iter().all(|row| columns(&row.text(width, Paint::Plain)) <= width));
                }
            }
        }
    }
}
