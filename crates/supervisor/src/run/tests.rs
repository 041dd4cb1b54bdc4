//! The decisions of a run as tables: what comes in, what goes out.

use super::*;

/// A run with this many hooks before and after.
fn run(pre: usize, post: usize) -> Run {
    let ids = |kind: &str, count| (1..=count).map(|i| format!("{kind}{i}")).collect();
    Run::new(ids("pre", pre), ids("post", post))
}

/// Steps through lines of `seconds: input -> orders`, all of them, and compares the whole text.
fn check(mut run: Run, table: &str) {
    let mut found = Vec::new();
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (input, _) = line.split_once("->").expect("an arrow");
        let input = input.trim();
        let (millis, word) = match input.split_once(": ") {
            Some((millis, word)) => (millis.parse().expect("milliseconds"), word),
            None => (0, input),
        };
        let orders = match run.step(parse(word), Duration::from_millis(millis)) {
            Ok(orders) => orders.iter().map(spell).collect::<Vec<_>>().join(", "),
            Err(refusal) => format!("refused: {refusal}"),
        };
        found.push(format!("{input} -> {orders}").trim_end().to_owned());
    }
    let expected: Vec<_> = table
        .lines()
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    assert_eq!(found.join("\n"), expected.join("\n"));
}

fn parse(word: &str) -> Input {
    match word {
        "begin" => Input::Begin,
        "pause" => Input::Asked(Verb::Pause),
        "resume" => Input::Asked(Verb::Resume),
        "stop" => Input::Asked(Verb::Stop),
        "kill" => Input::Asked(Verb::Kill),
        "hook done" => Input::HookEnded(Ok(())),
        "hook failed" => Input::HookEnded(Err("status 1".to_owned())),
        "ready" => Input::ChildReady,
        "started" => Input::Started,
        "paused" => Input::Paused,
        "resumed" => Input::Resumed,
        "completed" => Input::Finished(Ending {
            outcome: Outcome::Completed,
            errors: vec![],
        }),
        "interrupted" => Input::Finished(Ending {
            outcome: Outcome::Interrupted,
            errors: vec![],
        }),
        "failed" => {
            let errors = vec![("root/f".to_owned(), "oh".to_owned())];
            Input::Finished(Ending {
                outcome: Outcome::Failed,
                errors,
            })
        }
        "closed" => Input::Closed,
        "perform refused" => Input::Refused {
            command: "Perform".to_owned(),
            why: "busy".to_owned(),
        },
        "unheard" => Input::ChildUnheard("SIGKILL".to_owned()),
        "gone" => Input::ChildGone("SIGSEGV".to_owned()),
        "deadline" => Input::Deadline,
        _ => panic!("{word} is no input"),
    }
}

fn spell(order: &Order) -> String {
    match order {
        Order::Say(state) => state.name().to_owned(),
        Order::RunHook(kind, index) => format!("{kind:?} {index}").to_lowercase(),
        Order::EndHook => "end hook".to_owned(),
        Order::NeedChild => "need child".to_owned(),
        Order::Perform => "perform".to_owned(),
        Order::Send(command) => format!("send {command:?}"),
        Order::Terminate => "terminate".to_owned(),
        Order::KillGroup => "kill group".to_owned(),
        Order::Wake(at) => format!("wake at {}", at.as_millis()),
        Order::Discard => "discard".to_owned(),
        Order::Conclude(Ending { outcome, errors }) => {
            let errors: String = errors.iter().map(|(key, text)| format!(" [{key}: {text}]")).collect();
            format!("conclude {}{errors}", outcome.name())
        }
    }
}

#[test]
fn a_run_completes_and_its_hooks_run_before_and_after() {
    check(
        run(2, 1),
        "begin -> Ready, pre 0
         hook done -> pre 1
         hook done -> need child
         ready -> perform
         started -> Running
         10: completed -> wake at 2010
         closed -> post 0
         hook done -> conclude Completed",
    );
}

#[test]
fn a_run_pauses_and_resumes_and_repeated_requests_are_ignored() {
    check(
        run(0, 0),
        "begin -> Ready, need child
         ready -> perform
         started -> Running
         resume -> refused: cannot resume: it is not paused
         pause -> Pausing, send Pause
         pause ->
         paused -> Paused
         pause ->
         resume -> Resuming, send Resume
         resume ->
         resumed -> Running
         completed -> wake at 2000
         pause -> refused: cannot pause: the measurement has ended
         closed -> conclude Completed",
    );
}

#[test]
fn requests_that_cross_their_answers_end_in_what_was_asked_last() {
    check(
        run(0, 0),
        "begin -> Ready, need child
         ready -> perform
         started -> Running
         pause -> Pausing, send Pause
         resume -> send Resume, Running
         paused -> Paused
         resumed -> Running
         pause -> Pausing, send Pause
         paused -> Paused
         resume -> Resuming, send Resume
         pause ->
         resumed -> Running, Pausing, send Pause
         paused -> Paused",
    );
}

#[test]
fn a_pause_asked_before_the_first_task_holds_it() {
    check(
        run(1, 0),
        "begin -> Ready, pre 0
         pause ->
         hook done -> need child
         ready -> perform, send Pause
         started -> Running, Pausing
         paused -> Paused",
    );
    check(
        run(0, 0),
        "begin -> Ready, need child
         pause ->
         resume ->
         ready -> perform
         pause -> send Pause
         resume -> send Resume
         resume -> refused: cannot resume: it is not paused
         started -> Running",
    );
}

#[test]
fn a_stop_is_asked_once_and_the_hooks_after_run() {
    check(
        run(0, 1),
        "begin -> Ready, need child
         ready -> perform
         started -> Running
         pause -> Pausing, send Pause
         stop -> Stopping, send Stop
         stop ->
         pause -> refused: cannot pause: it is being stopped
         paused ->
         interrupted -> wake at 2000
         closed -> post 0
         stop -> refused: cannot stop: the measurement has ended and its post hooks run; `kill` ends them
         hook failed -> conclude Interrupted [post-hook post1: status 1]",
    );
}

#[test]
fn a_stop_before_the_measurement_prevents_it() {
    check(
        run(2, 1),
        "begin -> Ready, pre 0
         stop -> Stopping, end hook
         stop ->
         hook failed -> post 0
         hook done -> conclude Interrupted",
    );
    check(
        run(0, 0),
        "begin -> Ready, need child
         stop -> Stopping, conclude Interrupted
         ready ->",
    );
    check(
        run(0, 0),
        "begin -> Ready, need child
         ready -> perform
         stop -> Stopping, send Stop
         started ->
         interrupted -> wake at 2000
         closed -> conclude Interrupted",
    );
}

#[test]
fn a_failing_hook_before_prevents_the_measurement_and_one_after_never_hides_its_errors() {
    check(
        run(2, 2),
        "begin -> Ready, pre 0
         hook failed -> post 0
         hook done -> post 1
         hook done -> conclude Failed [pre-hook pre1: status 1]",
    );
    check(
        run(0, 2),
        "begin -> Ready, need child
         ready -> perform
         started -> Running
         failed -> wake at 2000
         closed -> post 0
         hook failed -> post 1
         hook failed -> conclude Failed [root/f: oh] [post-hook post1: status 1] [post-hook post2: status 1]",
    );
    check(
        run(0, 1),
        "begin -> Ready, need child
         ready -> perform
         started -> Running
         completed -> wake at 2000
         closed -> post 0
         hook failed -> conclude Failed [post-hook post1: status 1]",
    );
}

#[test]
fn a_kill_asks_then_terminates_then_kills_and_runs_no_hook() {
    check(
        run(0, 1),
        "begin -> Ready, need child
         ready -> perform
         started -> Running
         100: kill -> Stopping, send Stop, wake at 400
         399: deadline ->
         400: deadline -> terminate, wake at 900
         900: deadline -> kill group, wake at 2900
         901: gone -> conclude Interrupted [engine: killed by the operator: it ended neither when asked nor when terminated, its process was killed: SIGSEGV]",
    );
}

#[test]
fn a_kill_that_is_answered_concludes_at_once_and_one_that_is_repeated_climbs() {
    check(
        run(0, 1),
        "begin -> Ready, need child
         ready -> perform
         started -> Running
         kill -> Stopping, send Stop, wake at 300
         interrupted ->
         closed -> discard, conclude Interrupted [engine: killed by the operator: it ended when asked]",
    );
    check(
        run(0, 0),
        "begin -> Ready, need child
         ready -> perform
         started -> Running
         stop -> Stopping, send Stop
         10: kill -> wake at 310
         20: kill -> terminate, wake at 520
         30: kill -> kill group, wake at 2030
         40: kill -> discard, conclude Interrupted [engine: killed by the operator, but its process does not die: it hangs inside the operating system]",
    );
}

#[test]
fn a_kill_before_and_after_the_measurement_ends_hooks_too() {
    check(
        run(1, 1),
        "begin -> Ready, pre 0
         kill -> Stopping, end hook
         hook failed -> conclude Interrupted [engine: killed by the operator before the measurement began]",
    );
    check(
        run(0, 1),
        "begin -> Ready, need child
         kill -> Stopping, discard, conclude Interrupted [engine: killed by the operator before the measurement began]",
    );
    check(
        run(0, 2),
        "begin -> Ready, need child
         ready -> perform
         started -> Running
         completed -> wake at 2000
         closed -> post 0
         kill -> end hook
         hook failed -> conclude Interrupted [post-hook post1: status 1] [engine: killed by the operator while its post hooks ran]
         kill -> refused: cannot kill: the measurement has ended",
    );
}

#[test]
fn a_child_that_dies_fails_the_run_and_the_hooks_after_run() {
    for before in [
        "started -> Running",
        "stop -> Stopping, send Stop",
        "pause -> send Pause",
    ] {
        check(
            run(0, 1),
            &format!(
                "begin -> Ready, need child
                 ready -> perform
                 {before}
                 gone -> post 0
                 hook done -> conclude Failed [engine: SIGSEGV]"
            ),
        );
    }
    check(
        run(0, 0),
        "begin -> Ready, need child
         gone -> conclude Failed [engine: SIGSEGV]",
    );
}

#[test]
fn a_child_that_was_dead_already_is_replaced_unless_nothing_is_wanted_of_it() {
    check(
        run(0, 0),
        "begin -> Ready, need child
         ready -> perform
         unheard -> need child
         ready -> perform
         started -> Running",
    );
    check(
        run(0, 0),
        "begin -> Ready, need child
         ready -> perform
         stop -> Stopping, send Stop
         unheard -> conclude Failed [engine: SIGKILL]",
    );
}

#[test]
fn a_child_that_dies_after_the_end_changes_nothing() {
    check(
        run(1, 1),
        "begin -> Ready, pre 0
         gone ->
         hook done -> need child
         ready -> perform
         started -> Running
         completed -> wake at 2000
         gone -> post 0
         gone ->
         hook done -> conclude Completed",
    );
}

#[test]
fn a_child_that_keeps_its_last_records_is_not_waited_for() {
    check(
        run(0, 0),
        "begin -> Ready, need child
         ready -> perform
         started -> Running
         completed -> wake at 2000
         2000: deadline -> discard, conclude Completed",
    );
    check(
        run(0, 0),
        "begin -> Ready, need child
         ready -> perform
         started -> Running
         completed -> wake at 2000
         kill ->
         kill -> discard, conclude Interrupted [engine: killed by the operator: it ended when asked]",
    );
}

#[test]
fn what_the_child_must_not_say_is_refused_and_changes_nothing() {
    check(
        run(0, 0),
        "begin -> Ready, need child
         started -> refused: the child said `Started` in the state `Starting`, which is ignored
         completed -> refused: the child said `Finished` in the state `Starting`, which is ignored
         begin -> refused: the child said `begin` in the state `Starting`, which is ignored
         hook done -> refused: the child said `end of a hook` in the state `Starting`, which is ignored
         closed ->
         ready -> perform
         perform refused -> discard, conclude Failed [engine: the child refused to perform: busy]",
    );
}
