//! What the figures depend on.

use std::{fs, thread};

use serde::Serialize;

use crate::say;

/// The machine, without its name.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// The processor's model.
    pub cpu: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// Memory, in GiB.
    pub memory_gib: f64,
    /// Operating system and architecture.
    pub system: String,
    /// Processes that wanted a core in the minute before the run; above 0 others were at work.
    pub load_average_before: Option<f64>,
}

impl Machine {
    /// This one, now. What the system does not tell is left empty.
    pub fn look() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let cpu = value_after(&read("/proc/cpuinfo"), "model name");
        let memory = value_after(&read("/proc/meminfo"), "MemTotal");
        let kibibytes = memory.trim_end_matches(" kB").parse().unwrap_or(0.0);
        Self {
            cpu: if cpu.is_empty() {
                "unknown".to_owned()
            } else {
                cpu
            },
            cores: thread::available_parallelism().map_or(1, Into::into),
            memory_gib: (kibibytes / 1024.0 / 1024.0_f64 * 10.0).round() / 10.0,
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            load_average_before: read("/proc/loadavg")
                .split(' ')
                .next()
                .and_then(|figure| figure.parse().ok()),
        }
    }

    /// Says so when the machine is not idle: the ratios hold better than the figures then.
    pub fn warn_if_busy(&self) {
        if let Some(load) = self.load_average_before.filter(|load| *load > 0.5) {
            say(&format!(
                "note: the load average is {load}; for figures worth keeping, let the machine idle first"
            ));
        }
    }
}

/// The value of the first line `key : value`.
fn value_after(text: &str, key: &str) -> String {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.trim() == key)
        .map(|(_, value)| value.trim().to_owned())
        .unwrap_or_default()
}
