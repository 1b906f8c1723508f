//! The directory of lines: a file a day, one writer at a time.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use time::{Date, Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    chain::{ORIGIN, Seal, parts},
    event::Event,
};

/// Longest line; [`Event::bounded`] keeps every one well below.
pub(crate) const MAX_LINE: u64 = 256 * 1024;
/// When a file that could not be removed is tried again.
const REMOVE_AGAIN_AFTER: Duration = Duration::hours(1);
const LOCK: &str = "lock";
const HEAD: &str = "head.json";

/// The end of the chain, as it was last written. Lines cut off the end are missed by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptHead {
    pub(crate) seq: u64,
    pub(crate) hash: String,
    /// Of both, sealed.
    pub(crate) seal: String,
}

impl KeptHead {
    fn new(seal: &Seal, seq: u64, hash: &str) -> Self {
        Self {
            seq,
            hash: hash.to_owned(),
            seal: seal.hash(&format!("head {seq} {hash}")),
        }
    }

    pub(crate) fn holds(&self, seal: &Seal) -> bool {
        *self == Self::new(seal, self.seq, &self.hash)
    }

    pub(crate) fn read(directory: &Path) -> io::Result<Option<Self>> {
        match fs::read(directory.join(HEAD)) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// An event and its time.
pub(crate) type Entry = (OffsetDateTime, Event);

/// The directory, as one process writes it.
pub(crate) struct Journal {
    directory: PathBuf,
    lock: File,
    seal: Seal,
    service: &'static str,
    kept: Duration,
    /// Files whose time is over and that cannot be removed, each with when to try again.
    stuck: BTreeMap<PathBuf, OffsetDateTime>,
    remove: fn(&Path) -> io::Result<()>,
    /// Where we left it; another process may have gone on since.
    end: Option<End>,
}

/// The end of a file.
#[derive(Clone, Debug)]
struct End {
    path: PathBuf,
    length: u64,
    seq: u64,
    hash: String,
}

/// What the last lines of a chain are made from.
pub(crate) struct Chain<'a> {
    pub(crate) seal: &'a Seal,
    pub(crate) service: &'static str,
    pub(crate) seq: u64,
    pub(crate) hash: String,
}

impl Chain<'_> {
    /// Adds a line to `text`.
    pub(crate) fn add(&mut self, text: &mut String, at: OffsetDateTime, event: &impl Serialize) {
        let event = serde_json::to_string(event).expect("texts and numbers always serialise");
        let head = serde_json::json!({
            "seq": self.seq + 1,
            "at": at.format(&Rfc3339).unwrap_or_default(),
            "service": self.service,
            "prev": self.hash,
        })
        .to_string();
        let contents = format!("{},{}", &head[..head.len() - 1], &event[1..event.len() - 1]);
        let (line, hash) = self.seal.close(&contents);
        text.push_str(&line);
        text.push('\n');
        self.seq += 1;
        self.hash = hash;
    }
}

impl Journal {
    /// Makes the directory, for its owner alone, where there is none.
    pub(crate) fn open(
        directory: &Path,
        seal: Seal,
        service: &'static str,
        kept_days: u16,
    ) -> io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)?;
        let lock = lock_file(directory)?;
        Ok(Self {
            directory: directory.to_owned(),
            lock,
            seal,
            service,
            kept: Duration::days(kept_days.into()),
            stuck: BTreeMap::new(),
            remove: |path| fs::remove_file(path),
            end: None,
        })
    }

    /// Writes lines, all or none, and removes files whose time is over.
    pub(crate) fn append(&mut self, now: OffsetDateTime, entries: &[Entry]) -> io::Result<()> {
        self.lock.lock()?;
        let done = self.append_locked(now, entries);
        // What was locked is unlocked at the latest when the process ends.
        drop(self.lock.unlock());
        done
    }

    fn append_locked(&mut self, now: OffsetDateTime, entries: &[Entry]) -> io::Result<()> {
        let files = files(&self.directory)?;
        let expired = self.expired(&files, now);
        if entries.is_empty() && expired.is_empty() {
            return Ok(());
        }
        let end = self.find_end(&files)?;
        let mut chain = Chain {
            seal: &self.seal,
            service: self.service,
            seq: end.as_ref().map_or(0, |end| end.seq),
            hash: end.map_or_else(|| ORIGIN.to_owned(), |end| end.hash),
        };
        let mut text = String::new();
        for (at, event) in entries {
            chain.add(&mut text, *at, event);
        }
        for gone in &expired {
            chain.add(&mut text, now, gone);
        }
        let (seq, hash) = (chain.seq, chain.hash);
        // A clock that was set back does not begin a file before the last one.
        let last = files.last().map(|(day, _)| *day);
        let day = last.map_or(now.date(), |last| last.max(now.date()));
        let path = self.directory.join(format!("audit-{day}.jsonl"));
        self.end = None;
        let length = write(&path, &text)?;
        let head = KeptHead::new(&self.seal, seq, &hash);
        self.end = Some(End {
            path,
            length,
            seq,
            hash,
        });
        // The lines are written; a head that lags is one that `verify` does without.
        if let Err(error) = replace(&self.directory.join(HEAD), &head) {
            tracing::warn!(%error, "the head of the audit chain cannot be written");
        }
        // The lines that tell of it are written: only now may they go.
        for gone in &expired {
            let path = self.directory.join(&gone.removed);
            match (self.remove)(&path) {
                Ok(()) => drop(self.stuck.remove(&path)),
                Err(error) => {
                    self.keep_for_now(path, now, &error);
                    // Those behind it stay too: a gap between files looks like tampering.
                    break;
                }
            }
        }
        Ok(())
    }

    /// No reason to lose a line, nor to try with each one that is written.
    fn keep_for_now(&mut self, path: PathBuf, now: OffsetDateTime, error: &io::Error) {
        tracing::warn!(
            path = %path.display(),
            %error,
            "an audit file whose time is over cannot be removed; it is tried again in an hour"
        );
        self.stuck.insert(path, now + REMOVE_AGAIN_AFTER);
    }

    /// Files of days that are over for longer than they are kept; never the last one.
    fn expired(&mut self, files: &[(Date, PathBuf)], now: OffsetDateTime) -> Vec<Removal> {
        let Some((_, all_but_last)) = files.split_last() else {
            return Vec::new();
        };
        let mut expired = Vec::new();
        for (day, path) in all_but_last {
            if now.date() - *day <= self.kept {
                break;
            }
            if self.stuck.get(path).is_some_and(|again| now < *again) {
                break;
            }
            let end = match end_of(path) {
                Ok(end) => end,
                Err(error) => {
                    self.keep_for_now(path.clone(), now, &error);
                    break;
                }
            };
            expired.push(Removal {
                action: "remove audit file",
                removed: path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
                through_seq: end.as_ref().map_or(0, |end| end.seq),
                through_hash: end.map_or_else(String::new, |end| end.hash),
            });
        }
        expired
    }

    fn find_end(&self, files: &[(Date, PathBuf)]) -> io::Result<Option<End>> {
        let last = files.last().map(|(_, path)| path);
        if let (Some(end), Some(last)) = (&self.end, last)
            && end.path == *last
            && fs::metadata(last)?.len() == end.length
        {
            return Ok(Some(end.clone()));
        }
        for (_, path) in files.iter().rev() {
            cut_torn_line(path)?;
            if let Some(end) = end_of(path)? {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }
}

/// The line that tells of a file whose time was over.
#[derive(Serialize)]
struct Removal {
    action: &'static str,
    removed: String,
    through_seq: u64,
    through_hash: String,
}

/// The files with their days, the oldest first.
pub(crate) fn files(directory: &Path) -> io::Result<Vec<(Date, PathBuf)>> {
    let format = time::macros::format_description!("[year]-[month]-[day]");
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let day = name
            .to_str()
            .and_then(|name| name.strip_prefix("audit-")?.strip_suffix(".jsonl"))
            .and_then(|day| Date::parse(day, format).ok());
        files.extend(day.map(|day| (day, entry.path())));
    }
    files.sort();
    Ok(files)
}

/// Held while somebody writes.
pub(crate) fn lock_file(directory: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(directory.join(LOCK))
}

/// Appends, all or nothing; the file's length then.
fn write(path: &Path, text: &str) -> io::Result<u64> {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    let before = file.metadata()?.len();
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_data());
    if let Err(error) = written {
        // If this fails too, the next writer cuts what is no whole line.
        drop(file.set_len(before));
        return Err(error);
    }
    Ok(before + text.len() as u64)
}

/// A process that was killed while it wrote leaves half a line, which never counted.
fn cut_torn_line(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let length = file.metadata()?.len();
    let (begin, tail) = tail(&mut file, length)?;
    if tail.last().is_none_or(|last| *last == b'\n') {
        return Ok(());
    }
    let whole = tail.iter().rposition(|byte| *byte == b'\n');
    let keep = whole.map_or(begin, |at| begin + at as u64 + 1);
    tracing::warn!(
        path = %path.display(),
        bytes = length - keep,
        "half a line at the end of an audit file is cut off"
    );
    file.set_len(keep)
}

fn tail(file: &mut File, length: u64) -> io::Result<(u64, Vec<u8>)> {
    let begin = length.saturating_sub(MAX_LINE);
    file.seek(SeekFrom::Start(begin))?;
    let mut bytes = Vec::new();
    file.take(MAX_LINE).read_to_end(&mut bytes)?;
    Ok((begin, bytes))
}

/// The last line's place in the chain; `None` in an empty file. A line that is none counts as the
/// end of a chain that was cut: the next one will not fit it, and `verify` says so.
fn end_of(path: &Path) -> io::Result<Option<End>> {
    #[derive(Deserialize)]
    struct Numbered {
        seq: u64,
    }
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let (_, bytes) = tail(&mut file, length)?;
    let text = String::from_utf8_lossy(&bytes);
    let Some(line) = text.lines().last() else {
        return Ok(None);
    };
    let numbered: Option<Numbered> = serde_json::from_str(line).ok();
    let (seq, hash) = match (numbered, parts(line)) {
        (Some(numbered), Some((_, hash))) => (numbered.seq, hash.to_owned()),
        _ => {
            tracing::error!(path = %path.display(), "the last line of an audit file is damaged");
            (0, ORIGIN.to_owned())
        }
    };
    Ok(Some(End {
        path: path.to_owned(),
        length,
        seq,
        hash,
    }))
}

fn replace(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let draft = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(&serde_json::to_vec(value)?)?;
    fs::rename(&draft, path)
}

#[cfg(test)]
mod tests;
