//! The fastembed adapter: one ONNX Runtime session.
//!
//! Under load, a single-threaded session per core beats one session with several threads: those spin
//! while they wait for each other. [`super::pool`] runs both kinds.

use std::{num::NonZeroUsize, path::Path};

use ::fastembed::{
    InitOptionsUserDefined, OutputKey, Pooling, TextEmbedding, TextInitOptions,
    UserDefinedEmbeddingModel,
};
use contracts::ModelId;

use super::{
    EmbedError, Embedded,
    source::{LoadError, MAX_TOKENS, ModelFiles, ModelSource, hub_model, slug},
};

/// Threads of a session spin for work within a run, which halves a query's time, but not after it,
/// when the cores are wanted by others.
const STOP_SPINNING: (&str, &str) = ("session.force_spinning_stop", "1");

/// fastembed's own order, which it does not export.
const USUAL_OUTPUTS: [OutputKey; 4] = [
    OutputKey::OnlyOne,
    OutputKey::ByName("text_embeds"),
    OutputKey::ByName("last_hidden_state"),
    OutputKey::ByName("sentence_embedding"),
];

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
    pooling: Option<Pooling>,
    /// The model's outputs that may hold the vectors, the likeliest first.
    output: Vec<OutputKey>,
    model: ModelId,
    dimensions: usize,
}

impl Session {
    /// Loads a model that computes on `threads` threads, and tries it on one word, which also tells
    /// its dimensions.
    pub fn load(source: &ModelSource, threads: NonZeroUsize) -> Result<Self, LoadError> {
        let mut session = match source.files()? {
            Some(files) => from_files(files, threads)?,
            None => from_hub(source, threads)?,
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

    /// Counts the tokens that this session would read; for a text that it can't read, the bytes.
    pub fn token_counter(&self) -> impl Fn(&str) -> usize + Send + Sync + use<> {
        let tokenizer = self.inner.tokenizer.clone();
        move |text| {
            let encoded = tokenizer.encode(text, true);
            encoded.map_or(text.len(), |encoding| encoding.len())
        }
    }

    /// Embeds one batch, padded to its longest text. Blocks for the whole computation.
    pub fn embed(&mut self, texts: &[&str]) -> Result<Vec<Embedded>, EmbedError> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        // fastembed's own `embed` does the same, but drops the mask, which knows the tokens.
        let mut vectors = Vec::with_capacity(texts.len());
        let mut tokens = Vec::with_capacity(texts.len());
        let precedence = self.output.as_slice();
        self.inner
            .transform(texts, Some(texts.len()))
            .and_then(|output| {
                for batch in output.into_raw() {
                    let pooled = batch.select_and_pool_output(&precedence, self.pooling.clone())?;
                    vectors.extend(pooled.rows().into_iter().map(|row| row.to_vec()));
                    tokens.extend(
                        batch
                            .attention_mask_array
                            .rows()
                            .into_iter()
                            .map(|m| m.sum()),
                    );
                }
                Ok(())
            })
            .map_err(|error| EmbedError::Model(error.to_string()))?;
        if vectors.len() != texts.len() {
            return Err(EmbedError::Model(format!(
                "{} texts gave {} vectors",
                texts.len(),
                vectors.len()
            )));
        }
        let embedded = |(embedding, tokens): (_, i64)| Embedded {
            embedding: unit(embedding),
            tokens: tokens.try_into().unwrap_or_default(),
        };
        Ok(vectors.into_iter().zip(tokens).map(embedded).collect())
    }
}

fn from_files(files: ModelFiles, threads: NonZeroUsize) -> Result<Session, LoadError> {
    let definition = UserDefinedEmbeddingModel::new(files.onnx, files.tokenizer);
    let options = InitOptionsUserDefined::new()
        .with_max_length(MAX_TOKENS)
        .with_intra_threads(threads.get())
        .with_session_config(STOP_SPINNING.0, STOP_SPINNING.1);
    Ok(Session {
        inner: TextEmbedding::try_new_from_user_defined(definition, options).map_err(refused)?,
        pooling: Some(Pooling::Mean),
        output: USUAL_OUTPUTS.to_vec(),
        model: files.model,
        dimensions: 0,
    })
}

fn from_hub(source: &ModelSource, threads: NonZeroUsize) -> Result<Session, LoadError> {
    let ModelSource::Hub { code, cache } = source else {
        return Err(LoadError::Model(
            "only a hub model comes without files".to_owned(),
        ));
    };
    let model = hub_model(code)?;
    let own_output = TextEmbedding::get_model_info(&model)
        .map_err(refused)?
        .output_key
        .clone();
    let options = TextInitOptions::new(model.clone())
        .with_cache_dir(cache.clone())
        .with_intra_threads(threads.get())
        .with_session_config(STOP_SPINNING.0, STOP_SPINNING.1);
    Ok(Session {
        inner: TextEmbedding::try_new(options).map_err(refused)?,
        pooling: TextEmbedding::get_default_pooling_method(&model),
        output: own_output.map_or_else(|| USUAL_OUTPUTS.to_vec(), |key| vec![key]),
        model: ModelId::new(slug(code)),
        dimensions: 0,
    })
}

fn refused(error: ::fastembed::Error) -> LoadError {
    LoadError::Model(error.to_string())
}

/// Scales to length 1, so that a dot product is a cosine. A zero vector stays as it is.
fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if norm > f32::EPSILON && (norm - 1.0).abs() > 1e-6 {
        vector.iter_mut().for_each(|x| *x /= norm);
    }
    vector
}
