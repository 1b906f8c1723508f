//! What tests share: a first start, its home to copy, and one running system.

use std::{sync::OnceLock, time::Instant};

use rustix::process::Signal;

use super::{TestHome, Up};

/// The first start of a home, from nothing to the end.
#[derive(Debug)]
pub struct FirstStart {
    home: TestHome,
    /// What it printed.
    pub stdout: String,
    /// The steps that it showed.
    pub stderr: String,
    /// How it ended on SIGINT.
    pub code: Option<i32>,
    /// Seconds until it served.
    pub seconds: f32,
}

impl FirstStart {
    /// Made once per test process; `None` (and a printed notice) where it is impossible.
    pub fn get() -> Option<&'static Self> {
        static FIRST: OnceLock<FirstStart> = OnceLock::new();
        // Provisions PostgreSQL along with it, into the cache that the binary uses too.
        test_support::onnxruntime()?;
        Some(FIRST.get_or_init(|| {
            let started = Instant::now();
            let up = Up::start_with(TestHome::new(), &["up"]);
            let seconds = started.elapsed().as_secs_f32();
            let (stdout, stderr) = (up.stdout(), up.stderr());
            let (status, home) = up.stop(Signal::INT);
            Self {
                home,
                stdout,
                stderr,
                code: status.code(),
                seconds,
            }
        }))
    }

    /// What the stopped system left.
    pub fn home(&self) -> &TestHome {
        &self.home
    }
}

/// A home of one's own that has been started before.
pub fn indexed_home() -> Option<TestHome> {
    Some(FirstStart::get()?.home.copy())
}

/// A system for tests that write content: each finds its own by its own words and ids.
pub fn writable_up() -> Option<&'static Up> {
    static WRITABLE: OnceLock<Up> = OnceLock::new();
    let first = FirstStart::get()?;
    Some(WRITABLE.get_or_init(|| Up::start(first.home.copy())))
}

/// A system for tests that change nothing. It is stopped when the test process is gone.
pub fn shared_up() -> Option<&'static Up> {
    static SHARED: OnceLock<Up> = OnceLock::new();
    let home = match SHARED.get() {
        Some(up) => return Some(up),
        None => FirstStart::get()?,
    };
    Some(SHARED.get_or_init(|| Up::start_with(home.home.copy(), &["up"])))
}
