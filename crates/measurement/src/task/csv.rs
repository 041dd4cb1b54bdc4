//! A table of numbers from text, as `numpy.genfromtxt` reads it with the arguments that Exopy gives.
//!
//! Lines of comments at the beginning are skipped; the first line after them has the names, if names there are. What is
//! no number is NaN. Names lose what no identifier has: `V (mV)` is `V_mV`. Unlike there, one row is a table of one row.

use std::sync::Arc;

use expr::{Array, RecordArray, Value};
use ndarray::{ArrayD, IxDyn};

/// How a text is read.
#[derive(Clone, Debug)]
pub(crate) struct Format {
    /// Empty for any blanks.
    pub(crate) delimiter: String,
    /// What a comment begins with; empty for none.
    pub(crate) comments: String,
    pub(crate) has_names: bool,
}

impl Format {
    /// A table if there are names, else an array, of one dimension if there is one column or one row.
    ///
    /// # Errors
    /// Which line has another number of columns than the first.
    pub(crate) fn read(&self, text: &str) -> Result<Value, String> {
        let mut lines = self.after_comments(text);
        let names = self.has_names.then(|| self.names(&mut lines));
        let mut width = names.as_ref().map(Vec::len);
        let mut columns: Vec<Vec<f64>> = vec![Vec::new(); width.unwrap_or(0)];
        for (number, line) in lines {
            let cells = self.cells(line);
            if cells.is_empty() {
                continue;
            }
            let wanted = *width.get_or_insert(cells.len());
            columns.resize_with(wanted, Vec::new);
            if cells.len() != wanted {
                return Err(format!(
                    "ValueError: line {number} has {} columns instead of {wanted}",
                    cells.len()
                ));
            }
            for (column, cell) in columns.iter_mut().zip(cells) {
                column.push(cell.trim().parse().unwrap_or(f64::NAN));
            }
        }
        Ok(match names {
            Some(names) => table(names, columns),
            None => grid(columns),
        })
    }

    /// The names of the columns; those of a text without names are none.
    pub(crate) fn header(&self, text: &str) -> Vec<String> {
        if self.has_names {
            self.names(&mut self.after_comments(text))
        } else {
            Vec::new()
        }
    }

    /// Lines with their numbers, without the comments at the beginning.
    fn after_comments<'t>(&self, text: &'t str) -> impl Iterator<Item = (usize, &'t str)> + use<'t> {
        let comments = self.comments.clone();
        (1..)
            .zip(text.lines())
            .skip_while(move |(_, line)| !comments.is_empty() && line.starts_with(&comments))
    }

    fn names<'t>(&self, lines: &mut impl Iterator<Item = (usize, &'t str)>) -> Vec<String> {
        for (_, line) in lines {
            // Names may stand in a comment.
            let bare = match line.split_once(self.comments.as_str()) {
                Some((_, names)) if !self.comments.is_empty() => names,
                Some(_) | None => line,
            };
            let cells = self.cells(bare);
            if !cells.is_empty() {
                return valid(cells.into_iter().map(str::trim));
            }
        }
        Vec::new()
    }

    fn cells<'t>(&self, line: &'t str) -> Vec<&'t str> {
        let bare = match line.split_once(self.comments.as_str()) {
            Some((bare, _)) if !self.comments.is_empty() => bare,
            Some(_) | None => line,
        };
        let bare = bare.trim_matches([' ', '\r', '\n']);
        if bare.is_empty() {
            Vec::new()
        } else if self.delimiter.is_empty() {
            bare.split_whitespace().collect()
        } else {
            bare.split(self.delimiter.as_str()).collect()
        }
    }
}

/// A table with these names and 50 rows of 0.1: what stands for one that is not there yet.
pub(crate) fn stand_in(names: &[String]) -> Value {
    let columns = names.iter().map(|_| vec![0.1; 50]).collect();
    table(names.to_vec(), columns)
}

fn table(names: Vec<String>, columns: Vec<Vec<f64>>) -> Value {
    let fields = names.into_iter().zip(columns).map(|(name, column)| {
        let data = ArrayD::from_shape_vec(IxDyn(&[column.len()]), column).expect("a line is as long as its values");
        (Arc::from(name), Array::Float(data))
    });
    Value::from(RecordArray {
        fields: fields.collect(),
    })
}

fn grid(columns: Vec<Vec<f64>>) -> Value {
    let (rows, width) = (columns.first().map_or(0, Vec::len), columns.len());
    let values: Vec<f64> = (0..rows)
        .flat_map(|row| columns.iter().map(move |column| column[row]))
        .collect();
    if rows <= 1 || width <= 1 {
        return Value::from(values);
    }
    let data = ArrayD::from_shape_vec(IxDyn(&[rows, width]), values).expect("every row has a value for each column");
    Value::from(Array::Float(data))
}

/// Names as fields may have them: numpy's `NameValidator`.
fn valid<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    const DELETED: &str = "~!@#$%^&*()-=+~\\|]}[{';: /?.>,<\"";
    let mut found: Vec<String> = Vec::new();
    let mut seen: Vec<(String, usize)> = Vec::new();
    let mut nameless = 0;
    let given: Vec<&str> = names.collect();
    for name in &given {
        let mut name: String = name
            .trim()
            .replace(' ', "_")
            .chars()
            .filter(|letter| !DELETED.contains(*letter))
            .collect();
        if name.is_empty() {
            name = format!("f{nameless}");
            while given.contains(&name.as_str()) {
                nameless += 1;
                name = format!("f{nameless}");
            }
            nameless += 1;
        } else if ["return", "file", "print"].contains(&name.as_str()) {
            name.push('_');
        }
        match seen.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => {
                found.push(format!("{name}_{count}"));
                *count += 1;
            }
            None => {
                found.push(name.clone());
                seen.push((name, 1));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, delimiter: &str, has_names: bool, expected: &str) {
        let format = Format {
            delimiter: delimiter.to_owned(),
            comments: "#".to_owned(),
            has_names,
        };
        let read = match format.read(text) {
            Ok(Value::Record(record)) => record
                .fields
                .iter()
                .map(|(name, column)| format!("{name}={}", Value::from(column.clone())))
                .collect::<Vec<_>>()
                .join(" "),
            Ok(value) => value.to_string().replace('\n', ""),
            Err(message) => message,
        };
        assert_eq!(read, expected, "{text:?}");
    }

    #[test]
    fn tables_are_read_as_by_numpy() {
        check(
            "# T = 4\nFreq\tV (mV)\n1\t2\n3\t4e-1\n",
            "\t",
            true,
            "Freq=[1. 3.] V_mV=[2.  0.4]",
        );
        check(
            "a,a,file,,b c\n1,2,3,4,5\n",
            ",",
            true,
            "a=[1.] a_1=[2.] file_=[3.] f0=[4.] b_c=[5.]",
        );
        check("a b\n1 x # odd\n\ninf 2\n", "", true, "a=[ 1. inf] b=[nan  2.]");
        check("1\t2\n3\t4\n", "\t", false, "[[1. 2.] [3. 4.]]");
        check("1\n2\n", "\t", false, "[1. 2.]");
        check("a\tb\n1\n", "\t", true, "ValueError: line 2 has 1 columns instead of 2");
    }
}
