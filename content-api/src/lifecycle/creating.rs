//! A new document, once for each idempotency key.

use auth::Caller;
use bytes::Bytes;
use contracts::{
    ContentHash, ImageId,
    content::{Origin, Status},
    lifecycle::{ContentMetadata, StoredContent},
    limits::MAX_ID_BYTES,
};
use http::StatusCode;
use images::CleanImage;
use service_kit::ProblemResponse;

use super::{Lifecycle, metadata};
use crate::{
    requests::{RequestKey, erased, id_taken},
    store::{ContentDraft, ImageFile, Write},
};

impl Lifecycle {
    /// Stores a draft. The same key with the same image and metadata gives the same answer again.
    pub async fn create(
        &self,
        caller: &Caller,
        key: &RequestKey,
        file: Bytes,
        metadata: ContentMetadata,
    ) -> Result<String, ProblemResponse> {
        metadata::check(&metadata)?;
        let sent = (ContentHash::of(&file), &metadata);
        let fingerprint = RequestKey::fingerprint(&sent);
        // Before the key is claimed: a file that is refused takes no key.
        let image = self.intake.clean(file).await?;
        let wanted = metadata.id.clone();
        let id = wanted.unwrap_or_else(|| id_from(title(&metadata), key));
        let stamp = self.stamp(caller);
        let claim = key
            .claim(self.store.as_ref(), fingerprint, id, stamp.now)
            .await?;
        if let Some(answer) = claim.answer {
            return Ok(answer);
        }
        self.keep_file(&image).await?;
        let draft = draft(claim.subject, metadata, &image);
        match self.store.create(&draft, key.as_str(), &stamp).await? {
            // Repeated: the answer was lost before it was kept.
            Write::Done(_) | Write::Repeated { .. } => {}
            Write::Erased => return Err(erased()),
            Write::Conflict { .. } | Write::Absent => return Err(id_taken(&draft.id)),
        }
        // An erasure may have taken the file between its writing and the document's.
        self.keep_file(&image).await?;
        self.publisher.wake();
        let answer = StoredContent {
            document: self.document(&draft.id).await?,
            duplicates: self.duplicates(&draft.id, &draft.image).await?,
        };
        key.keep(self.store.as_ref(), &answer).await
    }

    /// Written before the document that names it.
    pub(super) async fn keep_file(&self, image: &CleanImage) -> Result<(), ProblemResponse> {
        if self.store.has_image(&image.facts.sha256).await? {
            return Ok(());
        }
        let file = ImageFile {
            sha256: image.facts.sha256.clone(),
            media_type: image.facts.media_type.clone(),
            bytes: Bytes::copy_from_slice(&image.bytes),
        };
        Ok(self.store.put_image(&file).await?)
    }
}

fn draft(id: ImageId, metadata: ContentMetadata, image: &CleanImage) -> ContentDraft {
    ContentDraft {
        id,
        status: Status::Draft,
        text: metadata.text,
        themes: metadata.themes,
        campaign_themes: metadata.campaign_themes,
        channels: metadata.channels,
        audience: metadata.audience,
        rights: metadata.rights,
        image: image.facts.clone(),
        origin: Origin::Api,
        former_images: Vec::new(),
    }
}

fn title(metadata: &ContentMetadata) -> &str {
    let text = metadata.text.values().next_back();
    text.map_or("", |text| text.title.as_str())
}

/// A slug of a title and of the request's key: the same for the same request, and not another's.
pub fn id_from(title: &str, key: &RequestKey) -> ImageId {
    use unicode_normalization::UnicodeNormalization;
    let tail = &key.as_str()[..8];
    let plain: String = title
        .nfd()
        .flat_map(char::to_lowercase)
        .filter(|letter| letter.is_ascii_alphanumeric() || !letter.is_alphanumeric())
        .filter(|letter| !('\u{300}'..='\u{36f}').contains(letter))
        .collect();
    let mut slug = String::new();
    for word in plain
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        if slug.len() + word.len() + 2 + tail.len() > MAX_ID_BYTES {
            break;
        }
        slug.push_str(word);
        slug.push('-');
    }
    slug.push_str(tail);
    slug.parse()
        .expect("words of a-z and 0-9, joined by single hyphens, within the bound")
}

/// The problem of a document that the caller has not seen as it is.
pub fn outdated(revision: i64) -> ProblemResponse {
    ProblemResponse::new(
        StatusCode::PRECONDITION_FAILED,
        "revision-changed",
        "Revision changed",
        format!(
            "It has the revision {revision} now, which If-Match does not name: read it again, and \
             decide anew."
        ),
    )
}
