//! The dialect held against Python's ConfigObj 5.0.9: the same texts are accepted, hold the same values and are written alike.
//!
//! Most texts are generated, short and nasty, from a seed that is fixed; the rest are the real files and the golden ones.
//! Where no Python with ConfigObj is found, or no such files, the tests say so and pass.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use measurement::file::{File, Section, can_hold};

#[test]
fn generated_texts_are_read_as_the_reference_reads_them() {
    let mut random = Random(0x5eed);
    let mut texts: Vec<String> = EDGES.iter().map(|&text| text.to_owned()).collect();
    texts.extend((0..1500).map(|_| plausible_file(&mut random)));
    texts.extend((0..6000).map(|_| nasty_lines(&mut random)));
    check_against_reference("generated texts", &texts, 1000);
}

#[test]
fn what_is_written_is_read_by_the_reference() {
    let mut random = Random(0xcafe);
    let mut texts = Vec::new();
    let mut expected = Vec::new();
    for _ in 0..1500 {
        let (key, value, name) = (nasty(&mut random, 5), nasty(&mut random, 8), nasty(&mut random, 5));
        // A key and a name have no form for everything; these characters always have one in a value.
        let plain = |text: &str| text.replace(['"', '\'', '\n', '\r'], "");
        let (key, name) = (plain(&key), format!("s{}", plain(&name)));
        if !can_hold(&value) {
            continue;
        }
        let mut file = File::new();
        file.root_mut().set(&key, &value);
        file.root_mut().add_section(&name).set("k", &value);
        assert_eq!(
            File::parse(&file.to_text()).map(|again| holds(again.root())),
            Ok(holds(file.root()))
        );
        texts.push(file.to_text());
        expected.push(holds(file.root()));
    }
    assert!(texts.len() > 1000, "most values can be written");
    let Some(answers) = ask_reference(&texts) else { return };
    for ((text, expected), answer) in texts.iter().zip(&expected).zip(&answers) {
        match answer {
            Answer::Holds { values, .. } => assert_eq!(values, expected, "{text:?}"),
            other => panic!("{text:?}: the reference says {other:?}"),
        }
    }
}

#[test]
fn real_files_are_kept_to_the_byte_and_written_as_the_reference_writes_them() {
    let files: Vec<PathBuf> = ["real", "golden"]
        .iter()
        .flat_map(|folder| ini_files(&shared().join(folder)))
        .collect();
    if files.is_empty() {
        println!("skipped: no files in {}", shared().display());
        return;
    }
    let mut texts = Vec::new();
    let mut unedited = 0;
    for path in &files {
        let bytes = std::fs::read(path).expect("the file was listed");
        let file = File::from_bytes(&bytes).unwrap_or_else(|errors| panic!("{}: {errors:?}", path.display()));
        let text = String::from_utf8(bytes).expect("it was parsed");
        assert!(file.to_text() == text, "{}", path.display());
        unedited += usize::from(file.to_canonical_text() == text);
        texts.push(text);
    }
    println!(
        "{} files, {unedited} of them written as ConfigObj writes with four blanks",
        files.len()
    );
    assert!(unedited > files.len() / 2, "most real files were written by Exopy");
    check_against_reference("real files", &texts, files.len());
}

#[test]
fn the_time_to_read_grows_with_the_text_only() {
    // Ten take 0.2 s to read when optimised (2026-11-22); tests are not.
    const MEGABYTES: usize = 2;
    let line = "        saved_values = \"[('V', '{Loop_voltage}'), ('I', '{Meas_I}')]\"  # note\n";
    let section: String = std::iter::once("[[child_N]]\n".to_owned())
        .chain((0..100).map(|n| line.replace("saved_values", &format!("key_{n}"))))
        .collect();
    let mut text = "[root]\n".to_owned();
    for n in 0..MEGABYTES * 1_000_000 / section.len() {
        text.push_str(&section.replace("child_N", &format!("child_{n}")));
    }
    for text in [
        text,
        format!("k = \"{}\n", "\" , \"".repeat(MEGABYTES * 200_000)),
        format!("{}]\n", "[ ".repeat(MEGABYTES * 500_000)),
        format!("k = '''{}", "''' x\n\"\"\" '''\n".repeat(MEGABYTES * 70_000)),
        format!("\"{}", "\" ".repeat(MEGABYTES * 500_000)),
    ] {
        let start = std::time::Instant::now();
        let read = File::parse(&text);
        let took = start.elapsed();
        println!(
            "{:.1} MB in {took:?}, {}",
            text.len() as f64 / 1e6,
            if read.is_ok() { "read" } else { "refused" }
        );
        // A quadratic reader would take hours.
        assert!(took.as_secs() < 30);
    }
}

/// Choices of the reference that no grammar would make.
const EDGES: &[&str] = &[
    "",
    "\n",
    "\u{feff}",
    "\u{feff}a = 1\n",
    "# c",
    "# c\n\n# d\n\n",
    "a = 1\n\n",
    "a = 1\n# end\n\n",
    "k =\nk2 = \"\"\nk3 = ''\nk4 = \"\" # c\nk5 = # c\n",
    "k = a  \nl = \" a \"\nm = a # c\nn = a#c\no = \"a\" # c\np = it's\n",
    "k = a,b",
    "k = it's, ok",
    "k = [1, 2]",
    "k = {'activated': True, 'wait': ['instr']}",
    "k = {'activated': True}",
    "k = ,",
    "k = , # c",
    "k = a,",
    "k = 'a', # c",
    "k = \"a\" # \"b\", c",
    "k = \"a\", \"b, c",
    "k = '''l1\nl2'''",
    "k = \"\"\"l1\r\nl2  \r\n l3\"\"\" # c\r\nl = 1\r\n",
    "k = ''''''",
    "k = ''''a'''",
    "k = '''a''''",
    "k = '''a''' b",
    "k = '''a\nb''' c\nd'''",
    "k = '''a",
    "k = %(x)s\nl = %d\nm = ${j}",
    "k : 1",
    "[a]\n[[b]]\n[[[c]]]\n[d]\n[[b]]\n",
    "[a]\n[[[b]]]",
    "[a]\n[a]",
    "a = 1\n[a]",
    "a = 1\na = 2",
    "\"a\" = 1\na = 2",
    "[\"a b\"]\n['c']\n[ d ]\n[\"\"]",
    "[[]",
    "[]]",
    "[a]]",
    "[a] # c\n[b]#c\n[c # d]\n",
    "'a=b' = 1\na=b = 2",
    " = 1",
    "\t= 1",
    "  'a = 1",
    "= 1",
    "a = 1\r\r\nb = 2\r\n",
    "a = 1\rb = 2\n",
    "  a = 1\n    [s]\n  b = 2\n",
    "a = \u{a0}x\u{a0}\u{1c}\u{85}\n",
];

enum Answer {
    Refused,
    List,
    Holds { values: String, written: Option<String> },
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Answer::Refused => f.write_str("refused"),
            Answer::List => f.write_str("a list"),
            Answer::Holds { values, .. } => write!(f, "holds {values:?}"),
        }
    }
}

fn check_against_reference(what: &str, texts: &[String], least_accepted: usize) {
    let Some(answers) = ask_reference(texts) else { return };
    let (mut accepted, mut lists, mut alike) = (0, 0, 0);
    for (text, answer) in texts.iter().zip(&answers) {
        let read = File::parse(text);
        match (&read, answer) {
            (Err(errors), Answer::Refused) => assert!(!errors.is_empty()),
            (Err(errors), Answer::List) => {
                lists += 1;
                assert!(
                    errors.iter().all(|e| e.message.contains("comma outside quotes")),
                    "{text:?}: {errors:?}"
                );
            }
            (Ok(file), Answer::Holds { values, written }) => {
                accepted += 1;
                assert_eq!(&holds(file.root()), values, "{text:?}");
                assert_eq!(&file.to_text(), text);
                if let Some(written) = written {
                    alike += 1;
                    assert_eq!(&file.to_canonical_text(), written, "{text:?}");
                }
            }
            _ => panic!(
                "{text:?}: {:?}, but the reference says {answer:?}",
                read.map(|file| holds(file.root()))
            ),
        }
    }
    println!(
        "{what}: {} in all, {accepted} accepted, {lists} with lists, {alike} written alike",
        texts.len()
    );
    assert!(
        accepted >= least_accepted,
        "the texts are not refused for the most part"
    );
}

/// What the reference says to each text; `None` where there is none.
fn ask_reference(texts: &[String]) -> Option<Vec<Answer>> {
    let Some(python) = python() else {
        println!("skipped: no Python with configobj; set MEASURAND_PYTHON");
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configobj_reference.py");
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this Python has just been started");
    let mut stdin = child.stdin.take().expect("it is piped");
    let lines: String = texts.iter().map(|text| hex(text) + "\n").collect();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().expect("the reference ends with its input");
    writer.join().unwrap().expect("the reference reads all texts");
    let answers = String::from_utf8(output.stdout).unwrap();
    let mut answers = answers.lines();
    let version = answers.next().expect("the reference tells its version");
    if version != "5.0.9" {
        println!("skipped: configobj is {version}, the reference is 5.0.9");
        return None;
    }
    let answers: Vec<Answer> = answers.map(answer).collect();
    assert_eq!(answers.len(), texts.len());
    Some(answers)
}

fn answer(line: &str) -> Answer {
    let text = |word: &str| if word == "-" { String::new() } else { from_hex(word) };
    match line.split(' ').collect::<Vec<_>>()[..] {
        ["E"] => Answer::Refused,
        ["L"] => Answer::List,
        ["O", values, written] => {
            let written = (written != "-").then(|| text(written));
            Answer::Holds {
                values: text(values),
                written,
            }
        }
        _ => panic!("the reference says {line:?}"),
    }
}

fn python() -> Option<PathBuf> {
    let candidates = [
        std::env::var_os("MEASURAND_PYTHON").map(PathBuf::from),
        Some(workspace().join(".venv/bin/python")),
        Some(PathBuf::from("python3")),
    ];
    candidates.into_iter().flatten().find(|python| {
        let silent = Command::new(python)
            .args(["-c", "import configobj"])
            .stderr(Stdio::null())
            .status();
        silent.is_ok_and(|status| status.success())
    })
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn shared() -> PathBuf {
    workspace().join("../shared")
}

fn ini_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(ini_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "ini") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// As the script writes it.
fn holds(section: &Section) -> String {
    let mut out = String::new();
    for (key, scalar) in section.scalars() {
        writeln!(out, "K{}={}", hex(key), hex(&scalar.value)).unwrap();
    }
    for child in section.sections() {
        writeln!(out, "S{}:{}", child.depth(), hex(child.name())).unwrap();
        out.push_str(&holds(child));
    }
    out
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> String {
    let bytes = (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect();
    String::from_utf8(bytes).unwrap()
}

/// Xorshift: the same numbers everywhere, without a crate.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// A file as people write them: mostly right, with comments, odd blanks and the odd mistake.
fn plausible_file(random: &mut Random) -> String {
    let end = random.pick(&["\n", "\n", "\n", "\r\n"]);
    let mut text = random.pick(&["", "", "# doc\n", "\u{feff}", "\n"]).to_owned();
    let mut depth = 0;
    for n in 0..random.below(12) {
        let indent = " ".repeat(random.below(9));
        let comment = random.pick(&["", "", "", " # c", "#c, d", "  # it's \"c\""]);
        let line = match random.below(10) {
            0 => format!("{indent}# comment, '{n}'"),
            1 => String::new(),
            2..4 => {
                depth = random.below(depth + 1) + 1 + random.below(40) / 39;
                let name = random
                    .pick(&["s", "\"t\"", " u ", "v.w", "'x y'", "z]"])
                    .replace(['s', 't'], &format!("s{n}"));
                format!("{indent}{}{name}{}{comment}", "[".repeat(depth), "]".repeat(depth))
            }
            _ => {
                let value = random.pick(&VALUES).replace('N', &n.to_string());
                let key = random
                    .pick(&["key", "a b", "\"q\"", "'e=f'", "dotted.key"])
                    .replace(['y', 'b', 'q'], &n.to_string());
                let equals = random.pick(&[" = ", "=", "  =  ", " =\t"]);
                format!("{indent}{key}{equals}{value}{comment}")
            }
        };
        text.push_str(&line.replace('\n', end));
        text.push_str(end);
    }
    if random.below(4) == 0 {
        text.truncate(text.trim_end().len());
    }
    text
}

const VALUES: [&str; 18] = [
    "",
    "N",
    "1e-0N",
    "{Loop_voltage}*N",
    "\"{'activated': True, 'wait': ['instr']}\"",
    "{'activated': True}",
    "\"[(u'S21', u'PHAS'), ('a', '{b}')]\"",
    "C:\\Users\\a b\\N",
    "'say \"N\"'",
    "it's N",
    "'''two\nlines N'''",
    "\"\"\"it's\n\n  \"N\"\n\"\"\"",
    "\"\"",
    "µ Ω %(x)s",
    "'  N  '",
    "'#N'",
    "a, N",
    "'open",
];

/// A few lines made of what has a meaning somewhere.
fn nasty_lines(random: &mut Random) -> String {
    let mut text = String::new();
    for n in 0..=random.below(3) {
        match random.below(6) {
            0 => _ = write!(text, "[{}]", nasty(random, 5)),
            1 => _ = write!(text, "{} = {n}", nasty(random, 5)),
            2 => text.push_str(&nasty(random, 8)),
            3 => {
                _ = write!(
                    text,
                    "k{n} = {q}{}{q}",
                    nasty(random, 6),
                    q = random.pick(&["'", "\"", "'''", "\"\"\""])
                )
            }
            _ => _ = write!(text, "k{n} = {}", nasty(random, 7)),
        }
        text.push_str(random.pick(&["\n", "\n", "\r\n"]));
    }
    text
}

fn nasty(random: &mut Random, longest: usize) -> String {
    const PIECES: [&str; 24] = [
        "a", "b", "x y", " ", " ", "\t", "'", "\"", "'", "\"", "'''", "\"\"\"", ",", ", ", "#", " # ", "=", "[", "]",
        "\n", "\r", "\u{a0}", "\u{1c}", "µ",
    ];
    (0..random.below(longest + 1)).map(|_| random.pick(&PIECES)).collect()
}
