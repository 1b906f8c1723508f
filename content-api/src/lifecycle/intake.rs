//! From a file that nobody vouches for to one of ours.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::StatusCode;
use images::{CleanImage, ImageFault, Limits, clean_image};
use service_kit::ProblemResponse;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::error::ApiError;

/// Files worked on at a time: each takes a core and up to a few hundred megabytes.
const WORKERS: usize = 2;
/// Bodies read at a time, of up to 20 MB each. Others wait.
const READERS: usize = 8;
/// Longest wait for a worker and its work. A file within the limits takes a second or two.
const PATIENCE: Duration = Duration::from_secs(20);

/// Cleans image files, a bounded number at a time.
pub struct Intake {
    workers: Arc<Semaphore>,
    readers: Arc<Semaphore>,
    patience: Duration,
    limits: Limits,
}

impl Default for Intake {
    fn default() -> Self {
        Self {
            workers: Arc::new(Semaphore::new(WORKERS)),
            readers: Arc::new(Semaphore::new(READERS)),
            patience: PATIENCE,
            limits: Limits::default(),
        }
    }
}

impl Intake {
    /// Leave to hold a file in memory, until it is dropped.
    pub async fn admit(&self) -> Option<OwnedSemaphorePermit> {
        // Never closed, so there is always one sooner or later.
        Arc::clone(&self.readers).acquire_owned().await.ok()
    }

    /// The picture of this file in a file of ours.
    pub async fn clean(&self, file: Bytes) -> Result<CleanImage, ProblemResponse> {
        let (workers, limits) = (Arc::clone(&self.workers), self.limits);
        let cleaning = async {
            let worker = workers.acquire_owned().await;
            tokio::task::spawn_blocking(move || {
                // Held until the work is done, even when nobody waits for it any more.
                let _worker = worker;
                clean_image(&file, &limits)
            })
            .await
        };
        match timeout(self.patience, cleaning).await {
            Err(_) => Err(ProblemResponse::unavailable(
                "Reading of images",
                &"no worker became free, or none was done in time",
            )),
            Ok(Err(error)) => Err(ApiError::Interrupted(error).into()),
            Ok(Ok(Err(fault))) => Err(refused(&fault)),
            Ok(Ok(Ok(clean))) => Ok(clean),
        }
    }
}

/// The sender's fault, and which.
pub fn refused(fault: &ImageFault) -> ProblemResponse {
    let (status, slug, title) = match fault {
        ImageFault::FileTooLarge { .. }
        | ImageFault::TooManyPixels { .. }
        | ImageFault::TooMuchMemory { .. } => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "image-too-large",
            "Image too large",
        ),
        ImageFault::UnknownFormat => (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-image",
            "Unsupported image",
        ),
        _ => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid-image",
            "Invalid image",
        ),
    };
    let mut detail = fault.to_string();
    if let Some(first) = detail.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    ProblemResponse::new(status, slug, title, format!("{detail}."))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use std::{sync::Arc, time::Duration};

    use bytes::Bytes;
    use futures::FutureExt as _;

    use super::{Intake, PATIENCE, READERS, WORKERS};

    #[tokio::test]
    async fn so_many_bodies_are_read_at_once_and_the_next_one_waits() {
        let intake = Intake::default();
        let mut reading: Vec<_> = (0..READERS)
            .map(|_| intake.admit().now_or_never().unwrap().unwrap())
            .collect();
        assert_eq!(READERS, 8);
        let mut ninth = Box::pin(intake.admit());
        assert!(ninth.as_mut().now_or_never().is_none());
        reading.pop();
        assert!(ninth.now_or_never().unwrap().is_some());
    }

    #[tokio::test]
    async fn a_file_that_no_worker_takes_in_time_is_refused_as_unavailable() {
        assert_eq!(Intake::default().patience, PATIENCE);
        let intake = Intake {
            patience: Duration::from_millis(30),
            ..Intake::default()
        };
        let workers = WORKERS.try_into().unwrap();
        let busy = Arc::clone(&intake.workers).acquire_many_owned(workers);
        let busy = busy.await.unwrap();
        let status = async || {
            let cleaned = intake.clean(Bytes::from_static(b"GIF89a")).await;
            cleaned.unwrap_err().problem().status
        };
        assert_eq!(status().await, 503);
        drop(busy);
        // Now it is looked at: patience is for the work too, which a file of six bytes does not take.
        assert_eq!(status().await, 415);
    }
}
