//! What processes hold in memory and directories on the disk.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use serde::Serialize;
use walkdir::WalkDir;

const MIB: f64 = 1_048_576.0;

/// Memory of this process, in MiB.
#[derive(Clone, Copy, Serialize)]
pub struct Resident {
    /// With the files that it has mapped.
    pub all_mib: f64,
    /// Without them.
    pub own_mib: f64,
}

/// This process's memory now.
pub fn resident() -> Resident {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let figure = line.and_then(|line| line.split_whitespace().next());
        let kibibytes: f64 = figure.and_then(|text| text.parse().ok()).unwrap_or(0.0);
        kibibytes / 1_024.0
    };
    Resident {
        all_mib: of("VmRSS:"),
        own_mib: of("RssAnon:"),
    }
}

/// The memory of a process and its children, in MiB, what they share counted once; `None` where it
/// cannot be read.
pub fn of_family(parent: u32) -> Option<f64> {
    let mut kibibytes = 0.0;
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The name, in parentheses, may hold anything.
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let its_parent = after_name.split_whitespace().nth(1);
        let its_parent = its_parent.and_then(|text| text.parse().ok());
        if pid == parent || its_parent == Some(parent) {
            let rollup = fs::read_to_string(entry.path().join("smaps_rollup")).ok()?;
            let pss = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
            kibibytes += pss.split_whitespace().next()?.parse::<f64>().ok()?;
        }
    }
    Some(kibibytes / 1_024.0)
}

/// What the files below a directory take, in MiB.
pub fn on_disk(directory: &Path) -> f64 {
    let files = WalkDir::new(directory).into_iter().flatten();
    let facts = files.filter_map(|entry| entry.metadata().ok());
    // Blocks: Edge makes its files longer than what it has written.
    facts
        .map(|facts| (facts.blocks() * 512) as f64)
        .sum::<f64>()
        / MIB
}
