//! Tells `src/lib.rs` which build this is.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=PROMPTSALES_REVISION");
    let version = env::var("CARGO_PKG_VERSION").expect("Cargo sets it");
    let revision = env::var("PROMPTSALES_REVISION").unwrap_or_default();
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    assert!(
        revision.len() <= 64 && revision.chars().all(is_plain),
        "PROMPTSALES_REVISION is '{revision}': expected a commit, at most 64 letters and digits"
    );
    let revision = if revision.is_empty() {
        "unknown"
    } else {
        &revision
    };
    println!("cargo::rustc-env=PROMPTSALES_BUILD={version} (commit {revision})");
}
