//! Thumbnails of pictures. A picture is foreign bytes: it is decoded within bounds, one at a time.

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;
use image::{DynamicImage, ImageError, ImageFormat, ImageReader, Limits};
use tokio::sync::Semaphore;

use super::storage::{FileStore, ObjectName, StorageError};
use crate::domain::Digest;

/// The longest side of a thumbnail, in pixels.
const SIDE: u32 = 480;

/// The longest side of a picture that gets a thumbnail, in pixels.
const PICTURE_SIDE_MAX: u32 = 20_000;

/// How many bytes a picture may have in its file, and once it is decoded. A drawing of 6,000 by
/// 4,000 pixels has 96 MB.
const PICTURE_BYTES_MAX: u64 = 24 * 1024 * 1024;
const DECODED_BYTES_MAX: u64 = 100 * 1024 * 1024;

/// How many thumbnails are made at once.
const MAKERS_MAX: usize = 1;

/// How long a request waits for its turn.
const TURN_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes thumbnails, and keeps them in the store.
#[derive(Clone, Debug)]
pub struct Thumbnails {
    store: FileStore,
    makers: Arc<Semaphore>,
}

/// Why a picture gets no thumbnail.
#[derive(Debug, thiserror::Error)]
pub enum ThumbnailError {
    /// It has too many bytes or pixels.
    #[error("the picture is too large for a thumbnail")]
    TooLarge,
    /// Its bytes are not a picture, or not all of one.
    #[error("the picture is damaged, so it has no thumbnail")]
    Damaged,
    /// Too many thumbnails are being made.
    #[error("too many thumbnails are being made; try again")]
    Busy,
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Thumbnails {
    /// Thumbnails of the pictures in a store.
    #[must_use]
    pub fn new(store: FileStore) -> Self {
        Self { store, makers: Arc::new(Semaphore::new(MAKERS_MAX)) }
    }

    /// Makes the thumbnail of a picture, unless it is in the store.
    ///
    /// # Errors
    ///
    /// [`StorageError::NotFound`] if the picture is not in the store.
    pub async fn ensure(&self, digest: &Digest) -> Result<(), ThumbnailError> {
        let name = ObjectName::Thumbnail(*digest);
        if self.store.has(name).await? {
            return Ok(());
        }
        let turn = tokio::time::timeout(TURN_TIMEOUT, Arc::clone(&self.makers).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(ThumbnailError::Busy) };
        if self.store.has(name).await? {
            return Ok(());
        }
        if self.store.size(digest).await? > PICTURE_BYTES_MAX {
            return Err(ThumbnailError::TooLarge);
        }
        let pieces: Vec<Bytes> = self.store.read(digest, None).await?.try_collect().await?;
        // The turn ends with the work, even if the request ends before.
        let made = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            make(&pieces.concat())
        });
        let thumbnail = made.await.map_err(|_| ThumbnailError::Damaged)??;
        let mut upload = self.store.begin();
        upload.write(thumbnail.into()).await?;
        Ok(upload.finish_as(name).await?)
    }
}

/// The thumbnail of a PNG, as a PNG. A smaller picture keeps its size.
fn make(png: &[u8]) -> Result<Vec<u8>, ThumbnailError> {
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(PICTURE_SIDE_MAX);
    limits.max_image_height = Some(PICTURE_SIDE_MAX);
    limits.max_alloc = Some(DECODED_BYTES_MAX);
    let mut reader = ImageReader::with_format(Cursor::new(png), ImageFormat::Png);
    reader.limits(limits);
    let picture = reader.decode().map_err(|error| {
        if matches!(error, ImageError::Limits(_)) { ThumbnailError::TooLarge } else { ThumbnailError::Damaged }
    })?;
    let is_small = picture.width() <= SIDE && picture.height() <= SIDE;
    let thumbnail = if is_small { picture } else { picture.thumbnail(SIDE, SIDE) };
    encode(&thumbnail).ok_or(ThumbnailError::Damaged)
}

fn encode(picture: &DynamicImage) -> Option<Vec<u8>> {
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).ok()?;
    Some(png.into_inner())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let picture = image::RgbaImage::from_fn(width, height, |x, y| {
            image::Rgba([x.to_le_bytes()[0], y.to_le_bytes()[0], 90, 255])
        });
        encode(&picture.into()).unwrap()
    }

    fn size_of(png: &[u8]) -> (u32, u32) {
        let picture = image::load_from_memory_with_format(png, ImageFormat::Png).unwrap();
        (picture.width(), picture.height())
    }

    #[test]
    fn thumbnail_keeps_the_proportions_and_no_picture_grows() {
        assert_eq!(size_of(&make(&png(1000, 500)).unwrap()), (480, 240));
        assert_eq!(size_of(&make(&png(30, 20)).unwrap()), (30, 20));
        assert_eq!(size_of(&make(&png(1, 2000)).unwrap()), (1, 480));
    }

    /// A header that promises a large picture costs no memory.
    #[test]
    fn picture_too_large_or_damaged_is_refused() {
        let small = png(20, 20);
        let mut huge = small.clone();
        huge[16..24].copy_from_slice(&[0, 0, 0x40, 0, 0, 0, 0x40, 0]);
        let checksum = crc32(&huge[12..29]).to_be_bytes();
        huge[29..33].copy_from_slice(&checksum);
        assert!(matches!(make(&huge), Err(ThumbnailError::TooLarge)), "{:?}", make(&huge));
        for damaged in [&small[..small.len() / 2], b"", b"%PDF-1.7", &huge[..20]] {
            assert!(matches!(make(damaged), Err(ThumbnailError::Damaged)), "{damaged:?}");
        }
    }

    /// The checksum of a PNG's chunk.
    fn crc32(bytes: &[u8]) -> u32 {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        crc.sum()
    }

    proptest! {
        #[test]
        fn damaged_picture_never_panics(
            edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
            cut in any::<prop::sample::Index>(),
            is_cut in any::<bool>(),
        ) {
            let mut bytes = png(48, 31);
            for (index, byte) in edits {
                let index = index.index(bytes.len());
                bytes[index] = byte;
            }
            // A right checksum lets the damage through to the decoder.
            let checksum = crc32(&bytes[12..29]).to_be_bytes();
            bytes[29..33].copy_from_slice(&checksum);
            if is_cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            if let Ok(thumbnail) = make(&bytes) {
                let (width, height) = size_of(&thumbnail);
                prop_assert!(width <= SIDE && height <= SIDE);
            }
        }
    }
}
