//! Nanoseconds for one evaluation of the formulas that loops are made of: `cargo bench -p expr`.
//!
//! Plain and without a harness: the best of some rounds is the figure, which neighbours on the machine disturb least.

use std::hint::black_box;
use std::time::Instant;

use expr::{Braces, Formula, Scalar, Template, Value};

const ROUNDS: usize = 20;
const EVALUATIONS: u32 = 100_000;

fn best(mut run: impl FnMut()) -> f64 {
    let rounds = (0..ROUNDS).map(|_| {
        let begin = Instant::now();
        for _ in 0..EVALUATIONS {
            run();
        }
        begin.elapsed().as_secs_f64() * 1e9 / f64::from(EVALUATIONS)
    });
    rounds.fold(f64::INFINITY, f64::min)
}

fn main() {
    let numpy = |number: f64| Value::Scalar(Scalar::Float(number));
    let line = Value::from((0..1000).map(f64::from).collect::<Vec<f64>>());
    let cases: [(&str, Vec<Value>); 12] = [
        ("{a}*{b} + 1", vec![Value::Float(1.5), Value::Float(2.5)]),
        ("{a}*{b} + 1", vec![numpy(1.5), Value::Int(3)]),
        ("{x}**2 + 1", vec![Value::Float(1.5)]),
        ("{x}**2 + 1", vec![numpy(1.5)]),
        ("{n} % 3 == 0", vec![Value::Int(17)]),
        ("np.sin({x})", vec![Value::Float(1.5)]),
        ("sqrt({x})", vec![Value::Float(1.5)]),
        ("{f_a} > 1000", vec![numpy(1500.0)]),
        ("{f_a} > 1000", vec![Value::Float(1500.0)]),
        ("round({x}, 3)", vec![Value::Float(1.23456)]),
        ("{line}*2 + 1", vec![line.clone()]),
        ("{line}.sum()", vec![line]),
    ];
    for (text, entries) in &cases {
        let formula = Formula::parse(text, Braces::References).expect("it is a formula");
        let kind = entries[0].kind();
        let nanoseconds = best(|| {
            black_box(formula.eval(black_box(entries)).expect("it has a value"));
        });
        println!("{nanoseconds:9.1} ns  {text:16} {kind}");
    }
    let parse = best(|| {
        black_box(Formula::parse(black_box("{a}*{b} + 1"), Braces::References).expect("it is a formula"));
    });
    println!("{parse:9.1} ns  parse {{a}}*{{b}} + 1");
    let template = Template::parse("{a}_{b}.dat").expect("any text is one");
    let values = [Value::Float(0.1), Value::Int(42)];
    let format = best(|| {
        black_box(template.format(black_box(&values)));
    });
    println!("{format:9.1} ns  format {{a}}_{{b}}.dat");
}
