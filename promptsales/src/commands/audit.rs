//! `audit verify`: is every audit event as it was written?

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Write},
    path::Path,
    process::ExitCode,
};

use anyhow::Context;
use audit::{Collected, CollectedChain, Head, Report, chain::Seal};
use secrecy::SecretString;

use crate::{
    cli::{AuditVerify, Global},
    home::Home,
    output,
};

/// Reads files alone: it works beside a running system, and on a copy that was taken elsewhere.
pub fn verify(global: &Global, options: &AuditVerify) -> anyhow::Result<ExitCode> {
    if let Some(path) = &options.collected {
        return verify_collected(path, options);
    }
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
    Ok(code(report.intact))
}

fn verify_collected(path: &Path, options: &AuditVerify) -> anyhow::Result<ExitCode> {
    let key = options.key_file.as_deref().map(read_key).transpose()?;
    let reader: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        Box::new(BufReader::new(file))
    };
    let seal = Seal::new(key.as_ref());
    let found = audit::verify_collected(reader, &seal, &options.expected)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let out = &mut output::out();
    if options.json {
        writeln!(out, "{}", serde_json::to_string(&found)?)?;
    } else {
        show_collected(out, &found)?;
    }
    Ok(code(found.intact))
}

fn code(intact: bool) -> ExitCode {
    if intact {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn verdict(intact: bool) -> &'static str {
    if intact { "intact" } else { "NOT INTACT" }
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
    let verdict = verdict(report.intact);
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

fn show_collected(out: &mut impl Write, found: &Collected) -> io::Result<()> {
    for fault in &found.faults {
        if let Some(line) = fault.line {
            write!(out, "line {line}: ")?;
        }
        writeln!(out, "{}", fault.what)?;
    }
    let (lines, chains) = (found.lines, found.chains.len());
    writeln!(
        out,
        "{lines} lines in {chains} chains: {}",
        verdict(found.intact)
    )?;
    if found.intact {
        writeln!(out, "Note these elsewhere, and pass them later:")?;
        for chain in &found.chains {
            let CollectedChain {
                service,
                from,
                head,
                ..
            } = chain;
            let Head { seq, hash } = head;
            writeln!(out, "--expect {seq}:{hash}  # {service}, from {from}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use super::*;

    #[test]
    fn each_chain_s_end_is_told_or_what_is_wrong() {
        let line = |contents: &str| {
            let hash = Seal::new(None).hash(contents);
            format!(r#"{contents},"hash":"{hash}"}}"#)
        };
        let first = format!(
            r#"{{"seq":1,"at":"2026-11-23T00:00:00Z","service":"content-api","prev":"{}""#,
            audit::chain::ORIGIN
        );
        let shown = |text: &str| {
            let found = audit::verify_collected(text.as_bytes(), &Seal::new(None), &[]).unwrap();
            let mut out = Vec::new();
            show_collected(&mut out, &found).unwrap();
            String::from_utf8(out).unwrap()
        };
        let text = shown(&line(&first));
        assert!(text.starts_with("1 lines in 1 chains: intact\n"), "{text}");
        assert!(text.contains("--expect 1:"), "{text}");
        assert!(
            text.contains("# content-api, from 2026-11-23T00:00:00Z"),
            "{text}"
        );
        let text = shown("nothing\n");
        assert!(text.starts_with("line 1: this is no audit event"), "{text}");
        assert!(
            text.ends_with("0 lines in 0 chains: NOT INTACT\n"),
            "{text}"
        );
    }
}
