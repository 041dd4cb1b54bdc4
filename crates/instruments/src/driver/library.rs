//! The drivers that come with this crate: the text of each file in `drivers/`.
//!
//! They are compiled in, so that a laboratory needs no folder beside the program; a file of the user with the same id is
//! theirs to prefer. Nothing here is verified against an instrument: where its facts come from, each file says in `source`.

use super::Driver;

/// The texts, in the order of the folder.
pub const LIBRARY: [&str; 23] = [
    include_str!("../../drivers/anapico_apsin20g.toml"),
    include_str!("../../drivers/anapico_apuasyn20.toml"),
    include_str!("../../drivers/anritsu_mg3694.toml"),
    include_str!("../../drivers/bilt_bn100.toml"),
    include_str!("../../drivers/cryomagnetics_4g.toml"),
    include_str!("../../drivers/cryomagnetics_cs4.toml"),
    include_str!("../../drivers/keithley_2000.toml"),
    include_str!("../../drivers/keysight_34410a.toml"),
    include_str!("../../drivers/keysight_pna.toml"),
    include_str!("../../drivers/keysight_psa.toml"),
    include_str!("../../drivers/keysight_psg.toml"),
    include_str!("../../drivers/keysight_pxa.toml"),
    include_str!("../../drivers/oxford_ips120.toml"),
    include_str!("../../drivers/rohde_schwarz_smb100a.toml"),
    include_str!("../../drivers/rohde_schwarz_znb20.toml"),
    include_str!("../../drivers/rohde_schwarz_zva24.toml"),
    include_str!("../../drivers/signal_recovery_7265.toml"),
    include_str!("../../drivers/signal_recovery_7270.toml"),
    include_str!("../../drivers/srs_sr830.toml"),
    include_str!("../../drivers/tektronix_awg5014.toml"),
    include_str!("../../drivers/windfreak_synthhd.toml"),
    include_str!("../../drivers/yokogawa_7651.toml"),
    include_str!("../../drivers/yokogawa_gs200.toml"),
];

/// The driver of this id, or the one that a profile of Exopy calls so.
pub fn find(id: &str) -> Option<Driver> {
    let text = LIBRARY.iter().find(|text| names(text).any(|name| name == id))?;
    Driver::parse(text).ok()
}

/// The driver of whose id or other names this is the last word, in capitals or not: `gs200`, `YokogawaGS200`.
pub fn find_by_last_word(word: &str) -> Option<Driver> {
    let is_meant = |name: &str| {
        name.rsplit('.')
            .next()
            .is_some_and(|last| last.eq_ignore_ascii_case(word))
    };
    let text = LIBRARY.iter().find(|text| names(text).any(is_meant))?;
    Driver::parse(text).ok()
}

/// Id and aliases, without reading the rest of the file: in each file that ships they are the first two lines, as its
/// contract says.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let heads = text
        .lines()
        .take(2)
        .filter(|line| line.starts_with("id = ") || line.starts_with("aliases = "));
    heads.flat_map(|line| line.split('"').skip(1).step_by(2))
}
