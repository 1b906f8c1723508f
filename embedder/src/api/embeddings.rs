//! `POST /v1/embeddings`, in OpenAI's shape.

use auth::{Authorized, scope::ContentRead};
use axum::extract::State;
use base64::{Engine, prelude::BASE64_STANDARD};
use contracts::{
    embeddings::{
        EmbeddingItem, EmbeddingsAnswer, EmbeddingsRequest, EncodingFormat, Input, Usage, Vector,
    },
    limits::{MAX_QUERY_CHARS, MAX_TEXTS_PER_REQUEST},
};
use service_kit::{Json, ProblemResult};

use super::{
    AppState,
    error::{from_embed, invalid},
};

/// Embeds up to 512 texts of up to 2,000 characters.
pub async fn create(
    _caller: Authorized<ContentRead>,
    State(state): State<AppState>,
    Json(request): Json<EmbeddingsRequest>,
) -> ProblemResult<Json<EmbeddingsAnswer>> {
    check_model(&state, &request)?;
    let texts = match request.input {
        Input::One(text) => vec![text],
        Input::Many(texts) => texts,
    };
    check_texts(&texts)?;
    let embedded = state
        .embedder
        .embed(texts)
        .await
        .map_err(|error| from_embed(&error))?;
    let tokens = embedded.iter().map(|item| item.tokens).sum();
    let data = (0..)
        .zip(embedded)
        .map(|(index, item)| EmbeddingItem {
            object: "embedding".to_owned(),
            index,
            embedding: encode(item.embedding, request.encoding_format),
        })
        .collect();
    Ok(Json(EmbeddingsAnswer {
        object: "list".to_owned(),
        data,
        model: state.embedder.model().to_string(),
        usage: Usage {
            prompt_tokens: tokens,
            total_tokens: tokens,
        },
    }))
}

fn check_model(state: &AppState, request: &EmbeddingsRequest) -> ProblemResult<()> {
    let loaded = state.embedder.model().as_str();
    if let Some(asked) = request.model.as_deref().filter(|asked| *asked != loaded) {
        let detail = format!("Model '{asked}' is not loaded; this service serves '{loaded}'.");
        return Err(invalid("unknown-model", "Unknown model", detail));
    }
    let own = state.embedder.dimensions() as u32;
    if let Some(asked) = request.dimensions.filter(|asked| *asked != own) {
        let detail = format!("{asked} dimensions were asked for; '{loaded}' has {own}.");
        return Err(invalid("invalid-dimensions", "Invalid dimensions", detail));
    }
    Ok(())
}

fn check_texts(texts: &[String]) -> ProblemResult<()> {
    if texts.is_empty() || texts.len() > MAX_TEXTS_PER_REQUEST {
        let detail = format!(
            "{} texts were sent; expected 1 to {MAX_TEXTS_PER_REQUEST}.",
            texts.len()
        );
        return Err(invalid("invalid-input", "Invalid input", detail));
    }
    for (place, text) in texts.iter().enumerate() {
        let length = text.chars().count();
        if text.trim().is_empty() || length > MAX_QUERY_CHARS {
            let detail = format!(
                "Text {place} has {length} characters; expected 1 to {MAX_QUERY_CHARS}, not all blank."
            );
            return Err(invalid("invalid-input", "Invalid input", detail));
        }
    }
    Ok(())
}

fn encode(vector: Vec<f32>, format: EncodingFormat) -> Vector {
    match format {
        EncodingFormat::Float => Vector::Float(vector),
        EncodingFormat::Base64 => {
            let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
            Vector::Base64(BASE64_STANDARD.encode(bytes))
        }
    }
}
