//! The figures, as tables, JSON and the README's last section.

use std::{fs, path::Path, thread};

use anyhow::Context;
use comfy_table::{Table, presets::ASCII_MARKDOWN};
use serde::{Deserialize, Serialize};

use crate::{cli::Part, copy::Bytes, etl::Run, scene::Scene};

/// dlt's way that the target is held against: as its guide has it.
pub const DOCUMENTED: &str = "documented";
const MIB: f64 = 1024.0 * 1024.0;

/// What dlt says of one merge.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Merged {
    pub rows: u64,
    pub seconds: f64,
}

impl Merged {
    pub fn rows_per_second(self) -> f64 {
        self.rows as f64 / self.seconds
    }
}

/// Everything that was measured in one part, round by round.
#[derive(Debug, Serialize)]
pub struct Report {
    part: &'static str,
    date: String,
    cpu: String,
    cores: usize,
    postgres: String,
    rows: u64,
    bytes: u64,
    loads: Vec<Load>,
    ticks: Vec<Tick>,
    verified: bool,
    dlt: Vec<Dlt>,
    ours_merged: Vec<Run>,
}

#[derive(Debug, Serialize)]
struct Load {
    copy_seconds: f64,
    etl_seconds: f64,
    keyed_seconds: f64,
    peak_bytes: u64,
}

#[derive(Debug, Serialize)]
struct Tick {
    changed: u64,
    delta: Run,
    empty: Run,
}

#[derive(Debug, Serialize)]
struct Dlt {
    version: String,
    way: String,
    first_load_rows_per_second: f64,
    merges_rows_per_second: Vec<f64>,
}

impl Report {
    pub fn new(scene: &Scene, part: Part) -> Self {
        let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpu.lines().find(|line| line.starts_with("model name"));
        Self {
            part: part.name(),
            date: scene.now(),
            cpu: model
                .and_then(|line| line.split_once(": "))
                .map_or("unknown", |(_, name)| name)
                .to_owned(),
            cores: thread::available_parallelism().map_or(1, Into::into),
            postgres: scene.postgres.version().to_owned(),
            rows: scene.rows,
            bytes: 0,
            loads: Vec::new(),
            ticks: Vec::new(),
            verified: false,
            dlt: Vec::new(),
            ours_merged: Vec::new(),
        }
    }

    pub fn bytes(&mut self, bytes: &Bytes) {
        self.bytes = bytes.bytes;
    }

    pub fn load(&mut self, copy_seconds: f64, etl: &Run, keyed_seconds: f64) {
        self.loads.push(Load {
            copy_seconds,
            etl_seconds: etl.seconds,
            keyed_seconds,
            peak_bytes: etl.peak_bytes,
        });
    }

    pub fn tick(&mut self, changed: u64, delta: &Run, empty: &Run) {
        self.ticks.push(Tick {
            changed,
            delta: *delta,
            empty: *empty,
        });
    }

    pub fn verified(&mut self, equal: bool) {
        self.verified = equal;
    }

    pub fn peer(&mut self, version: &str, way: &str, loaded: Merged) {
        self.dlt.push(Dlt {
            version: version.to_owned(),
            way: way.to_owned(),
            first_load_rows_per_second: loaded.rows_per_second(),
            merges_rows_per_second: Vec::new(),
        });
    }

    pub fn merged(&mut self, way: &str, merged: Merged) {
        if let Some(dlt) = self.dlt.iter_mut().find(|dlt| dlt.way == way) {
            dlt.merges_rows_per_second.push(merged.rows_per_second());
        }
    }

    pub fn ours_merged(&mut self, run: &Run) {
        self.ours_merged.push(*run);
    }

    /// Target, bound, figure over the rounds, and whether its median holds.
    fn targets(&self) -> Vec<Target> {
        let loads = |of: fn(&Load) -> f64| self.loads.iter().map(of).collect::<Vec<_>>();
        let load = median(&loads(|load| load.etl_seconds));
        let ticks = |of: &dyn Fn(&Tick) -> f64| self.ticks.iter().map(of).collect::<Vec<_>>();
        let peaks = self.loads.iter().map(|load| load.peak_bytes);
        let peaks = peaks.chain(self.ticks.iter().map(|tick| tick.delta.peak_bytes));
        let mut targets = vec![
            Target::at_least(
                "initial load, rate / that of a bare COPY",
                0.4,
                loads(|load| load.copy_seconds / load.etl_seconds),
            ),
            Target::at_most(
                "delta of 1 %, share of the initial load's time",
                0.05,
                ticks(&|tick| tick.delta.seconds / load),
            ),
            Target::at_most("delta of 1 %, s", 60.0, ticks(&|tick| tick.delta.seconds)),
            Target::at_most("empty tick, s", 1.0, ticks(&|tick| tick.empty.seconds)),
            Target::at_most(
                "peak memory of the service, MiB",
                256.0,
                peaks.map(|bytes| bytes as f64 / MIB).collect(),
            ),
        ];
        for dlt in self.dlt.iter().filter(|dlt| dlt.way == DOCUMENTED) {
            targets.push(Target::at_least(
                &format!("merge, rows/s, ours / dlt {} as documented", dlt.version),
                5.0,
                self.merge_ratios(dlt),
            ));
        }
        targets
    }

    /// Ours / dlt's, in each round.
    fn merge_ratios(&self, dlt: &Dlt) -> Vec<f64> {
        let rounds = self.ours_merged.iter().zip(&dlt.merges_rows_per_second);
        rounds.map(|(ours, theirs)| rate(ours) / theirs).collect()
    }

    /// For a person.
    pub fn text(&self) -> String {
        let mut targets = table(["target", "bound", "median (least to greatest)", "result"]);
        for target in self.targets() {
            if !target.values.is_empty() {
                targets.add_row(target.row());
            }
        }
        let mut figures = table(["what", "median (least to greatest)"]);
        let mut figure = |what: &str, values: Vec<f64>| {
            if !values.is_empty() {
                figures.add_row([what.to_owned(), spread(&values)]);
            }
        };
        let loads = &self.loads;
        figure(
            "bare COPY, s",
            loads.iter().map(|load| load.copy_seconds).collect(),
        );
        figure(
            "initial load, s",
            loads.iter().map(|load| load.etl_seconds).collect(),
        );
        figure(
            "keyed copy, s",
            loads.iter().map(|load| load.keyed_seconds).collect(),
        );
        figure(
            "keyed copy, rate / that of a bare COPY",
            loads
                .iter()
                .map(|load| load.copy_seconds / load.keyed_seconds)
                .collect(),
        );
        let ticks = &self.ticks;
        figure(
            "rows changed for a delta",
            ticks.iter().map(|tick| tick.changed as f64).collect(),
        );
        figure(
            "delta, s",
            ticks.iter().map(|tick| tick.delta.seconds).collect(),
        );
        figure(
            "empty tick, s",
            ticks.iter().map(|tick| tick.empty.seconds).collect(),
        );
        figure(
            "merge, ours, rows/s",
            self.ours_merged.iter().map(rate).collect(),
        );
        for dlt in &self.dlt {
            figure(
                &format!("merge, dlt {}, rows/s", dlt.way),
                dlt.merges_rows_per_second.clone(),
            );
            figure(
                &format!("merge, rows/s, ours / dlt {}", dlt.way),
                self.merge_ratios(dlt),
            );
            figure(
                &format!("first load, dlt {}, rows/s", dlt.way),
                vec![dlt.first_load_rows_per_second],
            );
        }
        format!(
            "{}: {}, {} cores, PostgreSQL {}; {} rows{}; {} rounds. Afterwards the warehouse {} a \
             load from scratch.\n\n{targets}\n\n{figures}",
            self.date,
            self.cpu,
            self.cores,
            self.postgres,
            self.rows,
            match self.bytes {
                0 => String::new(),
                bytes => format!(", {:.0} MiB", bytes as f64 / MIB),
            },
            self.loads.len().max(self.ours_merged.len()),
            if self.verified {
                "equalled"
            } else {
                "DID NOT EQUAL"
            },
        )
    }

    pub fn write_json(&self, path: &Path) -> anyhow::Result<()> {
        let mut json = serde_json::to_string_pretty(self)?;
        json.push('\n');
        fs::write(path, json).with_context(|| format!("cannot write {}", path.display()))
    }

    pub fn write_readme(&self, path: &Path) -> anyhow::Result<()> {
        let readme = fs::read_to_string(path)?;
        let mark = |edge| format!("<!-- last result, {}: {edge} -->", self.part);
        let (first, last) = (mark("begin"), mark("end"));
        let marks = readme.find(&first).zip(readme.find(&last));
        let (begin, end) = marks.context("the README has no place for the last result")?;
        let (before, after) = (&readme[..begin + first.len()], &readme[end..]);
        let text = format!("{before}\n\n{}\n\n{after}", self.text());
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}

struct Target {
    name: String,
    bound: f64,
    at_least: bool,
    values: Vec<f64>,
}

impl Target {
    fn at_least(name: &str, bound: f64, values: Vec<f64>) -> Self {
        Self {
            name: name.to_owned(),
            bound,
            at_least: true,
            values,
        }
    }

    fn at_most(name: &str, bound: f64, values: Vec<f64>) -> Self {
        Self {
            at_least: false,
            ..Self::at_least(name, bound, values)
        }
    }

    fn row(&self) -> [String; 4] {
        let middle = median(&self.values);
        let (sign, met) = if self.at_least {
            (">=", middle >= self.bound)
        } else {
            ("<=", middle <= self.bound)
        };
        [
            self.name.clone(),
            format!("{sign} {}", self.bound),
            spread(&self.values),
            if met { "met" } else { "MISSED" }.to_owned(),
        ]
    }
}

fn rate(run: &Run) -> f64 {
    run.rows_read as f64 / run.seconds
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => sorted[count / 2],
        count => f64::midpoint(sorted[count / 2 - 1], sorted[count / 2]),
    }
}

fn spread(values: &[f64]) -> String {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shown = |value: f64| {
        if value >= 1_000.0 {
            format!("{value:.0}")
        } else {
            format!("{value:.3}")
        }
    };
    match values {
        [] => "not measured".to_owned(),
        [only] => shown(*only),
        _ => format!(
            "{} ({} to {})",
            shown(median(values)),
            shown(least),
            shown(greatest)
        ),
    }
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header(header);
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_holds_or_not_by_its_median() {
        let met = Target::at_least("rate", 0.4, vec![0.1, 0.41, 0.5]);
        assert_eq!(met.row()[2..], ["0.410 (0.100 to 0.500)", "met"]);
        let missed = Target::at_most("seconds", 1.0, vec![0.5, 1.7]);
        assert_eq!(missed.row()[2..], ["1.100 (0.500 to 1.700)", "MISSED"]);
        let nothing = Target::at_most("seconds", 1.0, Vec::new());
        assert_eq!(nothing.row()[2..], ["not measured", "MISSED"]);
    }
}
