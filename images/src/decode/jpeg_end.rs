//! Whether a JPEG file is whole (ITU-T T.81, annex B): its segments lead to an end-of-image marker.

const START_OF_SCAN: u8 = 0xda;
const END_OF_IMAGE: u8 = 0xd9;

/// Walks the segments, so that an end marker inside an embedded thumbnail does not count.
pub(super) fn has_end(bytes: &[u8]) -> bool {
    // Past the start-of-image marker.
    let mut rest = bytes.get(2..).unwrap_or_default();
    loop {
        let Some((marker, after)) = next_marker(rest) else {
            return false;
        };
        if marker == END_OF_IMAGE {
            return true;
        }
        let &[high, low, ..] = after else {
            return false;
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let Some(next) = after.get(length..) else {
            return false;
        };
        rest = if marker == START_OF_SCAN {
            past_entropy_coded(next)
        } else {
            next
        };
    }
}

/// The next marker's code and what follows it; fill bytes (`ff`) may stand before.
fn next_marker(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let start = bytes.iter().position(|&byte| byte == 0xff)?;
    let code = start + bytes[start..].iter().position(|&byte| byte != 0xff)?;
    Some((bytes[code], &bytes[code + 1..]))
}

/// From the next marker on that is no stuffed zero and no restart marker.
fn past_entropy_coded(bytes: &[u8]) -> &[u8] {
    let end = bytes
        .windows(2)
        .position(|pair| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7 | 0xff))
        .unwrap_or(bytes.len());
    &bytes[end..]
}
