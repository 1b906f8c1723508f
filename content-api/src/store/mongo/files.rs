//! Image files in GridFS, because a document may have 16 MB at most.
//!
//! A file is named by its hash, and has an id of its own: two writers of the same file, or one that
//! follows a killed one, do not write the same chunks. GridFS writes the chunks first and the file's
//! entry last, so that a file which is found is whole. The same file may so be there twice, which
//! harms nothing.

use futures::{AsyncReadExt, AsyncWriteExt};
use mongodb::{
    Database,
    bson::{Bson, doc},
    error::{Error, Result},
    gridfs::{FilesCollectionDocument, GridFsBucket},
    options::GridFsBucketOptions,
};

use super::{MongoStore, custom};
use crate::store::ImageFile;

/// Few chunks for most files, and far below a document's bound.
const CHUNK_BYTES: u32 = 1024 * 1024;

/// The collections `image_files.files` and `image_files.chunks`.
pub(super) fn bucket(database: &Database) -> GridFsBucket {
    let options = GridFsBucketOptions::builder()
        .bucket_name("image_files".to_owned())
        .chunk_size_bytes(CHUNK_BYTES)
        .build();
    database.gridfs_bucket(options)
}

impl MongoStore {
    pub(super) async fn find_file(&self, sha256: &str) -> Result<Option<FilesCollectionDocument>> {
        self.files.find_one(doc! {"filename": sha256}).await
    }

    pub(super) async fn try_put_image(&self, image: &ImageFile) -> Result<()> {
        if self.find_file(&image.sha256).await?.is_some() {
            return Ok(());
        }
        let mut stream = self
            .files
            .open_upload_stream(&image.sha256)
            .metadata(doc! {"media_type": &image.media_type})
            .await?;
        let written = async {
            stream.write_all(&image.bytes).await?;
            stream.close().await
        };
        if let Err(error) = written.await {
            // Its chunks would never be found. Where this fails too, they only take up room.
            stream.abort().await.ok();
            return Err(Error::from(error));
        }
        Ok(())
    }

    pub(super) async fn try_image(&self, sha256: &str) -> Result<Option<ImageFile>> {
        let Some(file) = self.find_file(sha256).await? else {
            return Ok(None);
        };
        let mut stream = self.files.open_download_stream(file.id).await?;
        let mut bytes = Vec::with_capacity(usize::try_from(file.length).unwrap_or_default());
        stream.read_to_end(&mut bytes).await?;
        let media_type = file
            .metadata
            .as_ref()
            .and_then(|metadata| metadata.get("media_type"))
            .and_then(Bson::as_str)
            .ok_or_else(|| custom(format!("the image file {sha256} has no media type")))?;
        Ok(Some(ImageFile {
            sha256: sha256.to_owned(),
            media_type: media_type.to_owned(),
            bytes: bytes.into(),
        }))
    }

    /// Says whether it was there.
    pub(super) async fn remove_file(&self, sha256: &str) -> Result<bool> {
        let mut found = false;
        while let Some(file) = self.find_file(sha256).await? {
            self.files.delete(file.id).await?;
            found = true;
        }
        Ok(found)
    }
}
