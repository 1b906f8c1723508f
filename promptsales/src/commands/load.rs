//! `load`: demonstration data for the operational databases, of any size.

use std::{collections::BTreeMap, io::Write, process::ExitCode, sync::Mutex, time::Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use sales_warehouse::{
    demo::{self, Existing, LoadPlan, LoadProgress},
    etl::RunReport,
};
use service_kit::Clock;

use crate::{cli::LoadArguments, commands::etl, output, sales::Sales};

pub async fn run(sales: &Sales, options: &LoadArguments) -> anyhow::Result<ExitCode> {
    let plan = LoadPlan {
        campaigns_finished: options.campaigns,
        campaigns_active: options.active,
        customers: options.customers,
        seed: options.seed,
        today: Clock::system().now().date(),
    };
    let existing = if options.replace {
        Existing::Replace
    } else {
        Existing::Refuse
    };
    let began = Instant::now();
    let bars = Bars::default();
    let (custody, keyring) = sales.keyring().await?;
    let loaded = demo::load(&sales.sources, &keyring, &plan, existing, &|at| {
        bars.show(at);
    })
    .await;
    drop(custody);
    bars.end();
    let loaded = loaded?;
    let seconds = began.elapsed().as_secs_f64();
    let run: RunReport = sales.run_etl(etl::waiting).await?;

    let mut out = output::out();
    let mut table = output::table(["table", "rows"]);
    for (name, rows) in &loaded.tables {
        table.add_row([(*name).to_owned(), rows.to_string()]);
    }
    writeln!(
        out,
        "{table}\n{} rows loaded in {seconds:.1} s\n",
        loaded.rows()
    )?;
    etl::show(&mut out, &run)
}

/// One bar a database, at a terminal only.
struct Bars {
    all: MultiProgress,
    bars: Mutex<BTreeMap<&'static str, ProgressBar>>,
}

impl Default for Bars {
    fn default() -> Self {
        Self {
            all: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()),
            bars: Mutex::default(),
        }
    }
}

impl Bars {
    fn show(&self, at: LoadProgress) {
        let Ok(mut bars) = self.bars.lock() else {
            return;
        };
        let bar = bars.entry(at.database).or_insert_with(|| {
            let style = ProgressStyle::with_template("  {prefix} {bar:30} {percent} % {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::new(at.total.into()).with_style(style);
            bar.set_prefix(at.database);
            self.all.add(bar)
        });
        bar.set_message(format!("{} rows", at.rows));
        bar.set_position(at.done.into());
    }

    fn end(&self) {
        if let Ok(bars) = self.bars.lock() {
            bars.values().for_each(ProgressBar::finish_and_clear);
        }
    }
}
