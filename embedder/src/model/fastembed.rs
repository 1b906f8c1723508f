//! The fastembed adapter: one single-threaded ONNX Runtime session.
//!
//! One session per core beats one session with several threads: the threads of a session spin while
//! they wait for each other. So a session is single-threaded, and [`super::pool`] runs several.

use std::path::Path;

use ::fastembed::{
    InitOptionsUserDefined, Pooling, TextEmbedding, TextInitOptions, UserDefinedEmbeddingModel,
};
use contracts::ModelId;

use super::{
    EmbedError, Embedded,
    source::{LoadError, MAX_TOKENS, ModelSource, hub_model, slug},
};

/// Loads the ONNX Runtime library. To be called once, before any session; a second call with
/// another library has no effect.
pub fn load_onnx_runtime(library: &Path) -> Result<(), LoadError> {
    let failed = |reason: String| LoadError::Runtime {
        path: library.to_owned(),
        reason,
    };
    if !library.is_file() {
        return Err(failed("there is no such file".to_owned()));
    }
    // Loading is all that is wanted: fastembed makes the environment with its first session.
    let _environment = ort::init_from(library).map_err(|error| failed(error.to_string()))?;
    Ok(())
}

/// One session with its tokenizer. Not shared: a worker owns it.
pub struct Session {
    inner: TextEmbedding,
    model: ModelId,
    dimensions: usize,
}

impl Session {
    /// Loads a model and tries it on one word, which also tells its dimensions.
    pub fn load(source: &ModelSource) -> Result<Self, LoadError> {
        let (inner, model) = match source.files()? {
            Some(files) => {
                let definition = UserDefinedEmbeddingModel::new(files.onnx, files.tokenizer)
                    .with_pooling(Pooling::Mean);
                let options = InitOptionsUserDefined::new()
                    .with_max_length(MAX_TOKENS)
                    .with_intra_threads(1);
                let inner = TextEmbedding::try_new_from_user_defined(definition, options)
                    .map_err(|error| LoadError::Model(error.to_string()))?;
                (inner, files.model)
            }
            None => from_hub(source)?,
        };
        let mut session = Self {
            inner,
            model,
            dimensions: 0,
        };
        let probe = session
            .embed(&["prueba"])
            .map_err(|error| LoadError::Model(error.to_string()))?;
        session.dimensions = probe[0].embedding.len();
        Ok(session)
    }

    /// The model's name.
    pub fn model(&self) -> &ModelId {
        &self.model
    }

    /// Numbers in one vector.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Embeds one batch, padded to its longest text. Blocks for the whole computation.
    pub fn embed(&mut self, texts: &[&str]) -> Result<Vec<Embedded>, EmbedError> {
        let vectors = self
            .inner
            .embed(texts, Some(texts.len()))
            .map_err(|error| EmbedError::Model(error.to_string()))?;
        if vectors.len() != texts.len() {
            return Err(EmbedError::Model(format!(
                "{} texts gave {} vectors",
                texts.len(),
                vectors.len()
            )));
        }
        texts
            .iter()
            .zip(vectors)
            .map(|(text, embedding)| {
                Ok(Embedded {
                    tokens: self.count_tokens(text)?,
                    embedding: unit(embedding),
                })
            })
            .collect()
    }

    fn count_tokens(&self, text: &str) -> Result<u32, EmbedError> {
        let encoding = self
            .inner
            .tokenizer
            .encode(text, true)
            .map_err(|error| EmbedError::Model(error.to_string()))?;
        Ok(encoding.get_attention_mask().iter().sum())
    }
}

fn from_hub(source: &ModelSource) -> Result<(TextEmbedding, ModelId), LoadError> {
    let ModelSource::Hub { code, cache } = source else {
        return Err(LoadError::Model(
            "only a hub model comes without files".to_owned(),
        ));
    };
    let options = TextInitOptions::new(hub_model(code)?)
        .with_cache_dir(cache.clone())
        .with_intra_threads(1);
    let inner =
        TextEmbedding::try_new(options).map_err(|error| LoadError::Model(error.to_string()))?;
    Ok((inner, ModelId::new(slug(code))))
}

/// Scales to length 1, so that a dot product is a cosine. A zero vector stays as it is.
fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if norm > f32::EPSILON && (norm - 1.0).abs() > 1e-6 {
        vector.iter_mut().for_each(|x| *x /= norm);
    }
    vector
}
