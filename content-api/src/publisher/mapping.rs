//! From a content document to what the indexes hold of it.

use contracts::{
    ContentDocument, Language,
    index::{Facets, IndexDocument, SearchText},
};

/// The texts to search and the facets to filter by.
pub fn index_document(document: &ContentDocument) -> IndexDocument {
    let text = document
        .text
        .iter()
        .map(|(language, text)| {
            let searched = SearchText {
                title: text.title.clone(),
                description: text.description.clone(),
                hashtags: text.hashtags.clone(),
                keywords: keywords(document, *language),
            };
            (*language, searched)
        })
        .collect();
    IndexDocument {
        id: document.id.clone(),
        revision: document.revision,
        text,
        facets: Facets {
            status: document.status,
            themes: document.themes.clone(),
            campaign_themes: document.campaign_themes.clone(),
            channels: document.channels.clone(),
            audience: document.audience.clone(),
            orientation: document.image.orientation,
            territories: document.rights.territories.clone(),
            usable_from: document.rights.from.clone(),
            usable_until: document.rights.until.clone(),
        },
    }
}

/// What the document's labels are called: a brief such as "back to school" names the occasion, and
/// no description of a picture does.
fn keywords(document: &ContentDocument, language: Language) -> Vec<String> {
    document
        .campaign_themes
        .iter()
        .chain(&document.themes)
        .filter_map(|label| images::labels::name(label, language))
        .map(str::to_owned)
        .collect()
}
