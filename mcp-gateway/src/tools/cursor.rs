//! Places in a list, opaque to clients.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use crate::tools::refusal::Refusal;

/// Characters of the digest that ties a cursor to what it goes on with.
const DIGEST_CHARS: usize = 16;

/// Longest cursor of a service's own, in bytes.
const MAX_WRAPPED_BYTES: usize = 200;

/// A cursor to `offset` in the list that `of` asks for.
pub(crate) fn write(of: &str, offset: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}:{offset}", digest(of)))
}

/// Where a cursor points to, if it belongs to what `of` asks for.
pub(crate) fn read(of: &str, cursor: &str) -> Result<usize, Refusal> {
    let offset = opened(of, cursor).and_then(|offset| offset.parse().ok());
    offset.ok_or_else(foreign)
}

/// A service's own cursor, tied to the list that `of` asks for.
pub(crate) fn wrap(of: &str, theirs: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}:{theirs}", digest(of)))
}

/// The service's own cursor, if it belongs to what `of` asks for.
pub(crate) fn unwrap(of: &str, cursor: &str) -> Result<String, Refusal> {
    let theirs = opened(of, cursor).filter(|theirs| theirs.len() <= MAX_WRAPPED_BYTES);
    theirs.ok_or_else(foreign)
}

/// What follows the tie, if it is the right one.
fn opened(of: &str, cursor: &str) -> Option<String> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (tied, rest) = text.split_once(':')?;
    (tied == digest(of)).then(|| rest.to_owned())
}

fn foreign() -> Refusal {
    Refusal::Arguments(
        "Invalid arguments: the cursor is not one of this list. Pass the cursor of the last page with \
         the same other arguments, or none to begin again."
            .to_owned(),
    )
}

/// A short name for a text, to be compared, not to be trusted.
pub(crate) fn digest(text: &str) -> String {
    let mut digits = hex::encode(Sha256::digest(text.as_bytes()));
    digits.truncate(DIGEST_CHARS);
    digits
}

#[cfg(test)]
mod tests {
    use super::{read, write};

    #[test]
    fn a_cursor_goes_on_with_its_own_list_only() {
        let cursor = write("revenue", 50);
        assert_eq!(read("revenue", &cursor).unwrap(), 50);
        assert!(read("clicks", &cursor).is_err());
        let cursor = super::wrap("summer", "p.12");
        assert_eq!(super::unwrap("summer", &cursor).unwrap(), "p.12");
        assert!(super::unwrap("winter", &cursor).is_err());
        let long = super::wrap("summer", &"p".repeat(201));
        assert!(super::unwrap("summer", &long).is_err());
        for wrong in ["", "50", "%%%", &cursor[1..]] {
            assert!(read("revenue", wrong).is_err(), "{wrong}");
        }
    }
}
