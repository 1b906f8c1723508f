//! What a person sees: steps on standard error, answers on standard output.

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
    time::Instant,
};

use anstream::{AutoStream, stdout};
use anyhow::Error;
use comfy_table::{Table, presets::UTF8_HORIZONTAL_ONLY};
use contracts::{GetContentAnswer, Problem};

/// Says what is being done, on standard error; silent when nobody watches.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    shown: bool,
}

/// A step under way.
#[derive(Debug)]
pub struct Step {
    shown: bool,
    name: &'static str,
    started: Instant,
}

impl Progress {
    /// Shows every step: for `up`.
    pub fn shown() -> Self {
        Self { shown: true }
    }

    /// Shows steps to a person at a terminal only: for commands whose answer is the point.
    pub fn at_terminal() -> Self {
        Self {
            shown: io::stderr().is_terminal(),
        }
    }

    /// Shows nothing.
    pub fn silent() -> Self {
        Self { shown: false }
    }

    /// What provisioning reports to.
    pub fn provisioning(&self) -> Box<dyn local_runtime::progress::Progress> {
        if self.shown {
            local_runtime::progress::on_stderr()
        } else {
            Box::new(local_runtime::progress::Silent)
        }
    }

    /// Begins a step.
    pub fn step(&self, name: &'static str) -> Step {
        if self.shown && io::stderr().is_terminal() {
            let _unseen = write!(io::stderr(), "  … {name}");
        }
        Step {
            shown: self.shown,
            name,
            started: Instant::now(),
        }
    }

    /// Says something in passing.
    pub fn note(&self, text: &str) {
        if self.shown {
            let _unseen = writeln!(io::stderr(), "  {text}");
        }
    }
}

impl Step {
    /// Ends the step; `detail` may be empty.
    pub fn done(self, detail: &str) {
        if !self.shown {
            return;
        }
        let seconds = self.started.elapsed().as_secs_f32();
        let start = if io::stderr().is_terminal() { "\r" } else { "" };
        let detail = if detail.is_empty() {
            String::new()
        } else {
            format!(": {detail}")
        };
        let _unseen = writeln!(
            io::stderr(),
            "{start}  ✓ {}{detail} ({seconds:.1} s)",
            self.name
        );
    }
}

/// Standard output, without colours where they are not wanted.
pub fn out() -> AutoStream<io::Stdout> {
    stdout()
}

/// A table for a person.
pub fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY).set_header(header);
    table
}

/// Writes a document as indented JSON.
pub fn json(out: &mut impl Write, document: &impl serde::Serialize) -> anyhow::Result<()> {
    // As an I/O error: serde_json's own hides a closed pipe from the chain of causes.
    serde_json::to_writer_pretty(&mut *out, document).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

/// An answer of getContent, for a person.
pub fn answer(out: &mut impl Write, answer: &GetContentAnswer) -> io::Result<()> {
    if answer.no_match {
        return writeln!(out, "  {}", answer.message);
    }
    for (rank, hit) in (1..).zip(&answer.results) {
        writeln!(
            out,
            "  {rank}. \x1b[1m{}\x1b[0m  {:.2}  \x1b[2m{}\x1b[0m",
            hit.title, hit.score, hit.id
        )?;
        writeln!(out, "     {}", hit.description)?;
        writeln!(out, "     \x1b[36m{}\x1b[0m", hit.hashtags.join(" "))?;
        let words = match hit.reason.matched_terms.as_slice() {
            [] => "no shared words".to_owned(),
            words => format!("shared words: {}", words.join(", ")),
        };
        writeln!(
            out,
            "     \x1b[2mmeaning {:.2}, {words}\x1b[0m",
            hit.reason.dense
        )?;
    }
    writeln!(
        out,
        "  \x1b[2m{} · {} · {:.0} ms{}\x1b[0m",
        answer.engine,
        answer.model,
        answer.took_ms,
        if answer.cached {
            ", from the cache"
        } else {
            ""
        }
    )
}

/// A refusal of the API's as an error of ours.
pub fn refused(problem: &Problem) -> Error {
    anyhow::anyhow!("{}: {}", problem.title, problem.detail)
}

/// Says why the command failed.
pub fn failed(error: &Error) -> ExitCode {
    let _unseen = writeln!(anstream::stderr(), "\x1b[31merror:\x1b[0m {error:#}");
    ExitCode::FAILURE
}
