//! Setters of pyvisa-sim: `!FREQ {:.2f}` read backwards, as its `stringparser` does with regular expressions.
//!
//! A number in `{:f}` needs two digits or a point between digits (`5` is none), in `{:d}` digits; `{}` is any text, as short
//! as possible. Deliberately absent: widths and fillings, which are ignored there too.

use super::held::Held;

/// A setter's query.
#[derive(Clone, Debug)]
pub(super) struct Phrase {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Hole(Hole),
}

#[derive(Clone, Debug)]
struct Hole {
    /// Its name, or its position.
    name: String,
    kind: Kind,
    sign: Sign,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Digits(u32),
    Fixed,
    /// With an exponent behind this letter, perhaps.
    Exponent(&'static str),
}

/// What may stand in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Never,
    Minus,
    /// One of these must.
    OneOf(&'static str),
}

/// What stood in the holes, by their names.
pub(super) struct Found(Vec<(String, Held)>);

impl Phrase {
    /// # Errors
    /// The words say what is no format.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let (mut plain, mut count) = (String::new(), 0);
        let mut rest = text.chars().peekable();
        while let Some(next) = rest.next() {
            match next {
                '{' | '}' if rest.peek() == Some(&next) => {
                    rest.next();
                    plain.push(next);
                }
                '{' => {
                    let field: String = rest.by_ref().take_while(|c| *c != '}').collect();
                    let (name, spec) = field.split_once(':').unwrap_or((&field, ""));
                    let name = if name.is_empty() {
                        count += 1;
                        (count - 1).to_string()
                    } else {
                        name.to_owned()
                    };
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                    pieces.push(Piece::Hole(hole(name, spec)?));
                }
                '}' => return Err(format!("`{text}` has a `}}` without `{{`")),
                other => plain.push(other),
            }
        }
        pieces.push(Piece::Text(plain));
        Ok(Self { pieces })
    }

    pub(super) fn find(&self, query: &str) -> Option<Found> {
        let mut found = Vec::new();
        if !fits(&self.pieces, query, &mut found) {
            return None;
        }
        let holes = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Hole(hole) => Some(hole),
            Piece::Text(_) => None,
        });
        let values = holes
            .zip(found)
            .map(|(hole, text)| Some((hole.name.clone(), hole.convert(text)?)));
        values.collect::<Option<Vec<_>>>().map(Found)
    }
}

fn hole(name: String, spec: &str) -> Result<Hole, String> {
    if spec.is_empty() {
        return Ok(Hole {
            name,
            kind: Kind::Text,
            sign: Sign::Never,
        });
    }
    let kind = match spec.chars().last() {
        Some('d') => Kind::Digits(10),
        Some('b') => Kind::Digits(2),
        Some('o') => Kind::Digits(8),
        Some('x' | 'X') => Kind::Digits(16),
        Some('f' | 'F') => Kind::Fixed,
        Some('e') => Kind::Exponent("e"),
        Some('E') => Kind::Exponent("E"),
        Some('g' | 'G') => Kind::Exponent("eE"),
        Some('c' | 'n' | '%') | None => return Err(format!("`{spec}` is a format that is not read backwards")),
        Some(_) => Kind::Text,
    };
    let sign = match spec.chars().find(|c| matches!(c, '+' | ' ' | '-')) {
        Some('+') => Sign::OneOf("-+"),
        Some(' ') => Sign::OneOf("- "),
        Some(_) | None => Sign::Minus,
    };
    Ok(Hole { name, kind, sign })
}

fn fits<'t>(pieces: &[Piece], text: &'t str, found: &mut Vec<&'t str>) -> bool {
    let Some((piece, later)) = pieces.split_first() else {
        return text.is_empty();
    };
    match piece {
        Piece::Text(plain) => text
            .strip_prefix(plain.as_str())
            .is_some_and(|rest| fits(later, rest, found)),
        Piece::Hole(hole) => {
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            let mut ends: Vec<usize> = ends.filter(|end| hole.takes(&text[..*end])).collect();
            if !matches!(hole.kind, Kind::Text | Kind::Digits(_)) {
                ends.reverse();
            }
            ends.into_iter().any(|end| {
                found.push(&text[..end]);
                let is_right = fits(later, &text[end..], found);
                if !is_right {
                    found.pop();
                }
                is_right
            })
        }
    }
}

impl Hole {
    fn takes(&self, text: &str) -> bool {
        let unsigned = match self.sign {
            Sign::Never => text,
            Sign::Minus => text.strip_prefix('-').unwrap_or(text),
            Sign::OneOf(signs) => match text.strip_prefix(|c| signs.contains(c)) {
                Some(rest) => rest,
                None => return false,
            },
        };
        match self.kind {
            Kind::Text => !text.contains('\n'),
            Kind::Digits(base) => !unsigned.is_empty() && unsigned.chars().all(|c| c.is_digit(base)),
            Kind::Fixed => is_fixed(unsigned),
            Kind::Exponent(letters) => match unsigned.split_once(|c| letters.contains(c)) {
                Some((mantissa, power)) => {
                    is_fixed(mantissa) && is_digits(power.strip_prefix(['-', '+']).unwrap_or(power))
                }
                None => is_fixed(unsigned),
            },
        }
    }

    fn convert(&self, text: &str) -> Option<Held> {
        Some(match self.kind {
            Kind::Text => Held::Text(text.to_owned()),
            Kind::Digits(base) => Held::Int(i64::from_str_radix(text.trim(), base).ok()?),
            Kind::Fixed | Kind::Exponent(_) => Held::Float(text.trim().parse().ok()?),
        })
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_fixed(text: &str) -> bool {
    match text.split_once('.') {
        Some((whole, fraction)) => is_digits(whole) && is_digits(fraction),
        None => text.len() >= 2 && is_digits(text),
    }
}

impl Found {
    /// The value of the only hole, if it has no name.
    pub(super) fn only(&self) -> Option<&Held> {
        match self.0.as_slice() {
            [(name, held)] if name == "0" => Some(held),
            _ => None,
        }
    }

    pub(super) fn named(&self, name: &str) -> Option<String> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, held)| held.to_string())
    }

    /// The value of the first hole without a name.
    pub(super) fn first(&self) -> Option<&Held> {
        self.0.iter().find(|(known, _)| known == "0").map(|(_, held)| held)
    }

    /// `str()` of all that was found: a value, or several as Python shows them.
    pub(super) fn text(&self) -> String {
        let shown = |held: &Held| match held {
            Held::Text(text) => format!("'{text}'"),
            Held::Int(_) | Held::Float(_) => held.to_string(),
        };
        match self.0.as_slice() {
            [(name, held)] if name == "0" => held.to_string(),
            several if !several.is_empty() && several.iter().all(|(name, _)| name.parse::<usize>().is_ok()) => {
                let values: Vec<String> = several.iter().map(|(_, held)| shown(held)).collect();
                format!("[{}]", values.join(", "))
            }
            named => {
                let values: Vec<String> = named
                    .iter()
                    .map(|(name, held)| format!("'{name}': {}", shown(held)))
                    .collect();
                format!("{{{}}}", values.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Phrase;

    #[test]
    fn queries_are_read_backwards() {
        let check = |phrase: &str, query: &str, expected: &str| {
            let found = Phrase::parse(phrase).expect("a phrase").find(query);
            let found = found.map_or_else(|| "-".to_owned(), |found| found.text());
            assert_eq!(found, expected, "{phrase} {query}");
        };
        check("!FREQ {:.2f}", "!FREQ 10.50", "10.5");
        check("!FREQ {:.2f}", "!FREQ 5", "-");
        check("!FREQ {:.2f}", "!FREQ -12", "-12.0");
        check("!OUT {:d}", "!OUT 1", "1");
        check("!OUT {:d}", "!OUT 1.5", "-");
        check("X {}", "X ", "");
        check("C{ch_id}:V {}", "C2:V 1", "{'ch_id': '2', '0': '1'}");
        check("V {:e}", "V 1.5e-3", "0.0015");
    }
}
