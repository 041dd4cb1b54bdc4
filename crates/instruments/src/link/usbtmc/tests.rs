//! The protocol against a device in memory, which keeps to the specification on its side.

use std::{collections::VecDeque, time::Duration};

use super::{Deadline, Extent, Fault, Link, LinkSettings, Pipes, Target, UsbtmcLink};
use crate::Interrupter;

/// A device that answers each message with what stands beside it.
#[derive(Default)]
struct Bench {
    answers: Vec<(&'static str, Vec<u8>)>,
    /// So much fits into one transfer in.
    packet: usize,
    message: Vec<u8>,
    said: Vec<String>,
    answer: VecDeque<u8>,
    transfers: VecDeque<Vec<u8>>,
    requests: Vec<u8>,
    notifications: Option<VecDeque<Vec<u8>>>,
    clearing: u8,
}

impl Bench {
    fn take(&mut self, frame: &[u8]) {
        let size = u32::from_le_bytes(frame[4..8].try_into().expect("4 bytes")) as usize;
        assert_eq!((frame[1], frame.len() % 4), (!frame[2], 0));
        match frame[0] {
            1 => {
                self.message.extend_from_slice(&frame[12..12 + size]);
                if frame[8] == 1 {
                    let message = String::from_utf8(std::mem::take(&mut self.message)).expect("text");
                    let known = self.answers.iter().find(|(question, _)| *question == message);
                    self.answer
                        .extend(known.map(|(_, answer)| answer.clone()).unwrap_or_default());
                    self.said.push(message);
                }
            }
            2 => {
                let count = size.min(self.answer.len());
                if count == 0 {
                    return;
                }
                let payload: Vec<u8> = self.answer.drain(..count).collect();
                let mut whole = vec![2, frame[1], !frame[1], 0];
                whole.extend_from_slice(&u32::try_from(count).expect("small").to_le_bytes());
                whole.extend_from_slice(&[u8::from(self.answer.is_empty()), 0, 0, 0]);
                whole.extend_from_slice(&payload);
                self.transfers.extend(whole.chunks(self.packet).map(<[u8]>::to_vec));
            }
            128 => self.said.push("trigger".to_owned()),
            other => panic!("there is no kind {other}"),
        }
    }
}

impl Pipes for Bench {
    fn send(&mut self, bytes: Vec<u8>, _: Deadline) -> Result<(), Fault> {
        self.take(&bytes);
        Ok(())
    }

    fn receive(&mut self, most: usize, into: &mut Vec<u8>, _: Deadline) -> Result<(), Fault> {
        let transfer = self
            .transfers
            .pop_front()
            .ok_or(Fault::TimedOut(Duration::from_secs(1)))?;
        assert!(transfer.len() <= most, "{} bytes for {most}", transfer.len());
        into.extend_from_slice(&transfer);
        Ok(())
    }

    fn control(&mut self, request: u8, _: Target, value: u16, length: u16, _: Deadline) -> Result<Vec<u8>, Fault> {
        self.requests.push(request);
        let mut told = vec![0; usize::from(length)];
        told[0] = 1;
        match request {
            6 => {
                self.clearing = self.clearing.saturating_sub(1);
                told[0] = if self.clearing > 0 { 2 } else { 1 };
                told[1] = u8::from(!self.transfers.is_empty());
            }
            7 => told[14] = 1,
            128 => {
                told[1] = value.to_le_bytes()[0];
                match &mut self.notifications {
                    Some(notifications) => notifications.push_back(vec![0x82, 0x51]),
                    None => told[2] = 0x51,
                }
            }
            _ => {}
        }
        Ok(told)
    }

    fn notification(&mut self, _: Deadline) -> Option<Result<Vec<u8>, Fault>> {
        let notifications = self.notifications.as_mut()?;
        Some(notifications.pop_front().ok_or(Fault::TimedOut(Duration::from_secs(1))))
    }

    fn clear_halt(&mut self) -> Result<(), Fault> {
        self.transfers.clear();
        Ok(())
    }
}

fn link(bench: Bench) -> UsbtmcLink<Bench> {
    UsbtmcLink::new(bench, &LinkSettings::default(), &Interrupter::default())
}

fn bench(question: &'static str, answer: &[u8]) -> Bench {
    Bench {
        answers: vec![(question, answer.to_vec())],
        packet: 512,
        ..Bench::default()
    }
}

fn asked(link: &mut UsbtmcLink<Bench>, question: &str, extent: Extent) -> Result<Vec<u8>, String> {
    let mut answer = Vec::new();
    link.write(&[question.as_bytes()]).map_err(|error| error.to_string())?;
    link.read(extent, &mut answer).map_err(|error| error.to_string())?;
    Ok(answer)
}

#[test]
fn a_question_has_its_answer() {
    let mut link = link(bench("*IDN?", b"ACME,X1,0,1\n"));
    assert_eq!(asked(&mut link, "*IDN?", Extent::Message), Ok(b"ACME,X1,0,1".to_vec()));
    assert_eq!(link.pipes.said, ["*IDN?"]);
}

#[test]
fn long_answers_come_in_pieces_and_pieces_in_transfers() {
    let long: Vec<u8> = (0..=255).cycle().take(2_500_000).collect();
    let mut link = link(bench("CURV?", &long));
    assert!(asked(&mut link, "CURV?", Extent::Block).is_ok_and(|answer| answer == long));
    link.answer_limit = 100_000;
    assert_eq!(
        asked(&mut link, "CURV?", Extent::Block).map_err(|words| words.split(';').next().map(str::to_owned)),
        Err(Some("the answer is longer than 100000 bytes".to_owned()))
    );
}

#[test]
fn long_messages_go_in_several_transfers() {
    let mut link = link(bench("", b""));
    let long = "x".repeat((2 << 20) + 5);
    link.write(&[long.as_bytes(), b"y"]).expect("it is taken");
    assert_eq!(link.pipes.said, [long, "y".to_owned()]);
}

#[test]
fn a_silent_device_is_told_that_nobody_waits_any_more() {
    let mut link = link(bench("*IDN?", b""));
    assert_eq!(
        asked(&mut link, "*IDN?", Extent::Message),
        Err("timed out after 1s; nothing was received".to_owned())
    );
    assert_eq!(link.pipes.requests, [7, 3]);
}

#[test]
fn a_clear_reads_away_what_is_left_and_waits_for_its_end() {
    let mut link = link(bench("CURV?", &[7; 2000]));
    link.write(&[b"CURV?"]).expect("it is taken");
    link.pipes.take(&super::frame::request(super::Tag::FIRST, 2000));
    link.pipes.clearing = 3;
    link.clear().expect("it clears");
    assert_eq!(link.pipes.requests, [7, 5, 6, 6, 6]);
    assert!(link.pipes.transfers.is_empty());
}

#[test]
fn the_status_byte_comes_by_either_way_and_service_requests_by_theirs() {
    let mut plain = link(bench("", b""));
    assert_eq!(plain.status_byte().map_err(|error| error.to_string()), Ok(0x51));
    let patience = Duration::from_secs(1);
    assert_eq!(
        plain
            .wait_for_service_request(patience)
            .map_err(|error| error.to_string()),
        Ok(0x51)
    );
    let mut notified = link(Bench {
        notifications: Some(VecDeque::from([vec![0x81, 0x60]])),
        ..bench("", b"")
    });
    assert_eq!(
        notified
            .wait_for_service_request(patience)
            .map_err(|error| error.to_string()),
        Ok(0x60)
    );
    assert_eq!(notified.status_byte().map_err(|error| error.to_string()), Ok(0x51));
    notified.trigger().expect("it has one");
    assert_eq!(notified.pipes.said, ["trigger"]);
}
