//! What an answer looks like inside Redis.
//!
//! ```text
//! "PSAC"  version  codec  checksum (16)  payload
//! ```
//!
//! The checksum is SHA-256, cut short, over the key, the codec and the payload. So a value that was
//! damaged, cut off, written by somebody else or copied from another key does not open: it is a miss.
//! It is no signature: whoever may write to Redis may write answers, so give nobody else that right.

use sha2::{Digest, Sha256};

const MAGIC: &[u8; 4] = b"PSAC";
/// Grows when this layout or the meaning of the payload changes.
pub const VERSION: u8 = 1;
const CHECKSUM: usize = 16;
const HEADER: usize = MAGIC.len() + 2 + CHECKSUM;
const PLAIN: u8 = 0;
const LZ4: u8 = 1;
/// From this many bytes on a payload is compressed. An answer with one result has 2.0 KB of JSON and
/// loses a third of it, one with ten has 18 KB and loses two thirds (`cache::figures` in the tests).
const COMPRESS_FROM: usize = 1_024;
/// Most bytes of a payload once it is plain again: 100 results have some 5% of it.
const MAX_PLAIN: usize = 4 * 1024 * 1024;

/// Wraps `payload` for the key.
pub fn seal(key: &str, payload: &[u8]) -> Vec<u8> {
    if payload.len() >= COMPRESS_FROM {
        let compressed = lz4_flex::compress_prepend_size(payload);
        if compressed.len() < payload.len() {
            return wrap(key, LZ4, &compressed);
        }
    }
    wrap(key, PLAIN, payload)
}

fn wrap(key: &str, codec: u8, payload: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(HEADER + payload.len());
    sealed.extend_from_slice(MAGIC);
    sealed.extend_from_slice(&[VERSION, codec]);
    sealed.extend_from_slice(&checksum(key, codec, payload));
    sealed.extend_from_slice(payload);
    sealed
}

/// The payload, if `sealed` is one that was sealed for this key.
pub fn open(key: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    let rest = sealed.strip_prefix(MAGIC)?;
    let (&[version, codec], rest) = rest.split_first_chunk()?;
    let (found, payload) = rest.split_first_chunk::<CHECKSUM>()?;
    if version != VERSION || *found != checksum(key, codec, payload) {
        return None;
    }
    match codec {
        PLAIN => Some(payload.to_vec()),
        LZ4 => {
            // Before room is made for as many bytes as it claims.
            let claimed = u32::from_le_bytes(*payload.first_chunk()?);
            let claimed = usize::try_from(claimed).ok()?;
            if claimed > MAX_PLAIN {
                return None;
            }
            lz4_flex::decompress_size_prepended(payload).ok()
        }
        _ => None,
    }
}

fn checksum(key: &str, codec: u8, payload: &[u8]) -> [u8; CHECKSUM] {
    let mut hash = Sha256::new();
    // With its length, so that no key can run into the payload.
    hash.update((key.len() as u64).to_le_bytes());
    hash.update(key);
    hash.update([codec]);
    hash.update(payload);
    let hash: [u8; 32] = hash.finalize().into();
    let mut cut = [0; CHECKSUM];
    cut.copy_from_slice(&hash[..CHECKSUM]);
    cut
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_sides_of_the_threshold_open_again() {
        for (length, codec) in [
            (0, PLAIN),
            (COMPRESS_FROM - 1, PLAIN),
            (COMPRESS_FROM, LZ4),
            (MAX_PLAIN, LZ4),
        ] {
            let payload = vec![b'x'; length];
            let sealed = seal("k", &payload);
            assert_eq!(sealed[5], codec, "{length}");
            assert_eq!(open("k", &sealed), Some(payload));
        }
        let too_much = seal("k", &vec![b'x'; MAX_PLAIN + 1]);
        assert_eq!(open("k", &too_much), None);
    }

    #[test]
    fn another_version_or_codec_is_a_miss_even_with_its_checksum_right() {
        let mut newer = seal("k", b"{}");
        newer[4] = VERSION + 1;
        assert_eq!(open("k", &newer), None);
        assert_eq!(open("k", &wrap("k", 7, b"{}")), None);
        // No compressed data, and none where the size says so.
        assert_eq!(open("k", &wrap("k", LZ4, b"abc")), None);
        assert_eq!(open("k", &wrap("k", LZ4, b"\x10\0\0\0zz")), None);
    }

    proptest! {
        #[test]
        fn what_was_changed_cut_or_meant_for_another_key_does_not_open(
            payload in proptest::collection::vec(any::<u8>(), 0..3_000),
            at in any::<prop::sample::Index>(),
            bit in 0..8_u8,
        ) {
            let sealed = seal("key", &payload);
            prop_assert_eq!(open("key", &sealed), Some(payload));
            prop_assert_eq!(open("kez", &sealed), None);
            prop_assert_eq!(open("key", &sealed[..at.index(sealed.len())]), None);
            let mut flipped = sealed.clone();
            flipped[at.index(sealed.len())] ^= 1_u8 << bit;
            prop_assert_eq!(open("key", &flipped), None);
        }

        #[test]
        fn anything_at_all_is_read_without_a_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            prop_assert_eq!(open("key", &bytes), None);
            let mut like_ours = MAGIC.to_vec();
            like_ours.extend_from_slice(&bytes);
            prop_assert_eq!(open("key", &like_ours), None);
            // With its checksum right: whatever it gives, it gives it without a panic.
            drop(open("key", &wrap("key", LZ4, &bytes)));
        }
    }
}
