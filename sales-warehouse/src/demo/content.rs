//! PromptContent without its service: what the catalogue says of the images that the demonstration's campaigns use.

use async_trait::async_trait;
use serde_json::{Value, json};
use time::{OffsetDateTime, macros::datetime};

use super::reference::CONTENT;
use crate::source::{self, Held, Snapshot, Source, SourceError, System, Watermark};

/// The catalogue's images came in then.
const CREATED: OffsetDateTime = datetime!(2024-01-01 00:00 UTC);
const STAMP: &str = "2024-01-01T00:00:00Z";

/// A change feed that tells of the catalogue's images, each as it was first stored.
#[derive(Clone, Copy, Debug, Default)]
pub struct SampleContent;

#[async_trait]
impl Source for SampleContent {
    fn system(&self) -> System {
        System::PromptContent
    }

    async fn open(&self, _from: Watermark) -> Result<Box<dyn Snapshot>, SourceError> {
        let mut held = Held::default();
        for (place, content) in CONTENT.iter().enumerate() {
            let text = |place: usize| {
                let (title, hashtags) = &content.texts[place];
                json!({"title": title, "hashtags": hashtags})
            };
            let change: Value = json!({
                "position": place + 1,
                "at": STAMP,
                "kind": "content",
                "document": {
                    "id": content.id,
                    "revision": 1,
                    "status": "approved",
                    "text": {"en": text(0), "es": text(1)},
                    "created_at": STAMP,
                },
            });
            held.take(&change)?;
        }
        held.check()?;
        Ok(source::held_snapshot(held, CREATED))
    }
}
