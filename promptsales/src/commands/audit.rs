//! `audit verify`: is every audit event as it was written?

use std::{fs, io::Write, path::Path, process::ExitCode};

use anyhow::Context;
use audit::{Report, chain::Seal};
use secrecy::SecretString;

use crate::{
    cli::{AuditVerify, Global},
    home::Home,
    output,
};

/// Reads files alone: it works beside a running system, and on a copy that was taken elsewhere.
pub fn verify(global: &Global, options: &AuditVerify) -> anyhow::Result<ExitCode> {
    let (directory, key_file) = match &options.directory {
        Some(directory) => (directory.clone(), options.key_file.clone()),
        None => {
            let home = Home::resolve(global.data_dir.clone())?;
            let key = options.key_file.clone().unwrap_or_else(|| home.audit_key());
            (home.audit(), Some(key))
        }
    };
    let key = key_file.as_deref().map(read_key).transpose()?;
    let report = audit::verify(&directory, &Seal::new(key.as_ref()), &options.expected)?;
    let out = &mut output::out();
    if options.json {
        writeln!(out, "{}", serde_json::to_string(&report)?)?;
    } else {
        show(out, &report)?;
    }
    Ok(if report.intact {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn read_key(path: &Path) -> anyhow::Result<SecretString> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    // As secrets are mounted and edited: with a newline at the end.
    Ok(text.trim_end_matches('\n').into())
}

fn show(out: &mut impl Write, report: &Report) -> anyhow::Result<()> {
    for fault in &report.faults {
        if let (Some(file), Some(line)) = (&fault.file, fault.line) {
            write!(out, "{file}:{line}: ")?;
        }
        writeln!(out, "{}", fault.what)?;
    }
    let (lines, files) = (report.lines, report.files);
    let verdict = if report.intact {
        "intact"
    } else {
        "NOT INTACT"
    };
    writeln!(out, "{lines} lines in {files} files: {verdict}")?;
    if let Some(head) = report.head.as_ref().filter(|_| report.intact) {
        writeln!(
            out,
            "Note this elsewhere, and pass it later: --expect {}:{}",
            head.seq, head.hash
        )?;
    }
    Ok(())
}
