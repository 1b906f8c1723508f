//! The answer as text, for assistants and clients that read nothing else.

use crate::tools::{
    get_content::answer::{Answer, Found},
    stored_text::{clean, fence},
};

pub(crate) fn write(answer: &Answer) -> String {
    if answer.results.is_empty() {
        return format!("{}\n(no_match: {})", answer.message, answer.no_match);
    }
    let mut lines = String::new();
    for (place, found) in answer.results.iter().enumerate() {
        entry(&mut lines, place + 1, found);
    }
    format!("{}\n{}", answer.message, fence(&lines))
}

fn entry(lines: &mut String, place: usize, found: &Found) {
    let Found {
        id,
        score,
        title,
        image_url,
        width,
        height,
        rights_note,
        ..
    } = found;
    // The whole description is in structuredContent; here it only has to tell images apart.
    let description = clean(&found.description, 160);
    let hashtags = found.hashtags.join(" ");
    lines.push_str(&format!(
        "{place}. {title} [{id}, score {score:.2}]\n   {description}\n   {hashtags}\n   \
         {image_url} ({width}x{height}; {rights_note})\n"
    ));
}
