//! Instruments behind a VISA library, which is a small one made from `visa/fake.c`. Where there is no C compiler, nothing is
//! tested, and the tests say so.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::Duration,
};

use instruments::{Extent, Interrupter, Link, LinkError, LinkSettings, open};

/// The library, made once.
fn library() -> Option<PathBuf> {
    static MADE: OnceLock<Option<PathBuf>> = OnceLock::new();
    MADE.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/visa/fake.c");
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("libfakevisa-{}.so", std::process::id()));
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-o"])
            .arg(&library)
            .arg(source)
            .status();
        let is_made = compiled.is_ok_and(|status| status.success());
        if !is_made {
            println!("skipped: there is no C compiler");
        }
        is_made.then_some(library)
    })
    .clone()
}

fn settings(library: PathBuf) -> LinkSettings {
    LinkSettings {
        timeout: Duration::from_millis(200),
        visa_library: Some(library),
        ..LinkSettings::default()
    }
}

fn opened(name: &str, library: PathBuf, interrupter: &Interrupter) -> Result<Box<dyn Link>, LinkError> {
    let resource = name.parse().expect("a resource");
    open(&resource, &settings(library), interrupter)
}

fn asked(link: &mut dyn Link, question: &str, extent: Extent) -> Result<Vec<u8>, String> {
    let mut answer = Vec::new();
    link.write(&[question.as_bytes()]).map_err(|error| error.to_string())?;
    link.read(extent, &mut answer).map_err(|error| error.to_string())?;
    Ok(answer)
}

#[test]
fn an_instrument_on_a_card_answers_sends_blocks_and_asks_for_service() {
    let Some(library) = library() else { return };
    let mut link = opened("GPIB0::4::INSTR", library.clone(), &Interrupter::default()).expect("it is there");
    // The time-out reaches the library.
    assert_eq!(
        asked(&mut *link, "*IDN?", Extent::Message),
        Ok(b"FAKE,VISA,200,1".to_vec())
    );
    let block = asked(&mut *link, "BLOCK?", Extent::Block).expect("a block");
    assert_eq!(block.len(), 9 + 3_000_000 + 1);
    assert_eq!(
        asked(&mut *link, "nothing", Extent::Message),
        Err("timed out after 200ms; nothing was received".to_owned())
    );
    assert_eq!(link.status_byte().expect("one"), 0x10);
    let patience = Duration::from_millis(50);
    assert!(link.wait_for_service_request(patience).is_err());
    link.trigger().expect("taken");
    assert_eq!(link.wait_for_service_request(patience).expect("it asks"), 0x50);
    link.clear().expect("taken");
    link.lock(patience).expect("free");
    let mut other = opened("GPIB0::4::INSTR", library, &Interrupter::default()).expect("it is there");
    assert_eq!(
        other.lock(patience).expect_err("taken").to_string(),
        "another client has locked the instrument"
    );
    link.unlock().expect("held");
    other.lock(patience).expect("free again");
}

#[test]
fn what_is_not_there_is_said_in_the_words_of_the_library() {
    let Some(library) = library() else { return };
    let refused = opened("GPIB0::5::INSTR", library, &Interrupter::default())
        .err()
        .expect("nobody is there");
    assert_eq!(
        refused.to_string(),
        "no connection: Insufficient location information or the device is not present (VISA error 0xBFFF0011)"
    );
}

#[test]
fn a_call_that_blocks_is_left_when_interrupted() {
    let Some(library) = library() else { return };
    let interrupter = Interrupter::default();
    let mut link = opened("GPIB0::4::INSTR", library, &interrupter).expect("it is there");
    link.set_timeout(Duration::from_secs(30));
    link.write(&[b"nothing"]).expect("taken");
    let read = std::thread::scope(|scope| {
        scope.spawn(|| interrupter.interrupt());
        link.read(Extent::Message, &mut Vec::new())
    });
    assert_eq!(
        read.expect_err("it never answers").to_string(),
        "interrupted; nothing was received"
    );
    interrupter.rearm();
    // What was under way may still answer: the link is not used again.
    assert!(link.write(&[b"*IDN?"]).is_err());
}

#[test]
fn without_a_library_the_ways_out_are_said() {
    let absent = PathBuf::from("/nonexistent/libvisa.so");
    let refused = opened("GPIB0::4::INSTR", absent, &Interrupter::default())
        .err()
        .expect("there is none");
    assert_eq!(
        refused.to_string(),
        "no connection: no VISA library is installed (looked for `/nonexistent/libvisa.so`). Install one, name it by \
         `MEASURAND_VISA`, or reach the bus by a Prologix adapter"
    );
}

#[test]
fn a_usb_device_that_is_not_connected_is_said_to_be_absent() {
    let resource = "USB0::0x0957::0x1755::MY0::INSTR".parse().expect("a resource");
    let refused = open(&resource, &LinkSettings::default(), &Interrupter::default());
    let words = refused.err().expect("nobody has this one").to_string();
    // Where there is no USB at all, the system says so in its own words.
    assert!(words.starts_with("no connection: "), "{words}");
}
