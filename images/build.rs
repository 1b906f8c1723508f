//! Rebuilds the crate when a file is added to what it embeds: the embedding macro alone notices
//! only changes to files that it has already seen.

fn main() {
    println!("cargo::rerun-if-changed=catalogue");
    println!("cargo::rerun-if-changed=rendered");
}
