//! Addresses of resources, `promptsales://...`, and of the one page, `ui://...`.

use contracts::{ImageId, Scope};

use crate::gallery;

/// RFC 6570 templates.
pub(crate) mod template {
    pub(crate) const IMAGE: &str = "promptsales://images/{id}";
    pub(crate) const RENDITION: &str = "promptsales://images/{id}/renditions/{width}";
    pub(crate) const METRIC: &str = "promptsales://metrics/{name}";
}

const SCHEME: &str = "promptsales://";
/// Pixels that a rendition may be wide; wider ones are for people, by the address in results.
const WIDTHS: std::ops::RangeInclusive<u32> = 16..=1024;
/// Longest name of a metric, in bytes.
const MAX_NAME_BYTES: usize = 80;

/// What a resource is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// The page that shows getContent's results.
    Gallery,
    /// How old the sales data is.
    Freshness,
    /// What a metric means.
    Metric(String),
    /// An image's texts and facts.
    Image(ImageId),
    /// The picture itself.
    Rendition {
        /// Of which image.
        id: ImageId,
        /// In pixels.
        width: u32,
    },
}

impl Address {
    /// Reads one; `None` where it is none of ours.
    pub(crate) fn parse(uri: &str) -> Option<Self> {
        if uri == gallery::URI {
            return Some(Self::Gallery);
        }
        let mut parts = uri.strip_prefix(SCHEME)?.split('/');
        let found = match (parts.next()?, parts.next(), parts.next(), parts.next()) {
            ("freshness", None, ..) => Self::Freshness,
            ("metrics", Some(name), None, _) if is_name(name) => Self::Metric(name.to_owned()),
            ("images", Some(id), None, _) => Self::Image(id.parse().ok()?),
            ("images", Some(id), Some("renditions"), Some(width)) => {
                let width = width.parse().ok().filter(|width| WIDTHS.contains(width))?;
                Self::Rendition {
                    id: id.parse().ok()?,
                    width,
                }
            }
            _ => return None,
        };
        // One form of each, so that a cache knows it again.
        (parts.next().is_none() && found.uri() == uri).then_some(found)
    }

    /// As it is written.
    pub(crate) fn uri(&self) -> String {
        match self {
            Self::Gallery => gallery::URI.to_owned(),
            Self::Freshness => format!("{SCHEME}freshness"),
            Self::Metric(name) => format!("{SCHEME}metrics/{name}"),
            Self::Image(id) => format!("{SCHEME}images/{id}"),
            Self::Rendition { id, width } => format!("{SCHEME}images/{id}/renditions/{width}"),
        }
    }

    /// What a token must allow to read it.
    pub(crate) fn scopes(&self) -> &'static [Scope] {
        match self {
            Self::Freshness | Self::Metric(_) => &[Scope::SalesRead],
            Self::Gallery | Self::Image(_) | Self::Rendition { .. } => &[Scope::ContentRead],
        }
    }
}

fn is_name(name: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn an_address_has_one_form_and_bounds() {
        for uri in [
            "ui://promptsales/gallery",
            "promptsales://freshness",
            "promptsales://metrics/roas",
            "promptsales://images/two-beaches",
            "promptsales://images/two-beaches/renditions/16",
            "promptsales://images/two-beaches/renditions/1024",
        ] {
            assert_eq!(Address::parse(uri).unwrap().uri(), uri);
        }
        for uri in [
            "",
            "file:///etc/passwd",
            "promptsales://",
            "ui://promptsales/gallery/",
            "ui://promptsales/other",
            "promptsales://freshness/",
            "promptsales://metrics/",
            "promptsales://metrics/../images",
            "promptsales://images/Two Beaches",
            "promptsales://images/a/renditions/15",
            "promptsales://images/a/renditions/1025",
            "promptsales://images/a/renditions/+64",
            "promptsales://images/a/renditions/064",
            "promptsales://images/a/renditions/64/x",
            "PROMPTSALES://freshness",
        ] {
            assert_eq!(Address::parse(uri), None, "{uri}");
        }
    }
}
