//! Sealing and opening one value. The layout is told in [`crate::pii`].

use aws_lc_rs::aead::{AES_256_GCM, Aad, MAX_TAG_LEN, NONCE_LEN, Nonce, RandomizedNonceKey};
use secrecy::{ExposeSecret, SecretString};

use super::{Cell, KeyId, Keyring, PiiError};

const VERSION: u8 = 1;
/// Version and key id.
const HEADER: usize = 5;
/// Where the ciphertext begins.
const BODY: usize = HEADER + NONCE_LEN;

/// A key made ready once: expanding it costs more than sealing with it.
pub(super) fn cipher(key: &[u8; 32]) -> Result<RandomizedNonceKey, PiiError> {
    RandomizedNonceKey::new(&AES_256_GCM, key).map_err(|_| PiiError::Crypto("prepare a key"))
}

/// The key that an envelope names; `None` if it is no envelope of a known version.
pub(super) fn key_id(envelope: &[u8]) -> Option<KeyId> {
    if envelope.len() < BODY + MAX_TAG_LEN || envelope[0] != VERSION {
        return None;
    }
    let id = envelope[1..HEADER].try_into().ok()?;
    Some(KeyId(u32::from_be_bytes(id)))
}

impl Keyring {
    /// The value as an envelope under the newest key, for this cell alone. No two are alike.
    pub fn seal(&self, cell: Cell, value: &str) -> Result<Vec<u8>, PiiError> {
        let (id, cipher) = self.newest_cipher();
        let mut envelope = Vec::with_capacity(BODY + value.len() + MAX_TAG_LEN);
        envelope.push(VERSION);
        envelope.extend(id.0.to_be_bytes());
        let aad = associated_data(&envelope, cell);
        envelope.resize(BODY, 0);
        envelope.extend(value.as_bytes());
        let (nonce, tag) = cipher
            .seal_in_place_separate_tag(aad, &mut envelope[BODY..])
            .map_err(|_| PiiError::Crypto("seal a value"))?;
        envelope[HEADER..BODY].copy_from_slice(nonce.as_ref());
        envelope.extend(tag.as_ref());
        Ok(envelope)
    }

    /// The value of an envelope that was sealed for this cell.
    pub fn open(&self, cell: Cell, envelope: &[u8]) -> Result<SecretString, PiiError> {
        let key = key_id(envelope).ok_or(PiiError::Malformed { cell })?;
        let cipher = self.cipher(key).ok_or(PiiError::UnknownKey { cell, key })?;
        let nonce = Nonce::try_assume_unique_for_key(&envelope[HEADER..BODY])
            .map_err(|_| PiiError::Malformed { cell })?;
        let mut body = envelope[BODY..].to_vec();
        let length = cipher
            .open_in_place(nonce, associated_data(&envelope[..HEADER], cell), &mut body)
            .map_err(|_| PiiError::Refused { cell })?
            .len();
        body.truncate(length);
        let value = String::from_utf8(body).map_err(|_| PiiError::NotText { cell })?;
        Ok(value.into())
    }

    /// The same value under the newest key; `None` if it stands under that already.
    pub(super) fn reseal(&self, cell: Cell, envelope: &[u8]) -> Result<Option<Vec<u8>>, PiiError> {
        if key_id(envelope) == Some(self.newest()) {
            return Ok(None);
        }
        let value = self.open(cell, envelope)?;
        self.seal(cell, value.expose_secret()).map(Some)
    }
}

/// Header, table and column, each ended by a zero byte, and the row: no two cells give the same bytes.
fn associated_data(header: &[u8], cell: Cell) -> Aad<Vec<u8>> {
    let mut data = Vec::with_capacity(64);
    data.extend(header);
    data.extend(cell.table.as_bytes());
    data.push(0);
    data.extend(cell.column.as_bytes());
    data.push(0);
    data.extend(cell.row.to_be_bytes());
    Aad::from(data)
}
