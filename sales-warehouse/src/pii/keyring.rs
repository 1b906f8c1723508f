//! The keys, and the file that keeps them: JSON of mode 0600, replaced as a whole.

use std::{
    collections::BTreeMap,
    fmt, fs,
    io::{ErrorKind, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use aws_lc_rs::{aead::RandomizedNonceKey, hmac, rand};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization as _;

use super::{KeyId, PiiError, envelope};

/// Longest step from one key's id to the next: 256 rotations at least fit into 32 bits.
const LONGEST_STEP: u32 = 1 << 24;

/// 256 bits.
type Secret = SecretBox<[u8; 32]>;

/// The keys of envelopes, the newest of which seals, and the key of the join hash.
///
/// `Debug` shows ids and no keys.
pub struct Keyring {
    sealing: BTreeMap<KeyId, SealingKey>,
    join: Secret,
    join_hmac: hmac::Key,
}

struct SealingKey {
    secret: Secret,
    cipher: RandomizedNonceKey,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    join_key: SecretString,
    keys: BTreeMap<u32, SecretString>,
}

impl Keyring {
    /// A join key and one sealing key, random.
    pub fn generate() -> Result<Self, PiiError> {
        Self::of([(id_after(KeyId(0))?, random()?)].into(), random()?)
    }

    /// The keyring that a file keeps; `None` when there is no file.
    pub fn load(path: &Path) -> Result<Option<Self>, PiiError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => SecretString::from(text),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(failed("read", path)(source)),
        };
        let metadata = fs::metadata(path).map_err(failed("inspect", path))?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            let path = path.to_owned();
            return Err(PiiError::TooOpen { path, mode });
        }
        let damaged = |reason| PiiError::Damaged {
            path: path.to_owned(),
            reason,
        };
        // The parser's own message may quote the file, so it goes no further.
        let file: File = serde_json::from_str(text.expose_secret())
            .map_err(|_| damaged("expected {\"join_key\": …, \"keys\": {id: …}}"))?;
        let decode = |text: &SecretString| {
            decoded(text).ok_or_else(|| damaged("a key is not 32 bytes of base64"))
        };
        let keys = file
            .keys
            .iter()
            .map(|(id, text)| Ok((KeyId(*id), decode(text)?)))
            .collect::<Result<BTreeMap<_, _>, PiiError>>()?;
        if keys.is_empty() {
            return Err(damaged("it holds no key"));
        }
        Self::of(keys, decode(&file.join_key)?).map(Some)
    }

    /// The keyring that a file keeps, made first if there is none. Two processes end up with the same.
    /// Where envelopes may stand already, ask [`super::Custody::keyring`]: a new keyring opens none.
    pub fn load_or_create(path: &Path) -> Result<Self, PiiError> {
        if let Some(keyring) = Self::load(path)? {
            return Ok(keyring);
        }
        let draft = Self::generate()?.write_draft(path)?;
        // A hard link, unlike a rename, never replaces what is there.
        let linked = fs::hard_link(&draft, path);
        fs::remove_file(&draft).map_err(failed("remove the draft of", path))?;
        match linked {
            Err(source) if source.kind() != ErrorKind::AlreadyExists => {
                return Err(failed("write", path)(source));
            }
            _ => {}
        }
        sync_directory(path)?;
        Self::load(path)?.ok_or_else(|| failed("read", path)(ErrorKind::NotFound.into()))
    }

    /// Writes it in place of the file that is there: a reader sees the old one or the new one.
    pub fn save(&self, path: &Path) -> Result<(), PiiError> {
        let draft = self.write_draft(path)?;
        fs::rename(draft, path).map_err(failed("write", path))?;
        sync_directory(path)
    }

    /// Adds a random key, which seals from now on. [`Keyring::save`] it before sealing anything.
    pub fn add_key(&mut self) -> Result<KeyId, PiiError> {
        let id = id_after(self.newest())?;
        self.sealing.insert(id, SealingKey::of(random()?)?);
        Ok(id)
    }

    /// Forgets a key: its envelopes open no more. Ask [`super::keys_in_use`] first.
    pub fn remove_key(&mut self, id: KeyId) -> Result<(), PiiError> {
        if id == self.newest() || self.sealing.remove(&id).is_none() {
            return Err(PiiError::NotRemovable(id));
        }
        Ok(())
    }

    /// The ids of all keys, oldest first.
    pub fn key_ids(&self) -> impl Iterator<Item = KeyId> {
        self.sealing.keys().copied()
    }

    /// The key that seals.
    pub fn newest(&self) -> KeyId {
        self.newest_cipher().0
    }

    /// HMAC-SHA-256 of an email under the join key: equal for emails that differ only in letter case,
    /// white space around them and Unicode form.
    pub fn join_hash(&self, email: &str) -> [u8; 32] {
        let normal: String = email.trim().nfkc().flat_map(char::to_lowercase).collect();
        let tag = hmac::sign(&self.join_hmac, normal.as_bytes());
        tag.as_ref().try_into().expect("SHA-256 gives 32 bytes")
    }

    pub(super) fn newest_cipher(&self) -> (KeyId, &RandomizedNonceKey) {
        let (id, key) = self
            .sealing
            .last_key_value()
            .expect("a keyring is made with a key, and keeps its newest");
        (*id, &key.cipher)
    }

    pub(super) fn cipher(&self, id: KeyId) -> Option<&RandomizedNonceKey> {
        self.sealing.get(&id).map(|key| &key.cipher)
    }

    fn of(keys: BTreeMap<KeyId, Secret>, join: Secret) -> Result<Self, PiiError> {
        let sealing = keys
            .into_iter()
            .map(|(id, secret)| Ok((id, SealingKey::of(secret)?)))
            .collect::<Result<_, PiiError>>()?;
        let join_hmac = hmac::Key::new(hmac::HMAC_SHA256, join.expose_secret());
        Ok(Self {
            sealing,
            join,
            join_hmac,
        })
    }

    fn write_draft(&self, path: &Path) -> Result<PathBuf, PiiError> {
        let mut unique = [0; 8];
        rand::fill(&mut unique).map_err(|_| PiiError::Crypto("name a temporary file"))?;
        let draft = path.with_extension(format!("{}.draft", hex::encode(unique)));
        let text = self.to_json();
        let written = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)
            .and_then(|mut file| {
                file.write_all(text.expose_secret().as_bytes())?;
                file.sync_all()
            });
        if let Err(source) = written {
            // Best effort: what is left of a failed draft is a secret that nobody uses.
            drop(fs::remove_file(&draft));
            return Err(failed("write", path)(source));
        }
        Ok(draft)
    }

    fn to_json(&self) -> SecretString {
        let encoded = |secret: &Secret| STANDARD.encode(secret.expose_secret());
        let keys: Vec<String> = self
            .sealing
            .iter()
            .map(|(id, key)| format!("    \"{id}\": \"{}\"", encoded(&key.secret)))
            .collect();
        let join = encoded(&self.join);
        let keys = keys.join(",\n");
        format!("{{\n  \"join_key\": \"{join}\",\n  \"keys\": {{\n{keys}\n  }}\n}}\n").into()
    }
}

impl SealingKey {
    fn of(secret: Secret) -> Result<Self, PiiError> {
        let cipher = envelope::cipher(secret.expose_secret())?;
        Ok(Self { secret, cipher })
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("keys", &self.key_ids().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// A greater id, by a random step: a keyring that was restored from a backup, or made anew, does not give
/// an id that stands in an envelope already to another key.
fn id_after(newest: KeyId) -> Result<KeyId, PiiError> {
    let mut step = [0; 4];
    rand::fill(&mut step).map_err(|_| PiiError::Crypto("choose a key's id"))?;
    let step = 1 + u32::from_be_bytes(step) % LONGEST_STEP;
    let id = newest.0.checked_add(step).ok_or(PiiError::NoMoreIds)?;
    Ok(KeyId(id))
}

/// Makes the file's name last: without it, a power cut after a rename may bring the old file back.
fn sync_directory(path: &Path) -> Result<(), PiiError> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(failed("write the directory of", path))
}

fn random() -> Result<Secret, PiiError> {
    let mut key = Secret::new(Box::new([0; 32]));
    rand::fill(secrecy::ExposeSecretMut::expose_secret_mut(&mut key))
        .map_err(|_| PiiError::Crypto("make a key"))?;
    Ok(key)
}

fn decoded(text: &SecretString) -> Option<Secret> {
    let bytes = SecretBox::new(Box::new(STANDARD.decode(text.expose_secret()).ok()?));
    let key = bytes.expose_secret().as_slice().try_into().ok()?;
    Some(Secret::new(Box::new(key)))
}

fn failed(action: &'static str, path: &Path) -> impl Fn(std::io::Error) -> PiiError {
    move |source| PiiError::File {
        action,
        path: path.to_owned(),
        source,
    }
}
