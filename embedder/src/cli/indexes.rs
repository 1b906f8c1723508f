//! Options of the indexes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use embedder::{
    Primary,
    index::{
        pgvector::HnswOptions,
        qdrant::{QdrantFaults, QdrantOptions, QdrantSettings},
    },
};
use secrecy::SecretString;

/// Where the Qdrant server is, and how the indexes are built.
#[derive(Debug, Args)]
pub struct Indexes {
    /// A Qdrant server's address for gRPC, such as https://qdrant:6334. Written besides pgvector.
    #[arg(long, env = "EMBEDDER_QDRANT_URL", value_name = "URL")]
    qdrant_url: Option<String>,
    /// Its API key. Give it through the environment: process lists show options.
    #[arg(long, env = "EMBEDDER_QDRANT_API_KEY", hide_env_values = true)]
    qdrant_api_key: Option<SecretString>,
    /// Certificates, in PEM form, to trust for it instead of the system's.
    #[arg(long, env = "EMBEDDER_QDRANT_CA_FILE", value_name = "FILE")]
    qdrant_ca_file: Option<PathBuf>,
    /// Longest that one call to it may take, 10 to 60000.
    #[arg(
        long,
        env = "EMBEDDER_QDRANT_DEADLINE_MS",
        default_value_t = QdrantOptions::DEADLINE_MS,
        value_name = "MS"
    )]
    qdrant_deadline_ms: u64,
    /// What the names of its collections and of the alias begin with.
    #[arg(
        long,
        env = "EMBEDDER_QDRANT_COLLECTION_PREFIX",
        default_value = QdrantOptions::PREFIX,
        value_name = "PREFIX"
    )]
    qdrant_collection_prefix: String,
    /// Which index is asked first.
    #[arg(long, env = "EMBEDDER_PRIMARY_INDEX", default_value = "qdrant")]
    primary_index: PrimaryIndex,
    /// Neighbours of a vector in pgvector's HNSW graphs, 2 to 100.
    #[arg(long, env = "EMBEDDER_HNSW_M", default_value_t = HnswOptions::default().m)]
    hnsw_m: u16,
    /// Candidates while these are built, 4 to 1000 and at least twice as many.
    #[arg(
        long,
        env = "EMBEDDER_HNSW_EF_CONSTRUCTION",
        default_value_t = HnswOptions::default().ef_construction
    )]
    hnsw_ef_construction: u16,
    /// Candidates while these are searched, 1 to 1000.
    #[arg(long, env = "EMBEDDER_HNSW_EF_SEARCH", default_value_t = HnswOptions::default().ef_search)]
    hnsw_ef_search: u16,
    /// Most vectors that a search under filters looks at.
    #[arg(
        long,
        env = "EMBEDDER_HNSW_MAX_SCAN_TUPLES",
        default_value_t = HnswOptions::default().max_scan_tuples
    )]
    hnsw_max_scan_tuples: u32,
    /// Build them of half-precision copies.
    #[arg(long, env = "EMBEDDER_HNSW_HALFVEC")]
    hnsw_halfvec: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PrimaryIndex {
    /// Qdrant, where it has a URL.
    Qdrant,
    /// pgvector.
    Pgvector,
}

impl Indexes {
    /// Everything that is wrong with them.
    pub fn faults(&self) -> Vec<String> {
        let hnsw = self.hnsw().faults();
        let mut faults: Vec<String> = hnsw.iter().map(ToString::to_string).collect();
        faults.extend(self.qdrant().err().unwrap_or_default());
        faults
    }

    /// The server's settings, if there is one.
    pub fn qdrant(&self) -> Result<Option<QdrantSettings>, Vec<String>> {
        let Some(url) = self.qdrant_url.clone() else {
            if self.qdrant_api_key.is_some() || self.qdrant_ca_file.is_some() {
                let fault = "qdrant_url: absent, but there are other settings of a Qdrant server";
                return Err(vec![fault.to_owned()]);
            }
            return Ok(None);
        };
        let options = QdrantOptions {
            url,
            api_key: self.qdrant_api_key.clone(),
            ca_file: self.qdrant_ca_file.clone(),
            deadline_ms: self.qdrant_deadline_ms,
            prefix: self.qdrant_collection_prefix.clone(),
        };
        let faults = |faults: QdrantFaults| faults.0.iter().map(ToString::to_string).collect();
        options.check().map(Some).map_err(faults)
    }

    /// How pgvector's indexes are built and searched.
    pub fn hnsw(&self) -> HnswOptions {
        HnswOptions {
            m: self.hnsw_m,
            ef_construction: self.hnsw_ef_construction,
            ef_search: self.hnsw_ef_search,
            max_scan_tuples: self.hnsw_max_scan_tuples,
            halfvec: self.hnsw_halfvec,
        }
    }

    /// Which index is asked first.
    pub fn primary(&self) -> Primary {
        match self.primary_index {
            PrimaryIndex::Qdrant => Primary::Qdrant,
            PrimaryIndex::Pgvector => Primary::Pgvector,
        }
    }
}
