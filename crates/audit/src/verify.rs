//! Reading the chain again.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _, Take},
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

use crate::{
    chain::{ORIGIN, Seal},
    file::{KeptHead, MAX_LINE, files, lock_file},
};

/// Most faults that are told; one cut makes many.
pub(crate) const MAX_FAULTS: usize = 100;

/// A place in the chain, kept elsewhere: nothing before it can be changed unseen, key or no key.
/// Written `SEQ:HASH`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Head {
    /// The line's number.
    pub seq: u64,
    /// Its hash.
    pub hash: String,
}

impl FromStr for Head {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once(':').and_then(|(seq, hash)| {
            let seq = seq.parse().ok()?;
            let valid = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
            valid.then(|| Self {
                seq,
                hash: hash.to_ascii_lowercase(),
            })
        });
        parsed.ok_or_else(|| format!("'{text}' is no place in a chain: expected SEQ:HASH"))
    }
}

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The file's name; none where the fault lies in no file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line in it, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// What is wrong, as a sentence without its point.
    pub what: String,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether everything is as it was written.
    pub intact: bool,
    /// Files that were read.
    pub files: u64,
    /// Lines in them.
    pub lines: u64,
    /// The first line's number; 1 unless files were removed after their time.
    pub first_seq: Option<u64>,
    /// The last line. Keep it elsewhere: later, it shows whether anything up to here was changed.
    pub head: Option<Head>,
    /// What is wrong; at most 100.
    pub faults: Vec<Fault>,
}

/// Why nothing could be found out.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the audit events in {}", path.display())]
pub struct VerifyError {
    /// The directory, or a file in it.
    pub path: PathBuf,
    /// What happened.
    #[source]
    pub source: io::Error,
}

/// As much of a line as the chain needs.
#[derive(Deserialize)]
struct Link {
    seq: u64,
    prev: String,
    through_seq: Option<u64>,
    through_hash: Option<String>,
}

/// Reads every line in `directory` and says what does not fit. `expected` are places that were kept
/// elsewhere. A process that writes waits no longer than [`Snapshot::take`] takes.
pub fn verify(directory: &Path, seal: &Seal, expected: &[Head]) -> Result<Report, VerifyError> {
    Snapshot::take(directory)?.verify(seal, expected)
}

/// A directory as it was at one moment: its files, open, and how long they were. Lines that are written later are
/// not read, and files that are removed later are.
#[derive(Debug)]
pub struct Snapshot {
    directory: PathBuf,
    /// Names, the oldest first.
    files: Vec<(String, Take<File>)>,
    head: Option<KeptHead>,
}

impl Snapshot {
    /// Takes one, between two writes of whoever writes.
    pub fn take(directory: &Path) -> Result<Self, VerifyError> {
        Self::of(directory).map_err(|source| VerifyError {
            path: directory.to_owned(),
            source,
        })
    }

    fn of(directory: &Path) -> io::Result<Self> {
        let lock = match files(directory)?.is_empty() {
            // Nothing to wait for, and nothing to make in a directory that may be anything.
            true => None,
            false => Some(lock_file(directory)?),
        };
        if let Some(lock) = &lock {
            lock.lock_shared()?;
        }
        let mut opened = Vec::new();
        for (_, path) in files(directory)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let file = File::open(&path)?;
            let length = file.metadata()?.len();
            opened.push((name.into_owned(), file.take(length)));
        }
        // What was locked is unlocked when its file is closed, here.
        Ok(Self {
            directory: directory.to_owned(),
            files: opened,
            head: KeptHead::read(directory)?,
        })
    }

    /// Reads every line and says what does not fit.
    pub fn verify(self, seal: &Seal, expected: &[Head]) -> Result<Report, VerifyError> {
        let mut check = Check {
            seal,
            expected,
            seen: vec![false; expected.len()],
            last: None,
            first: None,
            removed: Vec::new(),
            lines: 0,
            faults: Vec::new(),
            head: self.head.filter(|head| head.holds(seal)),
        };
        if check.head.is_none() && !self.files.is_empty() {
            check.fault(
                None,
                "head.json is missing, damaged or sealed with another key",
            );
        }
        let files = self.files.len() as u64;
        for (name, file) in self.files {
            check.file(&name, file).map_err(|source| VerifyError {
                path: self.directory.join(&name),
                source,
            })?;
        }
        Ok(check.report(files))
    }
}

struct Check<'a> {
    seal: &'a Seal,
    expected: &'a [Head],
    seen: Vec<bool>,
    last: Option<Head>,
    /// Number and `prev` of the first line.
    first: Option<(u64, String)>,
    /// Ends of files that lines tell to have been removed.
    removed: Vec<(u64, String)>,
    lines: u64,
    faults: Vec<Fault>,
    head: Option<KeptHead>,
}

impl Check<'_> {
    fn fault(&mut self, place: Option<(&str, u64)>, what: impl Into<String>) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(Fault {
                file: place.map(|(file, _)| file.to_owned()),
                line: place.map(|(_, line)| line),
                what: what.into(),
            });
        }
    }

    fn file(&mut self, name: &str, file: impl io::Read) -> io::Result<()> {
        let mut reader = BufReader::new(file);
        for number in 1.. {
            let mut bytes = Vec::new();
            let read = reader
                .by_ref()
                .take(MAX_LINE)
                .read_until(b'\n', &mut bytes)?;
            if read == 0 {
                break;
            }
            self.lines += 1;
            let place = (name, number);
            match String::from_utf8(bytes) {
                Ok(line) if line.ends_with('\n') => self.line(place, line.trim_end_matches('\n')),
                _ => self.fault(Some(place), "this is not a whole line"),
            }
        }
        Ok(())
    }

    fn line(&mut self, place: (&str, u64), line: &str) {
        let link: Option<Link> = serde_json::from_str(line).ok();
        let (Some(link), Some(hash)) = (link, self.seal.check(line)) else {
            self.fault(
                Some(place),
                "this line was changed, or was sealed with another key",
            );
            // What comes next is held against what this line claims to be.
            if let (Some((_, hash)), Ok(link)) = (
                crate::chain::parts(line),
                serde_json::from_str::<Link>(line),
            ) {
                self.last = Some(Head {
                    seq: link.seq,
                    hash: hash.to_owned(),
                });
            }
            return;
        };
        match &self.last {
            None if self.first.is_none() => self.first = Some((link.seq, link.prev.clone())),
            None => {}
            Some(last) if link.seq != last.seq + 1 => {
                let what = if link.seq > last.seq + 1 {
                    format!(
                        "lines {} to {} are missing before this",
                        last.seq + 1,
                        link.seq - 1
                    )
                } else {
                    format!("line {} stands behind line {}", link.seq, last.seq)
                };
                self.fault(Some(place), what);
            }
            Some(last) if link.prev != last.hash => {
                self.fault(
                    Some(place),
                    "this line does not belong behind the one before",
                );
            }
            Some(_) => {}
        }
        for (place, head) in self.expected.iter().enumerate() {
            self.seen[place] |= head.seq == link.seq && head.hash == hash;
        }
        if let Some(head) = &self.head
            && head.seq == link.seq
            && head.hash != hash
        {
            self.fault(Some(place), "head.json knows another line of this number");
        }
        self.removed.extend(link.through_seq.zip(link.through_hash));
        self.last = Some(Head {
            seq: link.seq,
            hash: hash.to_owned(),
        });
    }

    fn report(mut self, files: u64) -> Report {
        if let Some((seq, prev)) = self.first.clone()
            && !(seq == 1 && prev == ORIGIN)
            && !self.removed.contains(&(seq.saturating_sub(1), prev))
        {
            let what = format!("lines up to {} are missing, and no line tells why", seq - 1);
            self.fault(None, what);
        }
        let last = self.last.as_ref().map_or(0, |last| last.seq);
        if let Some(head) = self.head.clone().filter(|head| head.seq > last) {
            let what = format!("lines {} to {} are missing at the end", last + 1, head.seq);
            self.fault(None, what);
        }
        for (place, head) in self.expected.iter().enumerate() {
            // What was removed after its time is not missed.
            let over = self
                .first
                .as_ref()
                .is_some_and(|(first, _)| head.seq < *first);
            if !self.seen[place] && !over {
                let what = format!("there is no line {} with the expected hash", head.seq);
                self.fault(None, what);
            }
        }
        Report {
            intact: self.faults.is_empty(),
            files,
            lines: self.lines,
            first_seq: self.first.map(|(seq, _)| seq),
            head: self.last,
            faults: self.faults,
        }
    }
}
