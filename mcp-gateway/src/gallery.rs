//! The gallery: a view of getContent's results for clients that show MCP Apps, the extension
//! `io.modelcontextprotocol/ui`. Others get the text and the thumbnails that everybody gets.
//!
//! The page holds all that it needs and loads nothing: its policy lets its own script and style run, by
//! their hashes, and pictures show that come with the result. What it shows was written by others, so the
//! script writes it as text and never as markup.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rmcp::model::{
    ClientCapabilities, ExtensionCapabilities, JsonObject, MetaObject, ResourceContents, Tool,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Where it is read.
pub(crate) const URI: &str = "ui://promptsales/gallery";
/// Where a picture's `_meta` says whose it is.
pub(crate) const PICTURE_OF: &str = "promptsales/image";

const EXTENSION: &str = "io.modelcontextprotocol/ui";
const MEDIA_TYPE: &str = "text/html;profile=mcp-app";

const STYLE: &str = include_str!("gallery/style.css");
const SCRIPT: &str = include_str!("gallery/view.js");

static PAGE: LazyLock<String> = LazyLock::new(|| {
    let policy = format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; img-src data:; base-uri 'none'; \
         form-action 'none'",
        hash(SCRIPT),
        hash(STYLE)
    );
    include_str!("gallery/page.html")
        .replace("{{policy}}", &policy)
        .replace("{{style}}", STYLE)
        .replace("{{script}}", SCRIPT)
});

/// As a policy names an inline script or style.
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

/// What the server says that it can.
pub(crate) fn extension() -> ExtensionCapabilities {
    [(EXTENSION.to_owned(), JsonObject::new())].into()
}

/// Whether to point the client to the page: if it said that it shows such pages. A client of 2025-11-25
/// says it when it connects, which a server without sessions has forgotten by the next request: so of an
/// `early` one of which nothing is known it is assumed. Those that know no pages leave `_meta` alone.
pub(crate) fn shown_by(client: Option<&ClientCapabilities>, early: bool) -> bool {
    let known = client.filter(|client| **client != ClientCapabilities::default());
    let Some(client) = known else {
        return early;
    };
    let extensions = client.extensions.as_ref();
    let settings = extensions.and_then(|extensions| extensions.get(EXTENSION));
    settings.is_some_and(|settings| match settings.get("mimeTypes") {
        Some(Value::Array(types)) => types.iter().any(|one| one == MEDIA_TYPE),
        _ => false,
    })
}

/// Points from the tool to the page.
pub(crate) fn attach(tool: &mut Tool) {
    let meta = tool.meta.get_or_insert_default();
    meta.0.insert("ui".to_owned(), json!({"resourceUri": URI}));
}

/// The page, as a resource. The empty policy asks the host for no origin at all.
pub(crate) fn contents() -> ResourceContents {
    let mut meta = MetaObject::new();
    let ui = json!({"csp": {}, "prefersBorder": true});
    meta.0.insert("ui".to_owned(), ui);
    ResourceContents::text(PAGE.as_str(), URI)
        .with_mime_type(MEDIA_TYPE)
        .with_meta(meta)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{PAGE, SCRIPT, STYLE, shown_by};

    #[test]
    fn the_page_is_whole_and_loads_nothing() {
        assert!(!PAGE.contains("{{"), "a part of it was not filled in");
        for part in [SCRIPT, STYLE] {
            assert_eq!(PAGE.matches(part).count(), 1);
            // Neither may end its element, or the hashes would be of something else.
            assert!(!part.contains("</") && !part.contains("<!--"));
        }
        for outside in [
            "http:",
            "https:",
            "src=",
            "href=",
            "url(",
            "@import",
            "innerHTML",
            "eval(",
        ] {
            assert!(!PAGE.contains(outside), "{outside}");
        }
    }

    #[test]
    fn only_a_client_that_shows_this_kind_of_page_is_pointed_to_it() {
        for (extensions, expected) in [
            (
                json!({"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html;profile=mcp-app"]}}),
                true,
            ),
            (
                json!({"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html"]}}),
                false,
            ),
            (json!({"io.modelcontextprotocol/ui": {}}), false),
            (json!({}), false),
        ] {
            let client = serde_json::from_value(json!({"extensions": extensions})).unwrap();
            assert_eq!(shown_by(Some(&client), false), expected, "{extensions}");
        }
        assert!(!shown_by(None, false));
        // Nothing is known of an early one over HTTP, unless it was heard to declare other things.
        assert!(shown_by(None, true));
        let other = serde_json::from_value(json!({"roots": {}})).unwrap();
        assert!(!shown_by(Some(&other), true));
    }
}
