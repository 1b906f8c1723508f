//! `keys rotate`: personal data under a new key.

use std::{io::Write, process::ExitCode};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sales_warehouse::pii::{Custody, KeyId, Rotation, RotationProgress};
use service_kit::with_causes;

use crate::{output, sales::Sales};

pub async fn rotate(sales: &Sales) -> anyhow::Result<ExitCode> {
    let custody = Custody::take(&sales.keys)?;
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(
        ProgressStyle::with_template("  customers {bar:30} {percent} % {pos} of {len}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let shown = |at: RotationProgress| {
        bar.set_length(at.total);
        bar.set_position(at.done);
    };
    let rotated = custody.rotate(&sales.sources.crm, &shown).await;
    bar.finish_and_clear();
    show(&mut output::out(), &rotated?)
}

fn show(out: &mut impl Write, rotation: &Rotation) -> anyhow::Result<ExitCode> {
    let rotated = &rotation.rotated;
    let begun = if rotation.resumed {
        "resumed a rotation that was broken off: "
    } else {
        ""
    };
    writeln!(
        out,
        "{begun}{} values of {} customers sealed anew; all stand under key {}",
        rotated.envelopes, rotated.customers, rotation.newest
    )?;
    if !rotation.dropped.is_empty() {
        writeln!(
            out,
            "dropped: key {}. A backup of the database from before opens with a backup of the keys from then",
            list(&rotation.dropped)
        )?;
    }
    let Some(first) = &rotated.first_unreadable else {
        return Ok(ExitCode::SUCCESS);
    };
    writeln!(
        out,
        "{} values do not open and stay as they are, the first: {}",
        rotated.unreadable,
        with_causes(first)
    )?;
    if !rotation.kept.is_empty() {
        writeln!(out, "kept for them: key {}", list(&rotation.kept))?;
    }
    Ok(ExitCode::FAILURE)
}

fn list(keys: &[KeyId]) -> String {
    let ids: Vec<_> = keys.iter().map(KeyId::to_string).collect();
    ids.join(", ")
}
