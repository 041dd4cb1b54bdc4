//! Random expressions, the same ones every time: edge cases of numbers, formats, slices, conversions and mixed kinds.

use std::fmt::Write;

/// How many expressions of each sort.
const EACH: usize = 260;

/// A small generator of random numbers; the seed never changes.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn pick<'a>(&mut self, items: &[&'a str]) -> &'a str {
        items[self.below(items.len())]
    }

    fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }
}

const INTS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "-1",
    "-2",
    "-7",
    "10",
    "17",
    "100",
    "255",
    "12345",
    "-12345",
    "1000000",
    "2**31",
    "2**53",
    "2**53+1",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "2**64",
    "-2**70",
    "10**20",
    "10**25+7",
    "True",
    "False",
    "0x1F",
    "0b101",
    "1_000",
];
const FLOATS: &[&str] = &[
    "0.0",
    "-0.0",
    "0.5",
    "1.0",
    "1.5",
    "2.5",
    "-2.5",
    "-0.5",
    "0.1",
    "0.2",
    "0.3",
    "2.675",
    "1e-5",
    "1e-7",
    "1e16",
    "1e15",
    "123456789.123456789",
    "1e22",
    "1e23",
    "1e308",
    "5e-324",
    "-1e-300",
    "3.14159",
    "100.0",
    "1e100",
    "float('inf')",
    "float('-inf')",
    "float('nan')",
    "0.1+0.2",
    "1/3",
    "99.99999",
    "9.5",
    "1234567.891",
    "0.000123456",
];
const COMPLEXES: &[&str] = &[
    "1j",
    "-1j",
    "1+2j",
    "3-4j",
    "0j",
    "1.5e-7j",
    "(0.1+0.2j)",
    "-2.5+0j",
    "complex(-0.0, -1)",
    "complex(1e16, 1e-5)",
];
const OTHERS: &[&str] = &[
    "'ab'",
    "''",
    "[1, 2]",
    "[]",
    "(1, 'x')",
    "()",
    "None",
    "b'xy'",
    "range(4)",
    "'µ日'",
    "slice(1, 3)",
];
const NUMPY: &[&str] = &[
    "np.float64(0.1)",
    "np.float64(2.5)",
    "np.float64(-3.0)",
    "np.int64(7)",
    "np.int64(-2)",
    "np.complex128(1+2j)",
    "np.array([1, 2, 3])",
    "np.array([0.5, -1.5, 2.5])",
    "np.array([1+1j, 2, 3])",
    "np.array([[1, 2, 3], [4, 5, 6]])",
    "np.array(3)",
    "np.float64(0)",
    "np.linspace(0, 1, 3)",
    "np.arange(3)",
];
const BINARY: &[&str] = &[
    "+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">=", "&", "|", "^",
];
const ARITHMETIC: &[&str] = &["+", "-", "*", "/", "//", "%"];

fn number(random: &mut Random) -> &'static str {
    match random.below(5) {
        0 | 1 => random.pick(INTS),
        2 | 3 => random.pick(FLOATS),
        _ => random.pick(COMPLEXES),
    }
}

fn anything(random: &mut Random) -> &'static str {
    match random.below(4) {
        0 => random.pick(OTHERS),
        _ => number(random),
    }
}

/// `**` with large numbers on both sides is refused here and computed there.
fn is_small_power(operator: &str, right: &str) -> bool {
    operator != "**" || (right.len() < 6 && !right.contains("**") && !right.contains("12345"))
}

fn pair(random: &mut Random, left: fn(&mut Random) -> &'static str, right: fn(&mut Random) -> &'static str) -> String {
    loop {
        let (a, operator, b) = (left(random), random.pick(BINARY), right(random));
        let repeats = operator == "*" && OTHERS.iter().any(|other| *other == a || *other == b);
        if is_small_power(operator, b)
            && !(repeats
                && (a.len() > 12
                    || b.len() > 12
                    || a.contains("**")
                    || b.contains("**")
                    || a == "1000000"
                    || b == "1000000"
                    || a == "1_000"
                    || b == "1_000"))
        {
            return format!("({a}) {operator} ({b})");
        }
    }
}

fn tree(random: &mut Random, depth: usize) -> String {
    if depth == 0 || random.chance(4) {
        let atom = if random.chance(3) {
            random.pick(&["1", "2", "3", "-4", "7"])
        } else {
            random.pick(&["0.5", "1.5", "-2.25", "3", "10", "1e3"])
        };
        return atom.to_owned();
    }
    let (a, b) = (tree(random, depth - 1), tree(random, depth - 1));
    match random.below(9) {
        0 => format!("-{a} ** 2"),
        1 => format!("({a} if {a} < {b} else {b})"),
        2 => format!("({a} < {b} <= 5)"),
        3 => format!("(not {a} or {b})"),
        4 => format!("abs({a} - {b})"),
        5 => format!("max({a}, {b}, 1)"),
        _ => format!("({a} {} {b})", random.pick(ARITHMETIC)),
    }
}

fn format_spec(random: &mut Random) -> String {
    let mut spec = String::new();
    if random.chance(3) {
        spec.push_str(random.pick(&["<", ">", "^", "=", "*<", "_>", "x^", "0=", "é^"]));
    }
    spec.push_str(random.pick(&["", "", "", "+", "-", " "]));
    spec.push_str(random.pick(&["", "", "", "", "#", "z"]));
    spec.push_str(random.pick(&["", "", "", "0"]));
    spec.push_str(random.pick(&["", "", "1", "5", "8", "12", "20"]));
    spec.push_str(random.pick(&["", "", "", "", ",", "_"]));
    spec.push_str(random.pick(&["", "", ".0", ".1", ".2", ".3", ".6", ".10", ".17", ".20"]));
    spec.push_str(random.pick(&[
        "", "", "d", "e", "E", "f", "F", "g", "G", "%", "s", "x", "X", "o", "b", "n", "c", "q",
    ]));
    spec
}

fn percent(random: &mut Random) -> String {
    let mut spec = String::from("%");
    for _ in 0..random.below(3) {
        spec.push_str(random.pick(&["#", "0", "-", " ", "+"]));
    }
    spec.push_str(random.pick(&["", "", "3", "8", "12"]));
    spec.push_str(random.pick(&["", "", ".0", ".1", ".3", ".10"]));
    spec.push_str(random.pick(&[
        "d", "i", "s", "r", "a", "e", "E", "f", "F", "g", "G", "x", "X", "o", "c", "%", "y",
    ]));
    let value = match random.below(3) {
        0 => random.pick(INTS),
        1 => random.pick(FLOATS),
        _ => random.pick(&[
            "'text'",
            "'é'",
            "(1,)",
            "(2.5,)",
            "(1, 2)",
            "None",
            "[1, 2]",
            "1+2j",
            "np.float64(2.5)",
            "np.int64(3)",
            "True",
        ]),
    };
    format!(
        "'a{spec}b' % {}",
        if value.starts_with('(') {
            value.to_owned()
        } else {
            format!("({value})")
        }
    )
}

fn slice(random: &mut Random) -> String {
    let object = random.pick(&[
        "[0, 1, 2, 3, 4, 5]",
        "'abcdef'",
        "'aµ日d'",
        "(1, 2, 3)",
        "b'hello'",
        "range(10)",
        "range(10, 0, -3)",
        "[]",
    ]);
    let bound =
        |random: &mut Random| random.pick(&["", "", "0", "1", "2", "-1", "-3", "5", "100", "-100", "None", "2**70"]);
    if random.chance(3) {
        let index = random.pick(&[
            "0",
            "1",
            "-1",
            "-3",
            "5",
            "6",
            "100",
            "True",
            "1.0",
            "'a'",
            "None",
            "2**70",
            "np.int64(1)",
        ]);
        return format!("{object}[{index}]");
    }
    let step = random.pick(&["", "", ":1", ":2", ":-1", ":-2", ":0", ":None", ":1.5", ":"]);
    format!("{object}[{}:{}{step}]", bound(random), bound(random))
}

fn rounding(random: &mut Random) -> String {
    let number = match random.below(4) {
        0 => random.pick(INTS).to_owned(),
        1 => random.pick(FLOATS).to_owned(),
        _ => {
            let digits = random.next() % 1_000_000;
            format!("{}{}.{}5", random.pick(&["", "-"]), digits % 1000, digits / 1000)
        }
    };
    match random.pick(&[
        "", "0", "1", "2", "3", "5", "-1", "-2", "-3", "20", "-20", "None", "True", "1.0", "16", "400", "-400",
    ]) {
        "" => format!("round({number})"),
        digits => format!("round({number}, {digits})"),
    }
}

const CONVERTED: &[&str] = &[
    "'1'",
    "' 12 '",
    "'-3'",
    "'1_000'",
    "'1__0'",
    "'_1'",
    "'0x1f'",
    "'0b11'",
    "'1e3'",
    "'1.5'",
    "'.5'",
    "'5.'",
    "'inf'",
    "'-Infinity'",
    "'nan'",
    "''",
    "'abc'",
    "'1+2j'",
    "'j'",
    "'-j'",
    "'(1-2j)'",
    "'1e-5-3e+4j'",
    "'1 + 2j'",
    "'+'",
    "'12345678901234567890'",
    "b'12'",
    "None",
    "[1]",
    "'1e400'",
    "'\\n7\\t'",
    "'z'",
    "'0o17'",
    "'00'",
    "'010'",
];

fn conversion(random: &mut Random) -> String {
    let value = if random.chance(2) {
        random.pick(CONVERTED)
    } else {
        anything(random)
    };
    match random.below(12) {
        0 => format!("int({value}, {})", random.pick(&["0", "2", "8", "10", "16", "36", "1"])),
        1 | 2 => format!("int({value})"),
        3 | 4 => format!("float({value})"),
        5 => format!("complex({value})"),
        6 => format!("bool({value})"),
        7 => format!("str({value})"),
        8 => format!("repr({value})"),
        9 => format!("list({value})"),
        10 => format!("abs({value})"),
        _ => format!(
            "{}({value})",
            random.pick(&["hex", "bin", "oct", "len", "sum", "min", "sorted", "tuple", "ascii"])
        ),
    }
}

fn text_method(random: &mut Random) -> String {
    let text = random.pick(&[
        "'Hello World'",
        "'  a b  c '",
        "'a,b,,c'",
        "''",
        "'-42'",
        "'µ-wave É'",
        "'aXbXc'",
        "'line\\nnext\\r\\nend'",
        "'123'",
    ]);
    let part = random.pick(&["','", "'X'", "' '", "''", "'o'", "'zz'", "None", "3", "'l'"]);
    let number = random.pick(&["0", "1", "2", "-1", "8", "13", "14", "1.5"]);
    match random.below(20) {
        0 => format!("{text}.split({part})"),
        1 => format!("{text}.split({part}, {number})"),
        2 => format!("{text}.rsplit({part}, {number})"),
        3 => format!("{text}.split()"),
        4 => format!("{text}.replace({part}, 'yy')"),
        5 => format!("{text}.replace({part}, 'y', {number})"),
        6 => format!("{text}.find({part})"),
        7 => format!("{text}.rfind({part}, {number})"),
        8 => format!("{text}.count({part})"),
        9 => format!("{text}.center({number}, '*')"),
        10 => format!("{text}.zfill({number})"),
        11 => format!("{text}.partition({part})"),
        12 => format!("{text}.rpartition({part})"),
        13 => format!("{text}.strip({part})"),
        14 => format!("{text}.startswith({part})"),
        15 => format!("{text}.index({part}, {number})"),
        16 => format!("{part}.join(['a', {text}])"),
        17 => format!("{text}.{}({number})", random.pick(&["ljust", "rjust", "center"])),
        18 => format!(
            "{text}.{}()",
            random.pick(&["splitlines", "strip", "lstrip", "rstrip", "encode", "rsplit"])
        ),
        _ => {
            let name = random.pick(&[
                "upper",
                "lower",
                "title",
                "capitalize",
                "swapcase",
                "isdigit",
                "isalpha",
                "isalnum",
                "isspace",
                "isupper",
                "islower",
                "istitle",
                "isidentifier",
                "isprintable",
                "isascii",
                "isdecimal",
            ]);
            format!("{text}.{name}()")
        }
    }
}

fn membership(random: &mut Random) -> String {
    let item = anything(random);
    let container = random.pick(&[
        "[1, 2.5, 'ab', None, (1, 'x')]",
        "(0, 1j, True)",
        "'cabd'",
        "range(0, 100, 5)",
        "b'xyz'",
        "dict(a=1, ab=2)",
        "5",
    ]);
    format!("({item}) {} {container}", random.pick(&["in", "not in"]))
}

/// All of them, in the form of a corpus file.
pub(crate) fn corpus() -> String {
    let mut random = Random(0x5eed_1234_abcd_0001);
    let mut lines = String::new();
    for _ in 0..EACH {
        let value = if random.chance(4) {
            random.pick(OTHERS)
        } else {
            number(&mut random)
        };
        let (spec, numpy_value) = (format_spec(&mut random), random.pick(NUMPY));
        let expressions = [
            pair(&mut random, number, number),
            pair(&mut random, number, number),
            pair(&mut random, anything, anything),
            pair(&mut random, |random| random.pick(NUMPY), number),
            pair(&mut random, number, |random| random.pick(NUMPY)),
            pair(&mut random, |random| random.pick(NUMPY), |random| random.pick(NUMPY)),
            tree(&mut random, 3),
            format!("format({value}, '{spec}')"),
            format!("format({}, '{}')", random.pick(FLOATS), format_spec(&mut random)),
            percent(&mut random),
            slice(&mut random),
            rounding(&mut random),
            conversion(&mut random),
            text_method(&mut random),
            membership(&mut random),
            format!("divmod({}, {})", number(&mut random), number(&mut random)),
            format!("str({numpy_value}) + repr({})", number(&mut random)),
        ];
        for expression in expressions {
            writeln!(lines, "{expression}").expect("a String takes any text");
        }
    }
    lines
}
