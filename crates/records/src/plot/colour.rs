//! Colours of lines and maps, which also the colour-blind can tell apart.

/// Viridis of matplotlib (in the public domain) at ten even steps.
const VIRIDIS: [[u8; 3]; 10] = [
    [0x44, 0x01, 0x54],
    [0x48, 0x28, 0x78],
    [0x3e, 0x49, 0x89],
    [0x31, 0x68, 0x8e],
    [0x26, 0x82, 0x8e],
    [0x1f, 0x9e, 0x89],
    [0x35, 0xb7, 0x79],
    [0x6e, 0xce, 0x58],
    [0xb5, 0xde, 0x2b],
    [0xfd, 0xe7, 0x25],
];

/// Of Okabe and Ito, "Color Universal Design" (2008), without yellow, which is faint on white.
const LINES: [[u8; 3]; 7] = [
    [0x00, 0x72, 0xb2],
    [0xd5, 0x5e, 0x00],
    [0x00, 0x9e, 0x73],
    [0xcc, 0x79, 0xa7],
    [0xe6, 0x9f, 0x00],
    [0x56, 0xb4, 0xe9],
    [0x00, 0x00, 0x00],
];

/// The colour of a share of a range: dark blue at 0, yellow at 1.
pub fn viridis(share: f64) -> [u8; 3] {
    let place = share.clamp(0.0, 1.0) * (VIRIDIS.len() - 1) as f64;
    let low = (place as usize).min(VIRIDIS.len() - 2);
    let part = place - low as f64;
    let mix = |at: usize| {
        let (from, to) = (f64::from(VIRIDIS[low][at]), f64::from(VIRIDIS[low + 1][at]));
        (from + (to - from) * part).round() as u8
    };
    [mix(0), mix(1), mix(2)]
}

/// The colour of one of several lines.
pub(super) fn of_line(number: usize) -> [u8; 3] {
    LINES[number % LINES.len()]
}
