//! The section of a Markdown file that a run fills in.

use anyhow::Context;

const BEGIN: &str = "<!-- last result: begin -->";
const END: &str = "<!-- last result: end -->";

/// The document with a new section between its markers, which stay.
pub fn replace_section(document: &str, section: &str) -> anyhow::Result<String> {
    let expected = || format!("expected a line `{BEGIN}` and after it a line `{END}`");
    let (before, rest) = document.split_once(BEGIN).with_context(expected)?;
    let (_, after) = rest.split_once(END).with_context(expected)?;
    Ok(format!(
        "{before}{BEGIN}\n\n{}\n\n{END}{after}",
        section.trim()
    ))
}
