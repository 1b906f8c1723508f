//! Where a model comes from: the bundled one, a directory, or the model hub.

use std::{fs, io, path::PathBuf};

use ::fastembed::{EmbeddingModel, TokenizerFiles};
use contracts::{ContentHash, ModelId};

/// The longest text that the bundled model reads, in tokens.
pub const MAX_TOKENS: usize = 256;

/// Which model to load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelSource {
    /// `minilm-es-en-v1`, part of this binary.
    Bundled,
    /// A directory with `model.onnx` (or a single other `*.onnx`), `tokenizer.json`, `config.json`,
    /// `special_tokens_map.json` and `tokenizer_config.json`.
    Directory(PathBuf),
    /// A model of fastembed's list by its code, such as `intfloat/multilingual-e5-small`; fetched
    /// once from the model hub into the directory.
    Hub {
        /// The model's code.
        code: String,
        /// Where downloads are kept.
        cache: PathBuf,
    },
}

/// Why a model could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file of the directory is missing or unreadable.
    #[error(
        "cannot read the model file {path}: {source}. A model directory holds one .onnx file, tokenizer.json, config.json, special_tokens_map.json and tokenizer_config.json"
    )]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No `.onnx` file, or several and none named `model.onnx`.
    #[error("{0} must hold one .onnx file, or one named model.onnx")]
    AmbiguousDirectory(PathBuf),
    /// Not on fastembed's list.
    #[error("'{0}' is not a hub model that fastembed knows")]
    UnknownHubModel(String),
    /// ONNX Runtime could not be loaded.
    #[error("cannot load ONNX Runtime from {path}: {reason}")]
    Runtime {
        /// The shared library.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The model itself could not be loaded or tried.
    #[error("cannot load the embedding model: {0}")]
    Model(String),
}

/// A model's files in memory.
pub(crate) struct ModelFiles {
    pub model: ModelId,
    pub onnx: Vec<u8>,
    pub tokenizer: TokenizerFiles,
}

impl ModelSource {
    /// Reads a setting: `bundled`, `dir:<path>` or `hub:<code>`.
    pub fn parse(setting: &str, hub_cache: PathBuf) -> Result<Self, String> {
        match setting.split_once(':') {
            None if setting == "bundled" => Ok(Self::Bundled),
            Some(("dir", path)) if !path.is_empty() => Ok(Self::Directory(path.into())),
            Some(("hub", code)) if !code.is_empty() => Ok(Self::Hub {
                code: code.to_owned(),
                cache: hub_cache,
            }),
            _ => Err(format!(
                "model '{setting}' is none of: bundled, dir:<path>, hub:<code>"
            )),
        }
    }

    /// The files of a bundled or directory model; `None` for a hub model, which fastembed fetches.
    pub(crate) fn files(&self) -> Result<Option<ModelFiles>, LoadError> {
        match self {
            Self::Bundled => Ok(Some(bundled())),
            Self::Directory(path) => directory(path).map(Some),
            Self::Hub { .. } => Ok(None),
        }
    }
}

/// The model on fastembed's list with this code.
pub(crate) fn hub_model(code: &str) -> Result<EmbeddingModel, LoadError> {
    ::fastembed::TextEmbedding::list_supported_models()
        .into_iter()
        .find(|info| info.model_code.eq_ignore_ascii_case(code))
        .map(|info| info.model)
        .ok_or_else(|| LoadError::UnknownHubModel(code.to_owned()))
}

fn bundled() -> ModelFiles {
    macro_rules! file {
        ($name:literal) => {
            include_bytes!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/model/minilm-es-en-v1/",
                $name
            ))
            .to_vec()
        };
    }
    ModelFiles {
        model: ModelId::new("minilm-es-en-v1"),
        onnx: file!("model.w8.onnx"),
        tokenizer: TokenizerFiles {
            tokenizer_file: file!("tokenizer.json"),
            config_file: file!("config.json"),
            special_tokens_map_file: file!("special_tokens_map.json"),
            tokenizer_config_file: file!("tokenizer_config.json"),
        },
    }
}

fn directory(path: &PathBuf) -> Result<ModelFiles, LoadError> {
    let read = |name: &str| {
        let file = path.join(name);
        fs::read(&file).map_err(|source| LoadError::File { path: file, source })
    };
    let onnx_name = onnx_file_name(path)?;
    let onnx = read(&onnx_name)?;
    // The name of a directory says little; the weights' hash tells two versions apart.
    let folder = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or("model");
    let hash = ContentHash::of(&onnx);
    Ok(ModelFiles {
        model: ModelId::new(format!("{}-{}", slug(folder), &hash.as_str()[..8])),
        onnx,
        tokenizer: TokenizerFiles {
            tokenizer_file: read("tokenizer.json")?,
            config_file: read("config.json")?,
            special_tokens_map_file: read("special_tokens_map.json")?,
            tokenizer_config_file: read("tokenizer_config.json")?,
        },
    })
}

fn onnx_file_name(path: &PathBuf) -> Result<String, LoadError> {
    let entries = fs::read_dir(path).map_err(|source| LoadError::File {
        path: path.clone(),
        source,
    })?;
    let names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".onnx"))
        .collect();
    match names.as_slice() {
        [only] => Ok(only.clone()),
        many if many.iter().any(|name| name == "model.onnx") => Ok("model.onnx".to_owned()),
        _ => Err(LoadError::AmbiguousDirectory(path.clone())),
    }
}

/// Lower-case letters, digits and hyphens: what a collection name may carry.
pub(crate) fn slug(name: &str) -> String {
    let kept: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    kept.trim_matches('-').to_owned()
}
