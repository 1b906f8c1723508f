//! Reading chains again that went to standard output.
//!
//! There each process has a chain of its own, and a collector mixes them, repeats lines and changes their order. So
//! nothing is read from where a line stands: it belongs behind the line whose hash it names. No `head.json` tells
//! where a chain ended; lines that are cut off there are missed by a place alone that was kept elsewhere.

mod wrapping;

use std::{
    collections::HashMap,
    io::{self, BufRead, Read as _},
};

use serde::{Deserialize, Serialize};

use crate::{
    chain::{ORIGIN, Seal, parts},
    file::MAX_LINE,
    verify::{Fault, Head, MAX_FAULTS},
};
use wrapping::{Entry, Joining};

/// Longest line of a collector, which wraps ours and escapes it.
const MAX_WRAPPED: u64 = 4 * MAX_LINE;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Collected {
    /// Whether everything that is there is as it was written.
    pub intact: bool,
    /// Lines that were read, without those that came more than once.
    pub lines: u64,
    /// Each process's chain, those of one service together.
    pub chains: Vec<CollectedChain>,
    /// What is wrong; at most 100. Lines are counted from 1.
    pub faults: Vec<Fault>,
}

/// One process's lines.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct CollectedChain {
    /// Who recorded.
    pub service: String,
    /// When the first line was written.
    pub from: String,
    /// The first line's number; 1 unless those before it are not here.
    pub first_seq: u64,
    /// How many.
    pub lines: u64,
    /// The last line. Keep it elsewhere: later, it shows whether anything up to here was changed or is missing.
    pub head: Head,
}

#[derive(Deserialize)]
struct Line {
    seq: u64,
    at: String,
    service: String,
    prev: String,
}

/// A line, and where it stood.
struct Node {
    line: Line,
    hash: String,
    number: u64,
    visited: bool,
}

/// Reads lines that a collector has kept, as they were written or each within what the collector makes of a line, be
/// it in parts, and says what does not fit. `expected` are places that were kept elsewhere: each has to be there, or to
/// be the one before the first line of a chain whose beginning is not here any more.
///
/// # Errors
/// When the lines cannot be read.
pub fn verify_collected(
    reader: impl BufRead,
    seal: &Seal,
    expected: &[Head],
) -> io::Result<Collected> {
    let mut check = Check {
        expected,
        nodes: Vec::new(),
        by_hash: HashMap::new(),
        faults: Vec::new(),
        chains: Vec::new(),
    };
    check.read(reader, seal)?;
    check.link();
    Ok(check.report())
}

struct Check<'a> {
    expected: &'a [Head],
    nodes: Vec<Node>,
    by_hash: HashMap<String, usize>,
    faults: Vec<Fault>,
    chains: Vec<CollectedChain>,
}

impl Check<'_> {
    fn fault(&mut self, line: Option<u64>, what: impl Into<String>) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(Fault {
                file: None,
                line,
                what: what.into(),
            });
        }
    }

    fn read(&mut self, mut reader: impl BufRead, seal: &Seal) -> io::Result<()> {
        let mut joining = Joining::default();
        for number in 1.. {
            let mut bytes = Vec::new();
            let mut bounded = reader.by_ref().take(MAX_WRAPPED);
            if bounded.read_until(b'\n', &mut bytes)? == 0 {
                break;
            }
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            let entry = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
            let (lost, entry) = joining.next(number, entry);
            self.without_end(lost);
            if let Entry::Line(number, line) = entry {
                self.line(number, &String::from_utf8_lossy(&line), seal);
            }
        }
        self.without_end(joining.lost());
        Ok(())
    }

    fn without_end(&mut self, lost: Option<u64>) {
        if lost.is_some() {
            self.fault(lost, "this line was cut into parts, and its end is missing");
        }
    }

    fn line(&mut self, number: u64, text: &str, seal: &Seal) {
        let line: Option<Line> = serde_json::from_str(text).ok();
        let (Some(line), Some((_, hash))) = (line, parts(text)) else {
            self.fault(Some(number), "this is no audit event, or not a whole one");
            return;
        };
        if seal.check(text).is_none() {
            self.fault(
                Some(number),
                "this line was changed, or was sealed with another key",
            );
        }
        // What comes next is held against what a changed line claims to be.
        let next = self.nodes.len();
        if *self.by_hash.entry(hash.to_owned()).or_insert(next) == next {
            self.nodes.push(Node {
                line,
                hash: hash.to_owned(),
                number,
                visited: false,
            });
        }
    }

    /// Follows each chain from its first line.
    fn link(&mut self) {
        let mut behind: HashMap<String, Vec<usize>> = HashMap::new();
        let mut first = Vec::new();
        for (place, node) in self.nodes.iter().enumerate() {
            if self.by_hash.contains_key(&node.line.prev) {
                let lines = behind.entry(node.line.prev.clone()).or_default();
                lines.push(place);
            } else {
                first.push(place);
            }
        }
        for place in first {
            self.begins(place);
            self.follow(place, &behind);
        }
    }

    fn begins(&mut self, place: usize) {
        let Node { line, number, .. } = &self.nodes[place];
        let (number, before) = (*number, line.seq.saturating_sub(1));
        let kept = |head: &Head| head.seq == before && head.hash == line.prev;
        let begins = line.seq == 1 && line.prev == ORIGIN;
        if !begins && !self.expected.iter().any(kept) {
            let what = format!("lines up to {before} of this chain are missing");
            self.fault(Some(number), what);
        }
    }

    fn follow(&mut self, first: usize, behind: &HashMap<String, Vec<usize>>) {
        let (mut place, mut lines) = (first, 0);
        let head = loop {
            let node = &mut self.nodes[place];
            node.visited = true;
            lines += 1;
            let (seq, hash) = (node.line.seq, node.hash.clone());
            let next = behind.get(&hash).map_or(&[][..], Vec::as_slice);
            for other in next.iter().skip(1) {
                let number = self.nodes[*other].number;
                self.fault(
                    Some(number),
                    format!("another line stands behind line {seq} too"),
                );
            }
            let Some(next) = next.first().filter(|next| !self.nodes[**next].visited) else {
                break Head { seq, hash };
            };
            let Node { line, number, .. } = &self.nodes[*next];
            if seq.checked_add(1) != Some(line.seq) {
                let (number, what) = (
                    *number,
                    format!("line {} stands behind line {seq}", line.seq),
                );
                self.fault(Some(number), what);
            }
            place = *next;
        };
        let begin = &self.nodes[first].line;
        self.chains.push(CollectedChain {
            service: begin.service.clone(),
            from: begin.at.clone(),
            first_seq: begin.seq,
            lines,
            head,
        });
    }

    fn report(mut self) -> Collected {
        for head in self.expected {
            let is_there = self.by_hash.get(&head.hash);
            let is_there = is_there.is_some_and(|place| self.nodes[*place].line.seq == head.seq);
            let is_before = |node: &Node| {
                node.line.prev == head.hash && head.seq.checked_add(1) == Some(node.line.seq)
            };
            if !is_there && !self.nodes.iter().any(is_before) {
                let what = format!(
                    "there is no line {} with the expected hash; a place of lines that were dropped after their time \
                     is to be given no more",
                    head.seq
                );
                self.fault(None, what);
            }
        }
        self.chains.sort();
        Collected {
            intact: self.faults.is_empty(),
            lines: self.nodes.len() as u64,
            chains: self.chains,
            faults: self.faults,
        }
    }
}
