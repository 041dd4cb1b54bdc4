//! One run as it happens: messages become inputs of [`Run`], its orders are obeyed, and everything is told.
//!
//! There is no decision here about what a run may do; there is no other loop that a run could be in.

use std::{collections::VecDeque, time::Instant};

use measurement::{Hook, Problem};
use protocol::{Command, Event, Level, Numbered};

use crate::{
    child::Child,
    chronicle::Chronicle,
    ending::Ending,
    engine::{Engine, Job, Report},
    event::{RunFiles, Update, What},
    hooks::{HookFacts, RunningHook},
    inbox::Message,
    pipe::Pipe,
    process::{News, ProcessId},
    run::{HookKind, Input, Order, Run},
    verb::Refusal,
};

pub(crate) struct Performance<'e, 'v> {
    engine: &'e mut Engine,
    chronicle: Chronicle<'v>,
    job: Job,
    run: Run,
    /// What happened and was not stepped through yet.
    inputs: VecDeque<Input>,
    began: Instant,
    wake: Option<Instant>,
    hook: Option<RunningHook>,
    /// What the child found.
    problems: Vec<Problem>,
    /// Senseless events so far.
    strange: u32,
    conclusion: Option<Ending>,
    /// Points on record, as the child said at the end.
    points: Option<u64>,
    /// Instruments with a safe state that the child has open.
    opened: Vec<String>,
}

/// Senseless events that are mentioned; a child that goes on like this would fill the log.
const MENTIONED: u32 = 10;

impl<'e, 'v> Performance<'e, 'v> {
    pub(crate) fn new(engine: &'e mut Engine, job: Job, viewer: &'v mut dyn FnMut(Update)) -> Self {
        let ids = |hooks: &[Hook]| hooks.iter().map(|hook| hook.id.clone()).collect();
        let run = Run::new(ids(&job.pre_hooks), ids(&job.post_hooks));
        let observe = job.request.observe.clone();
        let chronicle = if job.request.all_values {
            Chronicle::keeping_values(viewer, observe)
        } else {
            Chronicle::new(viewer, observe)
        };
        Self {
            engine,
            chronicle,
            job,
            run,
            inputs: VecDeque::from([Input::Begin]),
            began: Instant::now(),
            wake: None,
            hook: None,
            problems: Vec::new(),
            strange: 0,
            conclusion: None,
            points: None,
            opened: Vec::new(),
        }
    }

    pub(crate) fn perform(mut self) -> Report {
        self.introduce();
        let ending = loop {
            self.settle();
            if let Some(ending) = self.conclusion.take() {
                break ending;
            }
            if let Some(message) = self.engine.inbox.receive(self.deadline()) {
                self.hear(message);
            }
            // Also under a flood of messages, in which no wait ever lasts until a deadline.
            self.look_at_clock();
            self.look_at_processes();
        };
        self.make_safe();
        let Ending { outcome, errors } = ending;
        self.chronicle.say(What::Finished {
            outcome,
            errors: errors.clone(),
        });
        Report {
            outcome,
            errors,
            values: self.chronicle.take_values(),
            log_file: self.chronicle.log_path().cloned(),
            saved_file: self.chronicle.saved_path().cloned(),
            record: self.chronicle.record().cloned(),
            points: self.points,
            problems: self.problems,
        }
    }

    /// Sees to the instruments of a child that died.
    fn make_safe(&mut self) {
        let instruments = std::mem::take(&mut self.opened);
        if instruments.is_empty() {
            return;
        }
        let names = instruments.join(", ");
        self.chronicle.note(
            Level::Warning,
            &format!("the process that had {names} open is gone: bringing them to their safe states"),
        );
        let problems = self.engine.make_safe(&self.job.request, &instruments);
        for problem in &problems {
            self.chronicle
                .note(Level::Critical, &format!("no safe state: {problem}"));
        }
        if problems.is_empty() {
            self.chronicle
                .note(Level::Info, &format!("{names}: in their safe states"));
        }
    }

    fn introduce(&mut self) {
        // The child starts while hooks run. If it cannot, that is said when it is needed.
        self.engine.need_child().ok();
        let performer = self.engine.child.as_ref().map_or_else(std::process::id, Child::pid);
        let facts = self.job.facts.clone();
        self.chronicle.say(What::Run {
            name: facts.name,
            id: facts.id,
            file: facts.file,
            default_path: facts.default_path,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: performer,
        });
        for (problem, line) in &self.job.problems {
            self.chronicle.say(said(problem, *line));
        }
        for (pipe, text) in self.engine.take_early() {
            self.printed(pipe, &text);
        }
    }

    /// Steps through what happened, so that what follows from it is said before what happened next.
    fn settle(&mut self) {
        while let Some(input) = self.inputs.pop_front() {
            if let Err(refusal) = self.step(input) {
                self.mention(&refusal.to_string());
            }
        }
    }

    fn step(&mut self, input: Input) -> Result<(), Refusal> {
        for order in self.run.step(input, self.began.elapsed())? {
            self.obey(order);
        }
        Ok(())
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Say(state) => {
                self.engine.state.set(state.into());
                self.chronicle.say(What::State(state));
            }
            Order::RunHook(kind, index) => self.start_hook(kind, index),
            Order::EndHook => {
                if let Some(hook) = &mut self.hook {
                    hook.end("ended by the operator");
                }
            }
            Order::NeedChild => match self.engine.need_child() {
                Err(error) => self.inputs.push_back(Input::ChildGone(error.to_string())),
                Ok(()) if self.engine.child.as_ref().is_some_and(Child::is_idle) => {
                    self.inputs.push_back(Input::ChildReady);
                }
                Ok(()) => (),
            },
            Order::Perform => self.tell(&Command::Perform(Box::new(self.job.request.clone()))),
            Order::Send(command) => self.tell(&command),
            Order::Terminate => self.engine.child.iter().for_each(Child::terminate),
            Order::KillGroup => self.engine.child.iter().for_each(Child::kill),
            Order::Wake(after) => self.wake = Some(self.began + after),
            Order::Discard => self.engine.discard_child(),
            Order::Conclude(ending) => self.conclude(ending),
        }
    }

    fn tell(&mut self, command: &Command) {
        if let Some(child) = &mut self.engine.child {
            child.tell(command);
        }
    }

    fn conclude(&mut self, ending: Ending) {
        for (key, text) in &ending.errors {
            // What tasks did wrong is in the log already; this nobody else could write there.
            if key == "engine" || key.starts_with("pre-hook ") || key.starts_with("post-hook ") {
                self.chronicle.note(Level::Critical, &format!("{key}: {text}"));
            }
        }
        self.conclusion = Some(ending);
    }

    fn start_hook(&mut self, kind: HookKind, index: usize) {
        let hooks = match kind {
            HookKind::Pre => &self.job.pre_hooks,
            HookKind::Post => &self.job.post_hooks,
        };
        let facts = HookFacts {
            kind,
            name: &self.job.facts.name,
            id: &self.job.facts.id,
            file: &self.job.facts.file,
            default_path: &self.job.facts.default_path,
            log_file: self.chronicle.log_path().map(AsRef::as_ref),
            saved_file: self.chronicle.saved_path().map(AsRef::as_ref),
            ending: self.run.ending(),
        };
        let id = self.engine.new_id();
        match RunningHook::start(&hooks[index], &facts, id, &self.engine.sender()) {
            Ok(hook) => self.hook = Some(hook),
            Err(why) => self.inputs.push_back(Input::HookEnded(Err(why))),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let of_child = self.engine.child.as_ref().and_then(Child::deadline);
        let of_hook = self.hook.as_ref().and_then(RunningHook::deadline);
        [self.wake, of_child, of_hook].into_iter().flatten().min()
    }

    fn look_at_clock(&mut self) {
        if self.wake.is_some_and(|wake| Instant::now() >= wake) {
            self.wake = None;
            self.inputs.push_back(Input::Deadline);
        }
    }

    fn look_at_processes(&mut self) {
        if let Some(gone) = self.engine.look_at_child() {
            let input = if gone.was_unheard {
                Input::ChildUnheard(gone.how)
            } else {
                Input::ChildGone(gone.how)
            };
            self.inputs.push_back(input);
        }
        if let Some(result) = self.hook.as_mut().and_then(|hook| hook.look(Instant::now())) {
            self.hook = None;
            self.inputs.push_back(Input::HookEnded(result));
        }
    }

    fn hear(&mut self, message: Message) {
        match message {
            Message::Asked(request) => {
                self.tell(&Command::AskedBy(request.by.to_string()));
                let result = self.step(Input::Asked(request.verb));
                if let (Err(refusal), None) = (&result, &request.answer) {
                    self.chronicle.note(Level::Warning, &refusal.to_string());
                }
                request.answer(result);
            }
            Message::Process(id, news) => self.hear_process(id, news),
            Message::Events(id, events) => {
                for event in events {
                    // It may be discarded, or the run may be over, in the middle of what it says.
                    if self.child(id).is_none() || self.conclusion.is_some() {
                        break;
                    }
                    self.hear_event(event);
                    self.settle();
                }
            }
            Message::StreamEnded(id, why) => {
                if let Some(child) = self.child(id) {
                    child.hear_end(why, Instant::now());
                }
            }
        }
    }

    fn child(&mut self, id: ProcessId) -> Option<&mut Child> {
        self.engine.child.as_mut().filter(|child| child.id() == id)
    }

    fn hear_process(&mut self, id: ProcessId, news: News) {
        let now = Instant::now();
        if let Some(child) = self.child(id) {
            if child.hear_process(&news, now) {
                self.inputs.extend([Input::Closed, Input::ChildReady]);
            }
            if let News::Lines(pipe, text) = news {
                self.printed(pipe, &text);
            }
        } else if let Some(hook) = self.hook.as_mut().filter(|hook| hook.id() == id) {
            hook.hear(&news, now);
            if let News::Lines(pipe, text) = news {
                let level = match pipe {
                    Pipe::Out => Level::Info,
                    Pipe::Err => Level::Warning,
                };
                self.chronicle.printed(level, hook.target(), &text);
            }
        }
    }

    fn printed(&mut self, pipe: Pipe, text: &str) {
        match pipe {
            Pipe::Out => self.chronicle.printed(Level::Info, "stdout", text),
            Pipe::Err => self.chronicle.printed(Level::Critical, "stderr", text),
        }
    }

    fn hear_event(&mut self, numbered: Numbered) {
        let Some(child) = &mut self.engine.child else { return };
        let missing = child.missing_before(&numbered);
        let is_ready = child.hear_event(&numbered, Instant::now());
        if missing > 0 {
            self.mention(&format!(
                "{missing} events of the child are missing before number {}",
                numbered.seq
            ));
        }
        let Numbered { time_us, event, .. } = numbered;
        match event {
            // The greeting is the child's own affair.
            Event::Hello { .. } | Event::LogClosed | Event::ValuesClosed | Event::Closing => (),
            Event::Ready if is_ready => self.inputs.extend([Input::Closed, Input::ChildReady]),
            // What it printed is still to come.
            Event::Ready => (),
            Event::Problems(problems) => self.found(time_us, problems),
            Event::Started {
                entries,
                values,
                log_file,
                saved_file,
                record,
            } => {
                let files = RunFiles {
                    log_file: log_file.into(),
                    saved_file: saved_file.into(),
                    record: record.map(Into::into),
                };
                self.chronicle.started(entries, values, files);
                self.inputs.push_back(Input::Started);
            }
            Event::Log { level, target, message } => {
                self.chronicle.event(time_us, What::Log { level, target, message });
            }
            Event::Values(values) => {
                let strange = self.chronicle.values(time_us, values);
                if strange > 0 {
                    self.mention(&format!("{strange} values of the child are of no entry"));
                }
            }
            Event::Progress { task, index, total } => {
                self.chronicle.event(time_us, What::Progress { task, index, total });
            }
            Event::At { task, doing, millis } => self.chronicle.at(task, doing, millis),
            Event::Opened(instruments) => self.opened = instruments,
            Event::Released => self.opened.clear(),
            Event::MadeSafe(_) => (),
            Event::Paused => self.inputs.push_back(Input::Paused),
            Event::Resumed => self.inputs.push_back(Input::Resumed),
            Event::Finished {
                outcome,
                errors,
                values,
                points,
            } => {
                self.points = Some(points);
                self.chronicle.final_values(values);
                self.inputs.push_back(Input::Finished(Ending { outcome, errors }));
            }
            Event::LogFile(path) => self.chronicle.log_file(path),
            Event::Refused { command, why } => {
                self.mention(&format!("the child does not `{command}`: {why}"));
                self.inputs.push_back(Input::Refused { command, why });
            }
        }
    }

    /// Says what the child's check found, but for what was said before.
    fn found(&mut self, time_us: i64, problems: Vec<Problem>) {
        for problem in problems {
            let same = |(known, _): &(Problem, _)| {
                known.severity == problem.severity && known.path == problem.path && known.message == problem.message
            };
            if !self.job.problems.iter().any(same) {
                self.chronicle.event(time_us, said(&problem, None));
            }
            self.problems.push(problem);
        }
    }

    /// Mentions what should not be, so often.
    fn mention(&mut self, message: &str) {
        self.strange += 1;
        if self.strange <= MENTIONED {
            self.chronicle.note(Level::Warning, message);
        }
    }
}

fn said(problem: &Problem, line: Option<usize>) -> What {
    What::Problem {
        severity: problem.severity,
        path: problem.path.clone(),
        message: problem.message.clone(),
        line,
    }
}
