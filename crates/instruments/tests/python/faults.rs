//! What Python code can do to its process it does to its own: each fault has its words, and the next call works.

use std::{thread, time::Duration};

use instruments::{
    device::{Device, DeviceError, Reason},
    driver::Value,
    python::{Object, Options},
};

use super::{Bench, options, text};

/// The error of a call, after which the instrument is there again in a process of its own.
fn fault(bench: &Bench, source: &mut Object, method: &str, arguments: &[Value]) -> DeviceError {
    let before = source.get("process", &[]).expect("it is there");
    let error = source.call(method, arguments, &[]).expect_err(method);
    assert_eq!(source.get("voltage", &[]), Ok(Value::Float(0.0)), "{method}: {error}");
    assert_ne!(
        source.get("process", &[]).expect("it is there again"),
        before,
        "{method}: {error}"
    );
    assert!(!bench.interrupter.is_interrupted());
    error
}

#[test]
fn what_it_raises_is_said_with_its_place() {
    let bench = Bench::new();
    let mut source = bench.source();
    let error = source.set("voltage", &Value::Float(11.0), &[]).unwrap_err();
    assert_eq!(error.reason, Reason::Failed);
    let (words, place) = error.message.split_once("; raised at ").expect("a place");
    assert_eq!(words, "`vi`: ValueError: 11 V is beyond the limit");
    assert!(
        place.contains("modules/plain.py:") && place.ends_with(" in `voltage`"),
        "{place}"
    );
    // An `AttributeError` in a property is not a property that is missing.
    let error = source.get("broken", &[]).unwrap_err();
    assert!(error.message.starts_with("`vi`: AttributeError: "), "{}", error.message);
    assert!(error.message.contains("no_such_thing"), "{}", error.message);
    let error = source.call("recurse", &[], &[]).unwrap_err();
    assert!(error.message.starts_with("`vi`: RecursionError: "), "{}", error.message);
    assert_eq!(source.get("made", &[]), Ok(Value::Int(1)));
}

#[test]
fn an_exit_of_python_is_an_error_of_the_call() {
    let bench = Bench::new();
    let mut source = bench.source();
    let error = source.call("leave", &[], &[]).unwrap_err();
    assert!(
        error.message.starts_with("`vi`: SystemExit: sys.exit(3); raised at "),
        "{}",
        error.message
    );
    assert_eq!(source.get("made", &[]), Ok(Value::Int(1)));
}

#[test]
fn an_exit_of_the_process_is_said_with_its_status_and_last_words() {
    let bench = Bench::new();
    let mut source = bench.source();
    let error = fault(&bench, &mut source, "end", &[Value::Int(7)]);
    assert_eq!(error.reason, Reason::Lost);
    let words = "`vi`: its Python process is gone: it ended with status 7; its last words: about to end";
    assert_eq!(error.message, words);
}

#[test]
fn a_fault_of_compiled_code_is_said_with_its_signal_and_place() {
    let bench = Bench::new();
    let mut source = bench.source();
    let error = fault(&bench, &mut source, "segfault", &[]);
    let begin = "`vi`: its Python process is gone: it was ended by signal 11 (SIGSEGV, a fault in compiled code); \
                 its last words: Fatal Python error: Segmentation fault";
    assert!(error.message.starts_with(begin), "{}", error.message);
    assert!(error.message.contains("plain.py"), "{}", error.message);
}

#[test]
fn a_process_that_kills_itself_is_made_anew() {
    let bench = Bench::new();
    let mut source = bench.source();
    let error = fault(&bench, &mut source, "kill", &[]);
    assert_eq!(
        error.message,
        "`vi`: its Python process is gone: it was ended by signal 9 (SIGKILL)"
    );
}

#[test]
fn a_hang_ends_when_its_time_is_up() {
    let bench = Bench::new();
    let short = Options {
        timeout: Duration::from_millis(300),
        ..options()
    };
    for method in ["hang", "spin"] {
        let mut source = bench.open("vi", "plain.Source", &short).expect("it opens");
        let mut other = bench.open("other", "plain.Source", &options()).expect("it opens");
        let error = fault(&bench, &mut source, method, &[]);
        assert_eq!(error.reason, Reason::Lost);
        let words = "`vi`: no answer within 300ms; its Python process was ended, and starts anew when it is used again";
        assert_eq!(error.message, words);
        // It was in the same process, and is made anew as well.
        assert_eq!(other.get("temperature", &[]), Ok(Value::Float(4.2)));
    }
}

#[test]
fn who_waited_in_the_same_process_learns_why_it_ended() {
    let bench = Bench::new();
    let short = Options {
        timeout: Duration::from_millis(500),
        ..options()
    };
    let mut source = bench.open("vi", "plain.Source", &short).expect("it opens");
    let mut other = bench.open("other", "plain.Source", &options()).expect("it opens");
    let waiting = thread::spawn(move || other.call("hang", &[], &[]).unwrap_err());
    source.call("hang", &[], &[]).expect_err("it hangs");
    let error = waiting.join().expect("no panic");
    let words = "`other`: its Python process is gone: it was ended, because a call of `vi` took longer than 500ms";
    assert_eq!(error.message, words);
}

#[test]
fn an_isolated_instrument_takes_no_other_down() {
    let bench = Bench::new();
    let isolated = Options {
        isolated: true,
        ..options()
    };
    let mut alone = bench.open("alone", "plain.Source", &isolated).expect("it opens");
    let mut other = bench.source();
    let process = other.get("process", &[]);
    fault(&bench, &mut alone, "kill", &[]);
    assert_eq!(other.get("process", &[]), process);
    assert_eq!(other.get("made", &[]), Ok(Value::Int(1)));
}

#[test]
fn an_interrupter_ends_a_call_at_once_and_the_next_works() {
    let bench = Bench::new();
    let mut source = bench.source();
    let mut idle = bench.open("idle", "plain.Source", &options()).expect("it opens");
    let interrupter = bench.interrupter.clone();
    let interrupting = thread::spawn(move || interrupter.interrupt());
    let error = source.call("hang", &[], &[]).expect_err("it hangs");
    interrupting.join().expect("no panic");
    assert_eq!(
        (error.reason, error.message.as_str()),
        (Reason::Interrupted, "`vi`: interrupted")
    );
    let error = source.get("voltage", &[]).expect_err("still interrupted");
    assert_eq!(error.reason, Reason::Interrupted);
    bench.interrupter.rearm();
    assert_eq!(source.get("voltage", &[]), Ok(Value::Float(0.0)));
    assert_eq!(idle.get("voltage", &[]), Ok(Value::Float(0.0)));
}

#[test]
fn an_interrupted_idle_instrument_keeps_what_it_is() {
    let bench = Bench::new();
    let mut source = bench.source();
    source.set("voltage", &Value::Float(1.0), &[]).expect("it is set");
    bench.interrupter.interrupt();
    bench.interrupter.rearm();
    assert_eq!(source.get("voltage", &[]), Ok(Value::Float(1.0)));
    assert_eq!(source.get("made", &[]), Ok(Value::Int(1)));
}

#[test]
fn the_child_of_a_fork_answers_nobody() {
    let bench = Bench::new();
    let mut source = bench.source();
    for _ in 0..3 {
        assert_eq!(source.call("fork", &[], &[]), Ok(Value::Bool(true)));
        assert_eq!(source.get("temperature", &[]), Ok(Value::Float(4.2)));
    }
    assert_eq!(source.get("made", &[]), Ok(Value::Int(1)));
}

#[test]
fn a_child_that_stays_hides_no_death() {
    let bench = Bench::new();
    let mut source = bench.source();
    source.call("fork_and_stay", &[], &[]).expect("it forks");
    let error = fault(&bench, &mut source, "kill", &[]);
    assert!(error.message.contains("signal 9"), "{}", error.message);
}

#[test]
fn prints_go_to_the_log_and_disturb_nothing() {
    let bench = Bench::new();
    let mut source = bench.source();
    assert_eq!(
        source.call("print", &[Value::Int(100_000)], &[]),
        Ok(Value::Int(100_000))
    );
    assert_eq!(source.get("temperature", &[]), Ok(Value::Float(4.2)));
    assert_eq!(bench.wait_for("line 7"), "vi: line 7");
    bench.wait_for("lines more were printed)");
    assert_eq!(source.call("print_binary", &[], &[]), Ok(Value::Float(1.0)));
    assert_eq!(source.get("made", &[]), Ok(Value::Int(1)));
}

#[test]
fn binary_prints_and_those_of_c_are_lines_too() {
    let bench = Bench::new();
    let mut source = bench.source();
    source.call("print_binary", &[], &[]).expect("it prints");
    let line = bench.wait_for("garbage without end");
    assert!(line.starts_with("vi: \u{fffd}") && line.ends_with("from C"), "{line}");
    assert_eq!(source.call("start_program", &[], &[]), Ok(Value::Int(0)));
    bench.wait_for("vi: child");
}

#[test]
fn closed_outputs_and_an_empty_input_disturb_nothing() {
    let bench = Bench::new();
    let mut source = bench.source();
    assert_eq!(source.call("read_input", &[], &[]), Ok(text("")));
    assert_eq!(source.call("close_descriptors", &[], &[]), Ok(Value::Float(2.0)));
    assert_eq!(source.get("temperature", &[]), Ok(Value::Float(4.2)));
    source
        .call("print", &[Value::Int(1)], &[])
        .expect_err("nowhere to print");
    assert_eq!(source.get("temperature", &[]), Ok(Value::Float(4.2)));
}

#[test]
fn closing_all_descriptors_ends_the_process() {
    let bench = Bench::new();
    let mut source = bench.source();
    let error = fault(&bench, &mut source, "close_all", &[]);
    assert_eq!(error.reason, Reason::Lost);
}

#[test]
fn a_set_that_may_have_been_performed_is_not_repeated() {
    let bench = Bench::new();
    let mut source = bench.source();
    // Its death during the call: the error says so, and the new one was never set.
    source.call("kill", &[], &[]).expect_err("it is killed");
    assert_eq!(source.get("log", &[]), Ok(Value::List(Vec::new())));
    // Its death before the call: nothing was sent, so that it is performed, once.
    let Ok(Value::Int(process)) = source.get("process", &[]) else {
        panic!("no number");
    };
    let killed = std::process::Command::new("kill")
        .args(["-9", &process.to_string()])
        .status();
    assert!(killed.expect("it runs").success());
    let set = source.set("voltage", &Value::Float(2.0), &[]);
    let log = source.get("log", &[]).expect("it is there again");
    match set {
        Ok(()) => assert_eq!(log, Value::List(vec![Value::Float(2.0)])),
        // The signal arrived only after it was sent.
        Err(_) => assert_eq!(log, Value::List(Vec::new())),
    }
}
