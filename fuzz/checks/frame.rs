//! What must hold of any bytes that are read as frames: each is a message or an error, none costs more than it is long,
//! and every value that arrives can be shown.

use protocol::{Command, Event, FrameReader, Numbered, Value};
use serde::{Serialize, de::DeserializeOwned};

/// # Panics
/// Something does not hold.
pub(crate) fn check(bytes: &[u8]) {
    follow::<Command>(bytes, |_| ());
    follow::<Numbered>(bytes, |message| match &message.event {
        Event::Values(values) | Event::Started { values, .. } | Event::Finished { values, .. } => {
            values.iter().for_each(|(_, value)| shown(value));
        }
        _ => (),
    });
}

/// Reads frames to the end or the first error.
fn follow<T: Serialize + DeserializeOwned>(bytes: &[u8], look: impl Fn(&T)) {
    let mut reader = FrameReader::new(bytes);
    while let Ok(Some(message)) = reader.read::<T>() {
        reader.has_next();
        look(&message);
        let mut written = Vec::new();
        protocol::append(&mut written, &message).expect("what was read is short enough to be written");
        let again = FrameReader::new(written.as_slice()).read::<T>();
        let again = again.expect("what was written is a frame").expect("and it is there");
        let mut twice = Vec::new();
        protocol::append(&mut twice, &again).expect("it is as long as before");
        assert!(written == twice, "a message changes by being read and written");
    }
}

/// All that a viewer or a file of values does with a value.
fn shown(value: &Value) {
    let _ = (value.repr(), value.to_string(), value.kind(), value.to_json());
    let _ = (
        value.truthy(),
        value.as_f64(),
        value.as_i64(),
        value.len(),
        value.is_iterable(),
    );
    let _ = value.iterate();
}
