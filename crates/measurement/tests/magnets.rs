//! Magnets: what their tasks ask, on a dry bench, when the field is there, late, or the run is stopped.

mod laboratory;

use laboratory::{asked, perform, perform_until, python};

const APPLY: &str = "[[children_0]] ¶ @ApplyMagFieldTask ¶ name = t ¶ field = 0.5 ¶ rate = 0.02";

#[test]
fn a_field_is_applied_with_the_leads_brought_to_it_and_back() {
    let done = perform(
        APPLY,
        &[
            ("get heater", python("'OFF'")),
            ("get persistent_field", python("0.1")),
            ("call sweep_to_field 0.1 None", python("10.5")),
            ("call is_at_field", python("True ; False ; False ; True")),
            ("call magnet_is_at 0.5", python("False")),
            ("call sweep_to_field 0.5 0.02", python("1200.0")),
            ("call sweep_to_field 0 None", python("20.0")),
        ],
    );
    assert_eq!(done.outcome, Ok(()));
    let expected = [
        "get heater",
        "get persistent_field",
        "call sweep_to_field 0.1 None",
        "call is_at_field",
        "set heater ON",
        "call magnet_is_at 0.5",
        "call sweep_to_field 0.5 0.02",
        "call is_at_field",
        "call is_at_field",
        "call is_at_field",
        "set heater OFF",
        "call sweep_to_field 0 None",
        "call is_at_field",
    ];
    assert_eq!(asked(&done), expected);
    assert_eq!(done.run.time.as_secs_f64(), 10.5 + 30.0 + 1200.0 + 2.0 + 30.0 + 20.0);
    assert_eq!(done.entry("field"), "0.5");
}

#[test]
fn a_field_that_is_there_with_an_open_switch_is_left() {
    let done = perform(
        &format!("{APPLY} ¶ auto_stop_heater = False"),
        &[
            ("get heater", python("'ON'")),
            ("call magnet_is_at 0.5", python("True")),
        ],
    );
    assert_eq!(done.outcome, Ok(()));
    assert_eq!(asked(&done), ["get heater", "call magnet_is_at 0.5"]);
    assert_eq!(done.run.time.as_secs_f64(), 0.0);
}

#[test]
fn a_magnet_that_is_late_is_held_and_closed_and_its_field_is_told() {
    let done = perform(
        APPLY,
        &[
            ("get heater", python("'On'")),
            ("call magnet_is_at 0.5", python("False")),
            ("call sweep_to_field 0.5 0.02", python("12.0")),
            ("call is_at_field", python("False")),
            ("get persistent_field", python("0.31")),
        ],
    );
    let late = "ValueError: the magnet did not get to 0.5 T".to_owned();
    assert_eq!(done.outcome, Err(late));
    let all = asked(&done);
    let end = ["set activity Hold", "set heater OFF", "get persistent_field"];
    assert_eq!(all[all.len() - 3..], end);
    assert_eq!(done.run.time.as_secs_f64(), 12.0 + 61.0);
    assert_eq!(done.entry("field"), "0.31");
}

#[test]
fn a_stop_holds_the_sweep_and_leaves_the_entry() {
    // Checkpoints: the root's task, then one each 5 s of the sweep.
    let done = perform_until(
        3,
        APPLY,
        &[
            ("get heater", python("'ON'")),
            ("call magnet_is_at 0.5", python("False")),
            ("call sweep_to_field 0.5 0.02", python("1200.0")),
        ],
    );
    assert_eq!(done.outcome, Ok(()));
    let expected = [
        "get heater",
        "call magnet_is_at 0.5",
        "call sweep_to_field 0.5 0.02",
        "set activity Hold",
    ];
    assert_eq!(asked(&done), expected);
    assert_eq!(done.run.time.as_secs_f64(), 15.0);
    assert!(done.run.updates.is_empty());
}

#[test]
fn a_field_in_a_loop_is_that_of_the_loop() {
    let task = "[[children_0]] ¶ task_id = exopy.LoopTask ¶ name = L
         [[[interface]]] ¶ interface_id = exopy.LoopTask:exopy.IterableLoopInterface ¶ iterable = '[0.1, 0.2]'
         [[[task]]] ¶ @ApplyMagFieldAndDropTask ¶ field = '' ¶ rate = 0.3";
    let done = perform(task, &[("get heater", python("'ON'"))]);
    assert_eq!(done.outcome, Ok(()));
    let one = |field: &str| {
        [
            "get heater".to_owned(),
            "set field_rate 0.3".to_owned(),
            format!("set target_field {field}"),
            "set activity To set point".to_owned(),
        ]
    };
    assert_eq!(asked(&done), [one("0.1"), one("0.2")].concat());
    let closed = perform(task, &[("get heater", python("'OFF'"))]);
    let expected = "ValueError: the heater of the switch must be on".to_owned();
    assert_eq!(closed.outcome, Err(expected));
}

#[test]
fn a_field_is_read() {
    let task = "[[children_0]] ¶ @MeasMagFieldTask ¶ name = t ¶ wait_time = 2.5";
    let done = perform(task, &[("get persistent_field", python("0.25"))]);
    assert_eq!(asked(&done), ["get persistent_field"]);
    assert_eq!(
        (done.entry("field").as_str(), done.run.time.as_secs_f64()),
        ("0.25", 2.5)
    );
}
