//! Qdrant Edge: Qdrant's engine in this process, in one directory per model.
//!
//! Two properties of Edge shape this adapter. Loading does not replay its write-ahead log, so every
//! acknowledged batch is flushed. And `flush` panics when another thread holds the log's lock, so
//! one mutex orders all writing.

mod names;
mod payload;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use contracts::{ImageId, ModelId};
use qdrant_edge::{
    Distance, EdgeConfig, EdgeShard, EdgeSparseVectorParams, EdgeVectorParams, Modifier,
    NamedQuery, OperationError, PointId, PointInsertOperations, PointOperations, QueryEnum, Record,
    ScrollRequest, SearchRequest, SparseVector as EdgeSparse, UpdateOperation, VectorInternal,
    WithPayloadInterface, WithVector,
};

use self::{
    names::Names,
    payload::{
        VectorName, candidate_from, entry_from, filter_for, manifest_entry_from, point_for,
        point_id, tombstone_point,
    },
};
use super::{
    Candidate, Change, IndexEntry, IndexError, IndexQuery, Manifest, ManifestEntry, VectorIndex,
};

/// This adapter's name in answers.
pub const ENGINE: &str = "qdrant-edge";
const VERSION: &str = "0.7.2";
/// Names the model that a directory's vectors were made by.
const MODEL_FILE: &str = "model-id";
/// Records read at a time.
const PAGE: usize = 1_000;

/// An Edge shard for one model.
pub struct EdgeIndex {
    shard: Arc<EdgeShard>,
    writer: Arc<Mutex<()>>,
    names: Arc<Names>,
}

impl EdgeIndex {
    /// Opens or creates the shard of `model` below `root`. Blocks.
    ///
    /// A shard that can't be read is set aside, never deleted, and a new one begun: `reconcile`
    /// fills it from the other engine.
    pub fn open(root: &Path, model: &ModelId, dimensions: usize) -> Result<Self, IndexError> {
        let directory = root.join(model.as_str());
        let config = config(dimensions);
        let shard = match load(&directory, model, &config) {
            Ok(shard) => shard,
            Err(OpenError::Mismatch(found)) => {
                return Err(IndexError::ModelMismatch {
                    engine: ENGINE,
                    found,
                    expected: model.to_string(),
                });
            }
            Err(OpenError::Locked) => {
                return Err(IndexError::engine(
                    ENGINE,
                    format!("another process uses {}", directory.display()),
                ));
            }
            Err(OpenError::Unreadable(reason)) => {
                let aside = set_aside(&directory).map_err(|e| IndexError::engine(ENGINE, e))?;
                tracing::error!(reason, aside = %aside.display(), "unreadable index set aside");
                create(&directory, model, config).map_err(|e| IndexError::engine(ENGINE, e))?
            }
        };
        Ok(Self {
            shard: Arc::new(shard),
            writer: Arc::default(),
            names: Arc::default(),
        })
    }

    /// Runs blocking engine work off the async threads.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&EdgeShard) -> Result<T, OperationError> + Send + 'static,
    ) -> Result<T, IndexError> {
        let shard = Arc::clone(&self.shard);
        tokio::task::spawn_blocking(move || work(&shard))
            .await
            .map_err(|error| IndexError::engine(ENGINE, error))?
            .map_err(|error| IndexError::engine(ENGINE, error))
    }
}

#[async_trait]
impl VectorIndex for EdgeIndex {
    fn engine(&self) -> &'static str {
        ENGINE
    }

    fn version(&self) -> &str {
        VERSION
    }

    async fn apply(&self, changes: Vec<Change>) -> Result<(), IndexError> {
        let writer = Arc::clone(&self.writer);
        self.run(move |shard| {
            let _one_at_a_time = writer.lock().unwrap_or_else(PoisonError::into_inner);
            apply(shard, &changes)
        })
        .await
    }

    async fn candidates(&self, query: IndexQuery) -> Result<Vec<Candidate>, IndexError> {
        let names = Arc::clone(&self.names);
        self.run(move |shard| candidates(shard, &names, &query))
            .await
    }

    async fn manifest(&self) -> Result<Manifest, IndexError> {
        self.run(manifest).await
    }

    async fn maintain(&self) -> Result<(), IndexError> {
        let writer = Arc::clone(&self.writer);
        self.run(move |shard| {
            let _one_at_a_time = writer.lock().unwrap_or_else(PoisonError::into_inner);
            if shard.optimize()? {
                shard.flush();
            }
            Ok(())
        })
        .await
    }

    async fn entries(&self, ids: Vec<ImageId>) -> Result<Vec<IndexEntry>, IndexError> {
        self.run(move |shard| {
            let points: Vec<PointId> = ids.iter().map(point_id).collect();
            let records = shard.retrieve(
                &points,
                Some(WithPayloadInterface::Bool(true)),
                Some(WithVector::Bool(true)),
            )?;
            Ok(records.iter().filter_map(entry_from).collect())
        })
        .await
    }
}

enum OpenError {
    Mismatch(String),
    Locked,
    Unreadable(String),
}

fn load(directory: &Path, model: &ModelId, config: &EdgeConfig) -> Result<EdgeShard, OpenError> {
    let unreadable = |error: &dyn std::fmt::Display| OpenError::Unreadable(error.to_string());
    match fs::read_to_string(directory.join(MODEL_FILE)) {
        Ok(found) if found.trim() == model.as_str() => {}
        Ok(found) => return Err(OpenError::Mismatch(found.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // Nothing here, or a creation that was killed before its last step.
            if directory.exists() {
                set_aside(directory).map_err(|e| unreadable(&e))?;
            }
            return create(directory, model, config.clone()).map_err(|e| unreadable(&e));
        }
        Err(error) => return Err(unreadable(&error)),
    }
    EdgeShard::load(directory, Some(config.clone())).map_err(|error| {
        let text = error.to_string();
        if text.contains("WouldBlock") || text.contains("temporarily unavailable") {
            OpenError::Locked
        } else {
            OpenError::Unreadable(text)
        }
    })
}

fn create(directory: &Path, model: &ModelId, config: EdgeConfig) -> io::Result<EdgeShard> {
    fs::create_dir_all(directory)?;
    let shard = EdgeShard::new(directory, config).map_err(|e| io::Error::other(e.to_string()))?;
    for (field, schema) in payload::indexes() {
        let operation = payload::create_index(field, schema);
        shard
            .update(operation)
            .map_err(|e| io::Error::other(e.to_string()))?;
    }
    shard.flush();
    // Written last: a directory without it was never finished.
    fs::write(directory.join(MODEL_FILE), model.as_str())?;
    Ok(shard)
}

fn set_aside(directory: &Path) -> io::Result<PathBuf> {
    let mut number = 1;
    loop {
        let aside = directory.with_extension(format!("unreadable-{number}"));
        if !aside.exists() {
            fs::rename(directory, &aside)?;
            return Ok(aside);
        }
        number += 1;
    }
}

fn config(dimensions: usize) -> EdgeConfig {
    let mut builder = EdgeConfig::builder();
    for name in VectorName::DENSE {
        let params = EdgeVectorParams::builder(dimensions, Distance::Dot).build();
        builder = builder.vector(name.as_str(), params);
    }
    for name in VectorName::SPARSE {
        let params = EdgeSparseVectorParams::builder()
            .modifier(Modifier::Idf)
            .build();
        builder = builder.sparse_vector(name.as_str(), params);
    }
    builder.build()
}

fn apply(shard: &EdgeShard, changes: &[Change]) -> Result<(), OperationError> {
    let mut known = present(shard, changes)?;
    for change in changes {
        let (id, new) = match change {
            Change::Put(entry) => (&entry.document.id, entry.manifest_entry()),
            Change::Delete(tombstone) => (&tombstone.id, tombstone.manifest_entry()),
        };
        if known.get(id).is_some_and(|present| present.outdates(&new)) {
            continue;
        }
        let point = match change {
            Change::Put(entry) => point_for(entry),
            Change::Delete(tombstone) => {
                let ids = vec![point_id(id)];
                shard.update(UpdateOperation::PointOperation(
                    PointOperations::DeletePoints { ids },
                ))?;
                tombstone_point(tombstone)
            }
        }?;
        let insert = PointInsertOperations::PointsList(vec![point.into()]);
        shard.update(UpdateOperation::PointOperation(
            PointOperations::UpsertPoints(insert),
        ))?;
        known.insert(id.clone(), new);
    }
    shard.flush();
    Ok(())
}

fn present(
    shard: &EdgeShard,
    changes: &[Change],
) -> Result<std::collections::HashMap<ImageId, ManifestEntry>, OperationError> {
    let ids: Vec<PointId> = changes
        .iter()
        .map(|change| match change {
            Change::Put(entry) => point_id(&entry.document.id),
            Change::Delete(tombstone) => point_id(&tombstone.id),
        })
        .collect();
    let records = shard.retrieve(
        &ids,
        Some(payload::manifest_fields()),
        Some(WithVector::Bool(false)),
    )?;
    Ok(records.iter().filter_map(manifest_entry_from).collect())
}

fn candidates(
    shard: &EdgeShard,
    names: &Names,
    query: &IndexQuery,
) -> Result<Vec<Candidate>, OperationError> {
    let filter = filter_for(&query.filters, query.status)?;
    let mut lists: Vec<(VectorName, VectorInternal)> = Vec::with_capacity(4);
    if let Some(dense) = &query.dense {
        lists.extend(VectorName::DENSE.map(|name| (name, VectorInternal::Dense(dense.clone()))));
    }
    for name in VectorName::SPARSE {
        let sparse = query.sparse.get(name.language());
        if !sparse.is_empty() {
            // Edge multiplies by the IDF itself; the query side is one per term.
            let ones = vec![1.0; sparse.indices.len()];
            let vector = EdgeSparse::new(sparse.indices.clone(), ones)
                .map_err(|error| OperationError::validation_error(error.to_string()))?;
            lists.push((name, VectorInternal::Sparse(vector)));
        }
    }
    let mut found: Vec<PointId> = Vec::new();
    for (name, vector) in lists {
        let hits = shard.search(SearchRequest {
            query: QueryEnum::Nearest(NamedQuery::new(vector, name.as_str())),
            filter: Some(filter.clone()),
            params: None,
            limit: query.depth,
            offset: 0,
            with_payload: None,
            with_vector: None,
            score_threshold: None,
        })?;
        found.extend(hits.into_iter().map(|hit| hit.id));
    }
    found.sort_unstable();
    found.dedup();
    names.learn(shard, &found)?;
    let records = shard.retrieve(
        &found,
        Some(WithPayloadInterface::Bool(false)),
        Some(WithVector::Bool(true)),
    )?;
    let candidate = |record: &Record| candidate_from(record, names.get(&record.id)?);
    Ok(records.iter().filter_map(candidate).collect())
}

fn manifest(shard: &EdgeShard) -> Result<Manifest, OperationError> {
    let mut entries = Vec::new();
    let mut offset = None;
    loop {
        let request = ScrollRequest {
            offset,
            limit: Some(PAGE),
            filter: None,
            with_payload: Some(payload::manifest_fields()),
            with_vector: WithVector::Bool(false),
            order_by: None,
        };
        let (records, next): (Vec<Record>, _) = shard.scroll(request)?;
        entries.extend(records.iter().filter_map(manifest_entry_from));
        match next {
            Some(next) => offset = Some(next),
            None => return Ok(entries.into_iter().collect()),
        }
    }
}
