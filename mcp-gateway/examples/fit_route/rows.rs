//! Labelled utterances with all that is known about them.

use std::{
    collections::HashMap,
    fs,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use mcp_gateway::{
    Gateway,
    routing::{
        Evidence, Features, Route,
        eval::{Utterance, utterances},
        features,
        letters::{Letters, letters},
        model::Blend,
        nearness::Utterances,
    },
};
use serde::{Deserialize, Serialize};

/// Questions under way at once.
const CONCURRENCY: usize = 4;

/// An utterance with all that is known about it.
pub struct Row {
    pub id: String,
    pub text: String,
    pub label: usize,
    pub features: Features,
    pub vector: Vec<f32>,
    pub letters: Letters,
    pub evidence: Evidence,
}

impl Row {
    pub fn new(utterance: Utterance, evidence: Evidence) -> anyhow::Result<Self> {
        let (_, vector) = evidence.embedding().context("no vector")?;
        Ok(Self {
            features: features(&utterance.text, &evidence),
            vector: vector.to_vec(),
            letters: letters(&utterance.text),
            label: Route::ALL
                .iter()
                .position(|one| *one == utterance.route)
                .unwrap_or_default(),
            id: utterance.id,
            text: utterance.text,
            evidence,
        })
    }

    /// Probabilities of [`Route::ALL`] by a blend.
    pub fn by(&self, blend: &Blend, utterances: &Utterances) -> Vec<f64> {
        let place = utterances.place(&self.features, &self.vector);
        blend.probabilities(utterances, &place, &self.letters)
    }
}

#[derive(Serialize, Deserialize)]
struct Kept {
    text: String,
    evidence: Evidence,
}

/// Evidence that services gave, kept in a file between runs. Remove it when a service changes.
pub struct Keeper {
    file: Option<PathBuf>,
    known: HashMap<String, Evidence>,
}

impl Keeper {
    pub fn open(file: Option<&Path>) -> anyhow::Result<Self> {
        let text = match file {
            Some(file) if file.exists() => fs::read_to_string(file)?,
            _ => String::new(),
        };
        let kept = text.lines().map(serde_json::from_str::<Kept>);
        let known = kept.map(|kept| kept.map(|kept| (kept.text, kept.evidence)));
        Ok(Self {
            file: file.map(Path::to_owned),
            known: known
                .collect::<Result<_, _>>()
                .context("the kept evidence is of another version: remove the file")?,
        })
    }

    /// The rows of a split, in its order. What is not kept is asked.
    pub async fn rows(&mut self, gateway: &Gateway, split: &str) -> anyhow::Result<Vec<Row>> {
        let labelled = utterances(split)?;
        let unknown: Vec<String> = labelled
            .iter()
            .map(|one| one.text.clone())
            .filter(|text| !self.known.contains_key(text))
            .collect();
        let asked: Vec<(String, Evidence)> = stream::iter(unknown)
            .map(|text| async move {
                let evidence = gateway.evidence(&text, None).await;
                let missing = evidence.missing();
                anyhow::ensure!(missing.is_empty(), "no evidence from {missing:?}");
                Ok((text, evidence))
            })
            .buffered(CONCURRENCY)
            .try_collect()
            .await?;
        if !asked.is_empty() {
            self.known.extend(asked);
            self.write()?;
        }
        let rows = labelled.into_iter().map(|utterance| {
            let evidence = self.known[&utterance.text].clone();
            Row::new(utterance, evidence)
        });
        rows.collect()
    }

    fn write(&self) -> anyhow::Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let mut out = BufWriter::new(fs::File::create(file)?);
        for (text, evidence) in &self.known {
            let (text, evidence) = (text.clone(), evidence.clone());
            serde_json::to_writer(&mut out, &Kept { text, evidence })?;
            out.write_all(b"\n")?;
        }
        Ok(out.flush()?)
    }
}
