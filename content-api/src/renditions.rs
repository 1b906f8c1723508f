//! Renditions of images: made once, kept, and never more at a time than there are workers.

use std::sync::Arc;

use bytes::Bytes;
use contracts::ImageFacts;
use images::{Format, Limits, render_rendition};
use moka::future::Cache;
use tokio::sync::Semaphore;

use crate::{error::ApiError, store::ContentStore};

/// Makes and keeps renditions.
pub struct Renditions {
    store: Arc<dyn ContentStore>,
    kept: Cache<Wanted, Bytes>,
    workers: Arc<Semaphore>,
}

/// Names a rendition by what determines its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Wanted {
    sha256: String,
    /// `None` for the full width.
    width: Option<u32>,
    format: Format,
}

impl Renditions {
    /// Keeps up to `max_bytes` of renditions and makes up to `workers` at a time.
    pub fn new(store: Arc<dyn ContentStore>, max_bytes: u64, workers: usize) -> Self {
        let kept = Cache::builder()
            .weigher(|wanted: &Wanted, bytes: &Bytes| {
                u32::try_from(bytes.len() + wanted.sha256.len()).unwrap_or(u32::MAX)
            })
            .max_capacity(max_bytes)
            .build();
        Self {
            store,
            kept,
            workers: Arc::new(Semaphore::new(workers)),
        }
    }

    /// The image at that width, or at its own where that is smaller, in that format.
    pub async fn get(
        &self,
        image: &ImageFacts,
        width: Option<u32>,
        format: Format,
    ) -> Result<Bytes, Arc<ApiError>> {
        let wanted = Wanted {
            sha256: image.sha256.clone(),
            width: width.filter(|width| *width < image.width),
            format,
        };
        let is_original =
            wanted.width.is_none() && Format::from_media_type(&image.media_type) == Some(format);
        let make = self.make(wanted.clone(), is_original);
        self.kept.try_get_with(wanted, make).await
    }

    /// Forgets all of them, and says how many there were. One that is being made may come after.
    pub async fn forget_all(&self) -> u64 {
        self.kept.run_pending_tasks().await;
        let held = self.kept.entry_count();
        self.kept.invalidate_all();
        self.kept.run_pending_tasks().await;
        held
    }

    async fn make(&self, wanted: Wanted, is_original: bool) -> Result<Bytes, ApiError> {
        let file = self.store.image(&wanted.sha256).await?;
        let original = file
            .ok_or_else(|| ApiError::LostImage(wanted.sha256.clone()))?
            .bytes;
        if is_original {
            return Ok(original);
        }
        let worker = Arc::clone(&self.workers).acquire_owned().await;
        let rendered = tokio::task::spawn_blocking(move || {
            // Held until the work is done, even when nobody waits for it any more.
            let _worker = worker;
            render_rendition(&original, wanted.width, wanted.format, &Limits::default())
        })
        .await??;
        Ok(rendered.bytes.into())
    }
}
