//! The chain: a line's hash covers the line as it is written, the hash of the one before included.
//!
//! ```text
//! {"seq":7,"at":"…","prev":"<hash of 6>",…,"hash":"<hash of everything before this member>"}
//! ```
//!
//! The hash is over bytes, so nothing has to be brought into a canonical form, and no change of a
//! single byte goes unseen. With a key it is HMAC-SHA-256: without the key nobody can make a line that
//! fits. Without one it is SHA-256: whoever may write the files can write all of them anew, which only a
//! hash that was kept elsewhere shows ([`crate::Head`]).

use aws_lc_rs::{constant_time, digest, hmac, rand};
use secrecy::{ExposeSecret as _, SecretString};

/// `prev` of the first line of all.
pub const ORIGIN: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What stands between a line's contents and its hash.
const BEFORE_HASH: &str = ",\"hash\":\"";
/// What stands behind it.
const AFTER_HASH: &str = "\"}";
/// Digits of a hash.
const DIGITS: usize = 64;

/// Shortest key, in bytes.
pub const MIN_KEY_BYTES: usize = 32;

/// A new key: 64 hexadecimal digits.
pub fn generate_key() -> SecretString {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).expect("the system's randomness is there");
    hex::encode(bytes).into()
}

/// Makes and checks the hashes of lines.
#[derive(Clone)]
pub struct Seal(Option<hmac::Key>);

impl Seal {
    /// With a key of [`MIN_KEY_BYTES`] or more, or with none.
    pub fn new(key: Option<&SecretString>) -> Self {
        Self(key.map(|key| hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret().as_bytes())))
    }

    /// 64 hexadecimal digits.
    pub fn hash(&self, contents: &str) -> String {
        match &self.0 {
            Some(key) => hex::encode(hmac::sign(key, contents.as_bytes())),
            None => hex::encode(digest::digest(&digest::SHA256, contents.as_bytes())),
        }
    }

    /// A whole line, without its newline, from the contents: a JSON object without its last brace.
    pub(crate) fn close(&self, contents: &str) -> (String, String) {
        let hash = self.hash(contents);
        (format!("{contents}{BEFORE_HASH}{hash}{AFTER_HASH}"), hash)
    }

    /// The hash of a line, if it is the line's.
    pub(crate) fn check<'a>(&self, line: &'a str) -> Option<&'a str> {
        let (contents, hash) = parts(line)?;
        let expected = self.hash(contents);
        constant_time::verify_slices_are_equal(expected.as_bytes(), hash.as_bytes())
            .is_ok()
            .then_some(hash)
    }
}

/// A line's contents and its hash.
pub(crate) fn parts(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_suffix(AFTER_HASH)?;
    let (rest, hash) = rest.split_at_checked(rest.len().checked_sub(DIGITS)?)?;
    let hexadecimal = hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some((rest.strip_suffix(BEFORE_HASH)?, hash)).filter(|_| hexadecimal)
}
