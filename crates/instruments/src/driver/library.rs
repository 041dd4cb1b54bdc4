//! The drivers that come with this crate: the text of each file in `drivers/`.
//!
//! They are compiled in, so that a laboratory needs no folder beside the program; a file of the user with the same id is
//! theirs to prefer. Nothing here is verified against an instrument: where its facts come from, each file says in `source`.

use super::Driver;

/// The texts, in the order of the folder.
pub const LIBRARY: [&str; 123] = [
    include_str!("../../drivers/ami_430.toml"),
    include_str!("../../drivers/anapico_apsin20g.toml"),
    include_str!("../../drivers/anapico_apuasyn20.toml"),
    include_str!("../../drivers/anritsu_mg3694.toml"),
    include_str!("../../drivers/bilt_bn100.toml"),
    include_str!("../../drivers/cryomagnetics_4g.toml"),
    include_str!("../../drivers/cryomagnetics_cs4.toml"),
    include_str!("../../drivers/delta_elektronika_sm7045d.toml"),
    include_str!("../../drivers/fluke_7341.toml"),
    include_str!("../../drivers/gwinstek_gds1054b.toml"),
    include_str!("../../drivers/hp_33120a.toml"),
    include_str!("../../drivers/hp_6632a.toml"),
    include_str!("../../drivers/hp_8657b.toml"),
    include_str!("../../drivers/keithley_2000.toml"),
    include_str!("../../drivers/keithley_2001.toml"),
    include_str!("../../drivers/keithley_2182a.toml"),
    include_str!("../../drivers/keithley_2260b.toml"),
    include_str!("../../drivers/keithley_2400.toml"),
    include_str!("../../drivers/keithley_2410.toml"),
    include_str!("../../drivers/keithley_2450.toml"),
    include_str!("../../drivers/keithley_2470.toml"),
    include_str!("../../drivers/keithley_2510.toml"),
    include_str!("../../drivers/keithley_2600.toml"),
    include_str!("../../drivers/keithley_6221.toml"),
    include_str!("../../drivers/keithley_6430.toml"),
    include_str!("../../drivers/keithley_6485.toml"),
    include_str!("../../drivers/keithley_6500.toml"),
    include_str!("../../drivers/keithley_6517b.toml"),
    include_str!("../../drivers/keithley_7510.toml"),
    include_str!("../../drivers/keithley_daq6510.toml"),
    include_str!("../../drivers/kepco_bop.toml"),
    include_str!("../../drivers/keysight_33220a.toml"),
    include_str!("../../drivers/keysight_33250a.toml"),
    include_str!("../../drivers/keysight_33500b.toml"),
    include_str!("../../drivers/keysight_34401a.toml"),
    include_str!("../../drivers/keysight_34410a.toml"),
    include_str!("../../drivers/keysight_34420a.toml"),
    include_str!("../../drivers/keysight_34450a.toml"),
    include_str!("../../drivers/keysight_34460a.toml"),
    include_str!("../../drivers/keysight_34461a.toml"),
    include_str!("../../drivers/keysight_34465a.toml"),
    include_str!("../../drivers/keysight_34470a.toml"),
    include_str!("../../drivers/keysight_81160a.toml"),
    include_str!("../../drivers/keysight_b2900.toml"),
    include_str!("../../drivers/keysight_b2985.toml"),
    include_str!("../../drivers/keysight_dsox1000.toml"),
    include_str!("../../drivers/keysight_e36312a.toml"),
    include_str!("../../drivers/keysight_e3631a.toml"),
    include_str!("../../drivers/keysight_e3640a.toml"),
    include_str!("../../drivers/keysight_e4408b.toml"),
    include_str!("../../drivers/keysight_e4980a.toml"),
    include_str!("../../drivers/keysight_e8267.toml"),
    include_str!("../../drivers/keysight_n5173b.toml"),
    include_str!("../../drivers/keysight_n5183b.toml"),
    include_str!("../../drivers/keysight_n5767a.toml"),
    include_str!("../../drivers/keysight_n6705b.toml"),
    include_str!("../../drivers/keysight_n8975a.toml"),
    include_str!("../../drivers/keysight_pna.toml"),
    include_str!("../../drivers/keysight_psa.toml"),
    include_str!("../../drivers/keysight_psg.toml"),
    include_str!("../../drivers/keysight_pxa.toml"),
    include_str!("../../drivers/lakeshore_211.toml"),
    include_str!("../../drivers/lakeshore_218.toml"),
    include_str!("../../drivers/lakeshore_224.toml"),
    include_str!("../../drivers/lakeshore_331.toml"),
    include_str!("../../drivers/lakeshore_335.toml"),
    include_str!("../../drivers/lakeshore_336.toml"),
    include_str!("../../drivers/lakeshore_340.toml"),
    include_str!("../../drivers/lakeshore_372.toml"),
    include_str!("../../drivers/lakeshore_421.toml"),
    include_str!("../../drivers/lakeshore_425.toml"),
    include_str!("../../drivers/lakeshore_475.toml"),
    include_str!("../../drivers/lecroy_t3dso1204.toml"),
    include_str!("../../drivers/oxford_ips120.toml"),
    include_str!("../../drivers/oxford_itc503.toml"),
    include_str!("../../drivers/oxford_mercury_ips.toml"),
    include_str!("../../drivers/oxford_mercury_itc.toml"),
    include_str!("../../drivers/razorbill_rp100.toml"),
    include_str!("../../drivers/rigol_dg4000.toml"),
    include_str!("../../drivers/rigol_dp832.toml"),
    include_str!("../../drivers/rohde_schwarz_fsl.toml"),
    include_str!("../../drivers/rohde_schwarz_fsw.toml"),
    include_str!("../../drivers/rohde_schwarz_hmp4040.toml"),
    include_str!("../../drivers/rohde_schwarz_sgs100a.toml"),
    include_str!("../../drivers/rohde_schwarz_sma100b.toml"),
    include_str!("../../drivers/rohde_schwarz_smb100a.toml"),
    include_str!("../../drivers/rohde_schwarz_smbv100a.toml"),
    include_str!("../../drivers/rohde_schwarz_smc100a.toml"),
    include_str!("../../drivers/rohde_schwarz_smf100a.toml"),
    include_str!("../../drivers/rohde_schwarz_smw200a.toml"),
    include_str!("../../drivers/rohde_schwarz_znb20.toml"),
    include_str!("../../drivers/rohde_schwarz_zva24.toml"),
    include_str!("../../drivers/siglent_sdg.toml"),
    include_str!("../../drivers/siglent_spd1168x.toml"),
    include_str!("../../drivers/siglent_spd3303x.toml"),
    include_str!("../../drivers/signal_recovery_7225.toml"),
    include_str!("../../drivers/signal_recovery_7265.toml"),
    include_str!("../../drivers/signal_recovery_7270.toml"),
    include_str!("../../drivers/signal_recovery_7280.toml"),
    include_str!("../../drivers/srs_dc205.toml"),
    include_str!("../../drivers/srs_dg645.toml"),
    include_str!("../../drivers/srs_ds345.toml"),
    include_str!("../../drivers/srs_sg384.toml"),
    include_str!("../../drivers/srs_sim928.toml"),
    include_str!("../../drivers/srs_sr510.toml"),
    include_str!("../../drivers/srs_sr570.toml"),
    include_str!("../../drivers/srs_sr810.toml"),
    include_str!("../../drivers/srs_sr830.toml"),
    include_str!("../../drivers/srs_sr844.toml"),
    include_str!("../../drivers/srs_sr860.toml"),
    include_str!("../../drivers/srs_sr865a.toml"),
    include_str!("../../drivers/tdk_genesys.toml"),
    include_str!("../../drivers/tektronix_afg3000.toml"),
    include_str!("../../drivers/tektronix_awg5014.toml"),
    include_str!("../../drivers/tektronix_tds2000.toml"),
    include_str!("../../drivers/temptronic_ats545.toml"),
    include_str!("../../drivers/texio_psw.toml"),
    include_str!("../../drivers/thorlabs_pro8000.toml"),
    include_str!("../../drivers/windfreak_synthhd.toml"),
    include_str!("../../drivers/yokogawa_7651.toml"),
    include_str!("../../drivers/yokogawa_aq6370d.toml"),
    include_str!("../../drivers/yokogawa_gs200.toml"),
    include_str!("../../drivers/yokogawa_gs200_labeq.toml"),
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
