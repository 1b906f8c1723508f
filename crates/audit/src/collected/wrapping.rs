//! What collectors make of a line: something around it, or several parts of it.
//!
//! containerd and CRI-O write `TIME STREAM TAG TEXT`, where the tag `P` says that the line goes on in the next entry and
//! `F` that it ends here (Kubernetes, `pkg/kubelet/kuberuntime/logs`, "CRI container log format"). Docker's `json-file` has
//! an object an entry, whose `log` ends in a newline where the line does. Both cut at 16 KiB, and look for no character's
//! end: what CRI's runtimes cut is joined byte by byte. Docker has lost a character that it cut by then, and such a line
//! counts as changed.

use serde_json::Value;

use crate::file::MAX_LINE;

/// Under these names collectors keep the text of a line.
const TEXTS: [&str; 3] = ["log", "message", "line"];
/// How each line of ours begins: with the member that was put in first, or is first by name, as `serde_json` was built.
const BEGINNINGS: [&[u8]; 2] = [b"{\"seq\":", b"{\"at\":"];

/// What an entry turns out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// A line as it was written, which begins at this entry.
    Line(u64, Vec<u8>),
    /// A part, and more is to come; or nothing.
    Part,
}

/// A line whose parts are being joined.
#[derive(Debug)]
struct Begun {
    /// Its first entry.
    number: u64,
    text: Vec<u8>,
}

/// Joins the parts of lines. They have to stand one behind the other; whole lines may stand between them.
#[derive(Debug, Default)]
pub(super) struct Joining(Option<Begun>);

impl Joining {
    /// What the `number`th entry is; before it, the first entry of a line whose end did not come.
    pub(super) fn next(&mut self, number: u64, entry: &[u8]) -> (Option<u64>, Entry) {
        let Some((text, ends)) = unwrapped(entry) else {
            return (None, Entry::Line(number, entry.to_vec()));
        };
        if is_whole(&text) {
            return (None, Entry::Line(number, text));
        }
        if text.is_empty() && self.0.is_none() {
            // What is left behind a line that was as long as a part, or a blank one.
            return (None, Entry::Part);
        }
        let lost = match &self.0 {
            Some(begun) if begins(&text) || begun.is_full(&text) => self.lost(),
            _ => None,
        };
        let begun = self.0.get_or_insert_with(|| Begun {
            number,
            text: Vec::new(),
        });
        begun.text.extend_from_slice(&text);
        let ends = ends.unwrap_or_else(|| is_whole(&begun.text));
        let entry = match self.0.take_if(|_| ends) {
            Some(whole) => Entry::Line(whole.number, whole.text),
            None => Entry::Part,
        };
        (lost, entry)
    }

    /// The first entry of a line whose end did not come.
    pub(super) fn lost(&mut self) -> Option<u64> {
        self.0.take().map(|begun| begun.number)
    }
}

impl Begun {
    /// No line of ours is that long.
    fn is_full(&self, more: &[u8]) -> bool {
        (self.text.len() + more.len()) as u64 > MAX_LINE
    }
}

fn begins(text: &[u8]) -> bool {
    BEGINNINGS.iter().any(|first| text.starts_with(first))
}

fn is_whole(text: &[u8]) -> bool {
    text.starts_with(b"{") && serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
}

/// The text within an entry, and whether a line ends with it, where the entry says so; `None` where nothing is around it.
fn unwrapped(entry: &[u8]) -> Option<(Vec<u8>, Option<bool>)> {
    if !entry.starts_with(b"{") {
        let mut fields = entry.splitn(4, |byte| *byte == b' ');
        let (_time, stream) = (fields.next()?, fields.next()?);
        let (tags, text) = (fields.next()?, fields.next()?);
        let ends = match tags.split(|byte| *byte == b':').next()? {
            b"F" => true,
            b"P" => false,
            _ => return None,
        };
        return (stream == b"stdout").then(|| (text.to_vec(), Some(ends)));
    }
    let members = serde_json::from_slice::<serde_json::Map<String, Value>>(entry).ok()?;
    if members.contains_key("prev") {
        return None;
    }
    let mut texts = TEXTS.iter().filter_map(|name| members.get(*name)?.as_str());
    let text = texts.next()?;
    Some(match text.strip_suffix('\n') {
        Some(line) => (line.as_bytes().to_vec(), Some(true)),
        // Some collectors take the newline away.
        None => (text.as_bytes().to_vec(), None),
    })
}
