//! Pictures for the person and links to the originals.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use contracts::{ContentHit, ImageFacts, ImageId};
use futures::future::join_all;
use rmcp::model::{Annotations, ContentBlock, ImageContent, MetaObject, Resource, Role};

use crate::{
    content_client::ContentClient,
    gallery,
    origin::Origin,
    tools::{get_content::answer::Found, stored_text::clean},
};

/// How many pictures a reply carries.
const MAX_THUMBNAILS: usize = 3;
/// Their longer side, in pixels.
const THUMBNAIL_SIDE: u32 = 512;

/// The first results' thumbnails, for the user's eyes; those that come in time.
pub(crate) async fn thumbnails(
    content: &ContentClient,
    images: impl Iterator<Item = (&ImageId, &ImageFacts)>,
    origin: &Origin,
) -> Vec<ContentBlock> {
    let fetches = images.take(MAX_THUMBNAILS).map(|(id, image)| async move {
        let fetch = content.thumbnail(id, thumbnail_width(image), origin);
        match tokio::time::timeout(content.thumbnails_deadline(), fetch).await {
            Ok(Ok(thumbnail)) => Some((id, thumbnail)),
            Ok(Err(error)) => {
                tracing::warn!(image = %id, %error, "thumbnail left out");
                None
            }
            Err(_) => {
                tracing::warn!(image = %id, "thumbnail left out: it took too long");
                None
            }
        }
    });
    join_all(fetches)
        .await
        .into_iter()
        .flatten()
        .map(|(id, thumbnail)| {
            let annotations = Annotations::default()
                .with_audience(vec![Role::User])
                .with_priority(0.5);
            let mut meta = MetaObject::new();
            meta.0
                .insert(gallery::PICTURE_OF.to_owned(), id.as_str().into());
            ContentBlock::Image(
                ImageContent::new(STANDARD.encode(&thumbnail.bytes), thumbnail.media_type)
                    .with_annotations(annotations)
                    .with_meta(meta),
            )
        })
        .collect()
}

/// The width whose rendition has no side longer than [`THUMBNAIL_SIDE`]; never wider than the
/// original.
fn thumbnail_width(image: &ImageFacts) -> u32 {
    let longer = u64::from(image.width.max(image.height).max(1));
    let width = u64::from(image.width);
    let fitted = width * u64::from(THUMBNAIL_SIDE) / longer;
    let narrowest = u64::from(*contracts::limits::RENDITION_WIDTHS.start());
    u32::try_from(fitted.min(width).max(narrowest)).unwrap_or(THUMBNAIL_SIDE)
}

/// A link to a result's original.
pub(crate) fn link((hit, found): (&ContentHit, &Found)) -> ContentBlock {
    ContentBlock::resource_link(
        Resource::new(&found.image_url, &found.id)
            .with_title(&found.title)
            .with_description(clean(&found.alt, 120))
            .with_mime_type(clean(&hit.image.media_type, 40))
            .with_size(hit.image.bytes),
    )
}

#[cfg(test)]
mod tests {
    use contracts::content::{ImageFacts, Orientation};

    use super::thumbnail_width;

    #[test]
    fn no_side_of_a_thumbnail_is_longer_than_512_pixels() {
        for (width, height, expected) in [
            (1600, 1067, 512),
            (1067, 1600, 341),
            (1200, 1200, 512),
            (300, 200, 300),
            (4, 4000, 16),
        ] {
            let image = ImageFacts {
                media_type: "image/webp".to_owned(),
                width,
                height,
                bytes: 1,
                sha256: String::new(),
                orientation: Orientation::of(width, height),
                palette: Vec::new(),
                perceptual_hash: String::new(),
                blurhash: String::new(),
            };
            assert_eq!(thumbnail_width(&image), expected, "{width}x{height}");
        }
    }
}
