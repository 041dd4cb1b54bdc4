//! Old files beside what becomes of them.

use super::*;

fn check(old: &str, expected: &str, expected_notes: &[&str]) {
    let file = File::parse(old).expect("the old file can be read");
    assert!(is_old(&file));
    let (new, notes) = modernise(&file);
    assert_eq!(new.to_canonical_text(), expected);
    let notes: Vec<String> = notes
        .iter()
        .map(|note| format!("{}: {}", file.line_col(note.span.start).0, note.message))
        .collect();
    assert_eq!(notes, expected_notes);
    assert!(!is_old(&new));
    let again = File::parse(&new.to_text()).expect("what is written can be read");
    assert_eq!(again.to_canonical_text(), expected);
}

#[test]
fn a_measurement_becomes_one_of_today() {
    check(
        "monitors = 1
checks = []
headers = ['h']
name = Sweep
[root_task]
    default_path = D:\\data
    access_exs = []
    task_class = ComplexTask
    task_name = Root
    [[children_task_0]]
        timing = True
        access_exs = []
        task_class = LoopTask
        task_name = Loop_B
        [[[children_task_0]]]
            task_class = SaveTask
            task_name = Save
            saved_values = \"[(u'B', '{Loop_B_Bfield}'), (u'I', '{Card_ChA_I}')]\"
        [[[children_task_1]]]
            task_class = DemodSPTask
            selected_profile = it's
            task_name = Card
            selected_driver = ADQ14
        [[[task]]]
            task_class = ApplyMagFieldTask
            selected_profile = IPS
            task_name = Loop_B
            selected_driver = Odd1
            target_field = \"\"
        [[[interface]]]
            start = 0
            interface_class = LinspaceLoopInterface
[monitor_0]
    displayed = \"['root/Loop_B/Loop_B_Bfield']\"
    undisplayed = []
    auto_show = True
    id = hqc_meas.measure.monitors.text_monitor
    [[rule_0]]
        name = Loop progress
",
        "name = Sweep
id = 001
[root_task]
    dep_type = exopy.task
    task_id = exopy.ComplexTask
    access_exs = {}
    default_path = D:\\data
    [[children_0]]
        dep_type = exopy.task
        task_id = exopy.LoopTask
        name = Loop_B
        access_exs = {}
        timing = True
        [[[interface]]]
            dep_type = exopy.tasks.interface
            interface_id = exopy.LoopTask:exopy.LinspaceLoopInterface
            start = 0
        [[[children_0]]]
            dep_type = exopy.task
            task_id = exopy_hqc_legacy.SaveTask
            name = Save
            saved_values = \"[(u'B', '{Loop_B_field}'), (u'I', '{Card_Ch1_I}')]\"
        [[[children_1]]]
            dep_type = exopy.task
            task_id = exopy_hqc_legacy.DemodSPTask
            name = Card
            selected_instrument = '''(\"it's\", 'exopy_hqc_legacy.Legacy.SPADQ14', '', None)'''
        [[[task]]]
            dep_type = exopy.task
            task_id = exopy_hqc_legacy.ApplyMagFieldTask
            name = Loop_B
            selected_instrument = \"('IPS', 'exopy_hqc_legacy.Legacy.Odd1', '', None)\"
            field = \"\"
[monitors]
    [[exopy.text_monitor]]
        rule_0 = Measurement entries
        rule_1 = Loop progress
        rule_2 = Instrument ids
        displayed = ['root/Loop_B/Loop_B_field']
        undisplayed = \"['root/meas_name', 'root/meas_id', 'root/meas_date', 'root/meas_time']\"
        hidden = []
[pre_hooks]
    [[exopy.internal_checks]]
[post_hooks]
",
        &[
            "21: old files do not say how `it's` is connected: its connection is left empty",
            "28: the driver `Odd1` has no successor that is known here: taken for `exopy_hqc_legacy.Legacy.Odd1`",
            "26: old files do not say how `IPS` is connected: its connection is left empty",
            "3: `headers` has no successor: ['h'] is dropped",
        ],
    );
}

#[test]
fn a_file_that_mixes_old_and_new_numbers_keeps_all_its_tasks() {
    check(
        "task_class = ComplexTask\n[children_0]\n    task_class = A\n[children_task_0]\n    task_class = SleepTask\n",
        "dep_type = exopy.task
task_id = exopy.ComplexTask
[children_0]
    dep_type = exopy.task
    task_id = exopy_hqc_legacy.A
[children_1]
    dep_type = exopy.task
    task_id = exopy.SleepTask
",
        &["3: the class `A` has no successor that is known here: taken for `exopy_hqc_legacy.A`"],
    );
}

#[test]
fn no_old_file_is_too_odd_to_be_rewritten() {
    let whole = "monitors = 1\nname = {\n[root_task]\ntask_class = LoopTask\naccess_exs = [\ntask_name = a\ntask_start = }\n\
        [[task]]\ntask_class = DemodSPTask\nselected_driver = \"'\"\ntask_name = a\n[[[interface]]]\ninterface_class = XTransferInterface\n\
        [[children_task_99999999999999999999]]\ntask_class = {}\n[[interface]]\ninterface_class =\n[[sequence]]\nitem_class = :\n\
        external_vars = {a:b:c}\n[monitor_0]\nid = text_monitor\n[monitor_1]\n[post_hooks]\n[pre_hooks]\n[[ecpy]]\n";
    let lines: Vec<&str> = whole.lines().collect();
    let mut rewritten = 0;
    for from in 0..lines.len() {
        for to in from..lines.len() {
            let text = [&lines[..from], &lines[to..]].concat().join("\n");
            let Ok(file) = File::parse(&text) else { continue };
            let (new, _) = modernise(&file);
            assert!(File::parse(&new.to_canonical_text()).is_ok(), "{text}");
            assert!(File::parse(&new.to_text()).is_ok(), "{text}");
            rewritten += 1;
        }
    }
    assert!(rewritten > 100);
}

#[test]
fn the_oldest_templates_name_sections_after_tasks_and_loops_have_no_interface() {
    check(
        "# doc
task_class = ComplexTask
task_name = Root
[loop]
    task_start = 0.0
    task_class = LoopTask
    task_stop = 1.0
    task_step = 0.1
    task_name = loop
    [[mess]]
        task_class = PrintTask
        message = {loop_value}
        task_name = mess
[last]
    task_class = PhaseAlazarTask
    task_name = last
",
        "# doc
dep_type = exopy.task
task_id = exopy.ComplexTask
name = Root
[children_0]
    dep_type = exopy.task
    task_id = exopy.LoopTask
    name = loop
    [[interface]]
        dep_type = exopy.tasks.interface
        interface_id = exopy.LoopTask:exopy.LinspaceLoopInterface
        start = 0.0
        stop = 1.0
        step = 0.1
    [[children_0]]
        dep_type = exopy.task
        task_id = exopy.LogTask
        name = mess
        message = {loop_value}
[children_1]
    dep_type = exopy.task
    task_id = exopy_qcircuits.PhaseAlazarTask
    name = last
",
        &[
            "15: the class `PhaseAlazarTask` has no successor that is known here: taken for `exopy_qcircuits.PhaseAlazarTask`",
        ],
    );
}

#[test]
fn ids_of_the_first_year_are_renamed() {
    check(
        "task_id = ecpy.ComplexTask\ndep_type = ecpy.task\nname = r\n[children_0]\n    task_id = ecpy_pulses.T\n    message = ecpy.x\n",
        "dep_type = exopy.task\ntask_id = exopy.ComplexTask\nname = r\n[children_0]\n    task_id = exopy_pulses.T\n    message = ecpy.x\n",
        &[],
    );
}

#[test]
fn pulses_have_ids_and_the_interface_of_a_transfer_is_in_its_context() {
    check(
        "task_class = TransferPulseSequenceTask
task_name = t
sequence_vars = {'Freq': '{loop_value}'}
[interface]
    sequence_name = Fast
    interface_class = AWGTransferInterface
[sequence]
    item_class = RootSequence
    external_vars = {'Freq': None}
    [[item_0]]
        item_class = Pulse
        [[[modulation]]]
            kind = sin
        [[[shape]]]
            shape_class = SquareShape
    [[context]]
        context_class = AWGContext
",
        "dep_type = exopy.task
task_id = exopy_pulses.TransferPulseSequenceTask
name = t
sequence_vars = \"[('Freq', '{loop_value}')]\"
[sequence]
    dep_type = exopy.pulses.item
    item_id = exopy_pulses.RootSequence
    external_vars = \"[('Freq', None)]\"
    [[item_0]]
        dep_type = exopy.pulses.item
        item_id = exopy_pulses.Pulse
        [[[modulation]]]
            dep_type = exopy.pulses.modulation
            modulation_id = exopy_pulses.Modulation
            kind = sin
        [[[shape]]]
            dep_type = exopy.pulses.shape
            shape_id = exopy_pulses.SquareShape
    [[context]]
        dep_type = exopy.pulses.context
        context_id = exopy_hqc_legacy.AWG5014Context
        sequence_name = Fast
",
        &[],
    );
}

/// `tree` has a line for each task, indented by its depth: its name, its class, and what it lists.
fn check_access(tree: &str, expected: &[(&str, &str)], expected_notes: &[&str]) {
    let mut old = "task_class = ComplexTask\ntask_name = Root\n".to_owned();
    let mut sections: Vec<String> = Vec::new();
    for (n, line) in tree.lines().enumerate() {
        let depth = line.len() - line.trim_start().len();
        let mut words = line.split_whitespace();
        let (name, class, listed) = (
            words.next().unwrap(),
            words.next().unwrap(),
            words.next().unwrap_or("[]"),
        );
        sections.truncate(depth);
        let section = if name.ends_with('!') {
            "task".to_owned()
        } else {
            format!("children_task_{n}")
        };
        let name = name.trim_end_matches('!');
        let (open, close) = ("[".repeat(depth + 1), "]".repeat(depth + 1));
        old.push_str(&format!(
            "{open}{section}{close}\ntask_name = {name}\ntask_class = {class}\naccess_exs = \"{listed}\"\n"
        ));
        sections.push(section);
    }
    let (new, notes) = modernise(&File::parse(&old).unwrap());
    let mut found = Vec::new();
    fn collect(section: &Section, found: &mut Vec<(String, String)>) {
        let exported = section.value("access_exs").filter(|value| *value != "{}");
        found.extend(exported.map(|value| (section.value("name").unwrap().to_owned(), value.to_owned())));
        section.sections().for_each(|child| collect(child, found));
    }
    collect(new.root(), &mut found);
    let found: Vec<(&str, &str)> = found
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(found, expected, "{tree}");
    assert_eq!(
        notes.iter().map(|note| note.message.as_str()).collect::<Vec<_>>(),
        expected_notes,
        "{tree}"
    );
}

#[test]
fn access_exceptions_move_to_the_task_that_writes_the_entry() {
    check_access(
        "A ComplexTask ['Save_array']\n Save SaveTask",
        &[("Save", "{'array': 1}")],
        &[],
    );
    check_access(
        "Avg LoopTask ['B_Bfield']\n Pol LoopTask ['B_Bfield']\n  B LoopTask ['B_Bfield']\n   B! ApplyMagFieldTask",
        &[("B", "{'field': 3}")],
        &[],
    );
    // The loop does not list what its parent does.
    check_access(
        "Pol LoopTask ['B_Bfield']\n B LoopTask\n  B! ApplyMagFieldTask",
        &[("B", "{'field': 2}")],
        &[],
    );
    check_access(
        "A ComplexTask ['L_index']\n L LoopTask\n  L! SetRFPowerTask",
        &[("L", "{'index': 1}")],
        &[],
    );
    // Names may have underscores, and begin alike.
    check_access(
        "A ComplexTask ['my_card_ChA_I','my_index']\n my WhileTask\n my_card DemodSPTask",
        &[("my", "{'index': 1}"), ("my_card", "{'Ch1_I': 1}")],
        &[],
    );
    check_access(
        "A ComplexTask ['gone_x']",
        &[],
        &["no task here writes `gone_x`: its access exception is dropped"],
    );
}
