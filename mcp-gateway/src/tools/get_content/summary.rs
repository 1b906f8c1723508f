//! The answer as text, for assistants and clients that read nothing else.

use crate::tools::{
    get_content::answer::{Answer, Found},
    stored_text::{clean, fence},
};

/// Characters of images in full; what follows is named only. All is in structuredContent.
const MAX_FULL_CHARS: usize = 8_000;

pub(crate) fn write(answer: &Answer) -> String {
    if answer.results.is_empty() {
        return format!("{}\n(no_match: {})", answer.message, answer.no_match);
    }
    let mut lines = String::new();
    let mut room = MAX_FULL_CHARS;
    for (place, found) in answer.results.iter().enumerate() {
        let name = name(place + 1, found);
        let entry = format!("{name}{}", rest(found));
        let size = entry.chars().count();
        let fits = size <= room;
        room = if fits { room - size } else { 0 };
        lines.push_str(if fits { &entry } else { &name });
    }
    format!("{}\n{}", answer.message, fence(&lines))
}

fn name(place: usize, found: &Found) -> String {
    let Found {
        id, score, title, ..
    } = found;
    format!("{place}. {title} [{id}, score {score:.2}]\n")
}

fn rest(found: &Found) -> String {
    let Found {
        image_url,
        width,
        height,
        rights_note,
        ..
    } = found;
    // Here it only has to tell images apart.
    let description = clean(&found.description, 160);
    let hashtags = found.hashtags.join(" ");
    format!("   {description}\n   {hashtags}\n   {image_url} ({width}x{height}; {rights_note})\n")
}
