//! The campaign image catalogue: what PromptSales ships with, and what may be done with an image.
//!
//! * [`Catalogue`] loads the entries, from the binary itself or from a directory.
//! * [`validate`] holds every rule of the catalogue; `examples/validate.rs` runs it.
//! * [`image_facts`] reads an image file of unknown origin within [`Limits`].
//! * [`clean_image`] makes a file of ours of one from outside.
//! * [`render_rendition`] makes one size and format of an image; [`negotiate`] chooses the format.
//! * `render` (a feature, for contributors) draws the images from `vectors/`.
//!
//! Nothing here is asynchronous. Whatever decodes pixels is CPU-bound and belongs on a blocking
//! thread.

mod catalogue;
mod decode;
mod facts;
mod fault;
mod format;
pub mod labels;
mod limits;
mod negotiate;
#[cfg(feature = "render")]
pub mod render;
mod rendition;
mod upload;
mod validate;
pub mod vocabulary;

pub use catalogue::{Catalogue, CatalogueEntry, CatalogueError, EncodedImage, Fault};
pub use facts::{NEAR_BITS, image_facts, image_facts_within, perceptual_distance};
pub use fault::ImageFault;
pub use format::{Format, UnknownFormat};
pub use limits::Limits;
pub use negotiate::{NotAcceptable, negotiate};
pub use rendition::{EncodedRendition, render_rendition, rendition_size};
pub use upload::{CleanImage, clean_image};
pub use validate::validate;
