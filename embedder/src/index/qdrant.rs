//! A Qdrant server, by gRPC: one collection per model and layout.
//!
//! Nothing is read before a write: each operation carries the condition under which it may replace a point, and
//! the server holds to it (see `qdrant/points.rs`). A write counts once the server has applied it, so that a read
//! after it sees it. A batch is not a transaction: one that breaks off is in part applied, counts as missed, and
//! is repeated, which changes nothing that was applied already. What the server would refuse is refused before
//! anything is sent.

mod collection;
mod link;
mod points;
mod settings;

use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use contracts::{ImageId, ModelId};
use qdrant_client::qdrant::{
    DenseVector, GetPoints, HealthCheckRequest, PayloadIncludeSelector, Query, QueryBatchPoints,
    QueryPoints, ScrollPoints, SparseVector as QdrantSparse, UpdateBatchPoints, UpdateStatus,
    VectorInput, WithPayloadSelector, WithVectorsSelector, query, vector_input,
    with_payload_selector, with_vectors_selector,
};

use self::{
    collection::{Layout, Names, alias_target, point_alias},
    link::{Fault, Link},
};
use super::{
    Candidate, Change, IndexEntry, IndexError, IndexQuery, Manifest, VectorIndex,
    point::{ID, MANIFEST_FIELDS, VectorName},
};

pub use settings::{QdrantFault, QdrantFaults, QdrantOptions, QdrantSettings};

/// This adapter's name in answers.
pub const ENGINE: &str = "qdrant";
/// The first version that replaces a point on a condition. An older one would ignore the condition.
const OLDEST: (u64, u64) = (1, 16);
/// Changes sent at a time.
const BATCH: usize = 64;
/// Manifest lines read at a time.
const PAGE: u32 = 1_000;
/// Whole entries read at a time: with long texts and a large model some 8 MB.
const ENTRIES: usize = 256;

/// The collection of one model.
pub struct QdrantIndex {
    link: Link,
    layout: Layout,
    names: Names,
    version: String,
    /// The alias has pointed at our collection in this process's life. Whoever moved it then meant it.
    live: AtomicBool,
}

impl QdrantIndex {
    /// Connects, creates the model's collection where it is missing, and checks that it is this model's.
    pub async fn connect(
        settings: &QdrantSettings,
        model: &ModelId,
        dimensions: usize,
    ) -> Result<Self, IndexError> {
        let link = Link::new(settings)?;
        let version = server_version(&link).await?;
        let names = Names::new(&settings.prefix, model);
        let layout = Layout {
            model: model.clone(),
            dimensions,
        };
        layout.ensure(&link, &names.collection).await?;
        Ok(Self {
            link,
            layout,
            names,
            version,
            live: AtomicBool::new(false),
        })
    }

    /// The name of its collection on the server.
    pub fn collection(&self) -> &str {
        &self.names.collection
    }

    fn check(&self, changes: &[Change]) -> Result<(), IndexError> {
        let expected = self.layout.dimensions;
        for change in changes {
            let Change::Put(entry) = change else { continue };
            for (_, vector) in entry.dense.iter() {
                if vector.len() != expected || vector.iter().any(|x| !x.is_finite()) {
                    let (id, found) = (&entry.document.id, vector.len());
                    let reason = format!(
                        "a vector of '{id}' has {found} numbers; expected {expected}, all finite"
                    );
                    return Err(IndexError::engine(ENGINE, reason));
                }
            }
        }
        Ok(())
    }

    async fn write(&self, changes: Vec<Change>) -> Result<(), IndexError> {
        let batch = UpdateBatchPoints {
            collection_name: self.names.collection.clone(),
            wait: Some(true),
            operations: points::operations(changes),
            ordering: Some(collection::ordering()),
            timeout: None,
        };
        let mut points = self.link.points();
        let request = self.link.request(batch);
        let answer = self.link.answer(points.update_batch(request)).await?;
        let applied = i32::from(UpdateStatus::Completed);
        match answer.result.iter().find(|result| result.status != applied) {
            None => Ok(()),
            Some(result) => {
                let status = result.status().as_str_name();
                let reason = format!("a write was taken and not applied in time ({status})");
                Err(IndexError::engine(ENGINE, reason))
            }
        }
    }

    /// Every line of a collection's manifest.
    async fn manifest_of(&self, collection: &str) -> Result<Manifest, Fault> {
        let mut lines = Vec::new();
        let mut unreadable = 0_usize;
        let mut offset = None;
        loop {
            let page = ScrollPoints {
                collection_name: collection.to_owned(),
                offset,
                limit: Some(PAGE),
                with_payload: Some(only(&MANIFEST_FIELDS)),
                with_vectors: Some(vectors(false)),
                ..ScrollPoints::default()
            };
            let mut points = self.link.points();
            let answer = self
                .link
                .answer(points.scroll(self.link.request(page)))
                .await?;
            for point in answer.result {
                match points::manifest_entry(point) {
                    Some(line) => lines.push(line),
                    None => unreadable += 1,
                }
            }
            match answer.next_page_offset {
                Some(next) => offset = Some(next),
                None => break,
            }
        }
        if unreadable > 0 {
            // They count as missing, so the repair writes over those that are ours.
            tracing::warn!(
                engine = ENGINE,
                points = unreadable,
                "unreadable points left out"
            );
        }
        Ok(lines.into_iter().collect())
    }

    /// Points the alias at our collection, once it holds all that its predecessor holds.
    async fn go_live(&self) -> Result<(), IndexError> {
        let target = alias_target(&self.link, &self.names.alias).await?;
        if target.as_ref() != Some(&self.names.collection) {
            if let Some(former) = &target {
                let theirs = match self.manifest_of(former).await {
                    // Dropped meanwhile, and its alias with it.
                    Err(Fault::Missing(_)) => Manifest::default(),
                    manifest => manifest?,
                };
                let ours = self.manifest_of(&self.names.collection).await?;
                let missing = theirs.ahead_of(&ours).len();
                if missing > 0 {
                    tracing::info!(engine = ENGINE, documents = missing, "not live yet");
                    return Ok(());
                }
            }
            point_alias(&self.link, &self.names, target.is_some()).await?;
            let Names { alias, collection } = &self.names;
            tracing::info!(alias, collection, former = target, "collection is live");
        }
        self.live.store(true, Ordering::Release);
        Ok(())
    }
}

async fn server_version(link: &Link) -> Result<String, IndexError> {
    let mut server = link.server();
    let request = link.request(HealthCheckRequest {});
    let version = link.answer(server.health_check(request)).await?.version;
    let mut numbers = version.split(['.', '-']).map(str::parse::<u64>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= OLDEST => Ok(version),
        _ => {
            let (major, minor) = OLDEST;
            let reason = format!(
                "the server is version '{version}'; {major}.{minor} or newer is needed, because an older one \
                 writes without regard to revisions"
            );
            Err(IndexError::engine(ENGINE, reason))
        }
    }
}

#[async_trait]
impl VectorIndex for QdrantIndex {
    fn engine(&self) -> &'static str {
        ENGINE
    }

    fn version(&self) -> &str {
        &self.version
    }

    async fn apply(&self, changes: Vec<Change>) -> Result<(), IndexError> {
        self.check(&changes)?;
        let mut changes = changes.into_iter();
        loop {
            let batch: Vec<Change> = changes.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                return Ok(());
            }
            self.write(batch).await?;
        }
    }

    async fn candidates(&self, query: IndexQuery) -> Result<Vec<Candidate>, IndexError> {
        let lists = lists(&self.names.collection, &query);
        if lists.is_empty() {
            return Ok(Vec::new());
        }
        let batch = QueryBatchPoints {
            collection_name: self.names.collection.clone(),
            query_points: lists,
            ..QueryBatchPoints::default()
        };
        let mut points = self.link.points();
        let request = self.link.request(batch);
        let answer = self.link.answer(points.query_batch(request)).await?;
        let mut found: HashMap<ImageId, Candidate> = HashMap::new();
        for point in answer.result.into_iter().flat_map(|list| list.result) {
            let Some(vectors) = point.vectors else {
                continue;
            };
            if let Some(candidate) = points::candidate(point.payload, vectors) {
                found.insert(candidate.id.clone(), candidate);
            }
        }
        Ok(found.into_values().collect())
    }

    async fn manifest(&self) -> Result<Manifest, IndexError> {
        match self.manifest_of(&self.names.collection).await {
            Err(Fault::Missing(error)) => {
                // Dropped under us: made anew, empty, so that the repair fills it.
                tracing::error!(%error, "the collection is gone and is made anew");
                self.layout
                    .ensure(&self.link, &self.names.collection)
                    .await?;
                self.live.store(false, Ordering::Release);
                Ok(Manifest::default())
            }
            manifest => Ok(manifest?),
        }
    }

    async fn maintain(&self) -> Result<(), IndexError> {
        if self.live.load(Ordering::Acquire) {
            return Ok(());
        }
        self.go_live().await
    }

    async fn entries(&self, ids: Vec<ImageId>) -> Result<Vec<IndexEntry>, IndexError> {
        if ids.is_empty() {
            // Asked for nothing, one wants to know whether anybody answers.
            return server_version(&self.link).await.map(|_| Vec::new());
        }
        let mut entries = Vec::with_capacity(ids.len());
        for page in ids.chunks(ENTRIES) {
            let wanted = GetPoints {
                collection_name: self.names.collection.clone(),
                ids: page.iter().map(points::point_id).collect(),
                with_payload: Some(WithPayloadSelector {
                    selector_options: Some(with_payload_selector::SelectorOptions::Enable(true)),
                }),
                with_vectors: Some(vectors(true)),
                ..GetPoints::default()
            };
            let mut points = self.link.points();
            let answer = self
                .link
                .answer(points.get(self.link.request(wanted)))
                .await?;
            entries.extend(answer.result.into_iter().filter_map(points::entry));
        }
        Ok(entries)
    }
}

/// Up to two lists by meaning and two by words. The vectors come with the hits: a second call for them would
/// cost a round trip, and might find them changed.
fn lists(collection: &str, query: &IndexQuery) -> Vec<QueryPoints> {
    let filter = points::filter(&query.filters, query.status);
    let list = |name: VectorName, vector: vector_input::Variant| QueryPoints {
        collection_name: collection.to_owned(),
        query: Some(Query {
            variant: Some(query::Variant::Nearest(VectorInput {
                variant: Some(vector),
            })),
        }),
        using: Some(name.as_str().to_owned()),
        filter: Some(filter.clone()),
        limit: Some(query.depth as u64),
        with_payload: Some(only(&[ID])),
        with_vectors: Some(vectors(true)),
        ..QueryPoints::default()
    };
    let mut lists = Vec::with_capacity(4);
    if let Some(data) = &query.dense {
        let dense = || vector_input::Variant::Dense(DenseVector { data: data.clone() });
        lists.extend(VectorName::DENSE.map(|name| list(name, dense())));
    }
    for name in VectorName::SPARSE {
        let indices = &query.sparse.get(name.language()).indices;
        if !indices.is_empty() {
            // The server multiplies by the IDF itself; the query side is one per term.
            let words = vector_input::Variant::Sparse(QdrantSparse {
                indices: indices.clone(),
                values: vec![1.0; indices.len()],
            });
            lists.push(list(name, words));
        }
    }
    lists
}

fn only(fields: &[&str]) -> WithPayloadSelector {
    let fields = fields.iter().map(|field| (*field).to_owned()).collect();
    WithPayloadSelector {
        selector_options: Some(with_payload_selector::SelectorOptions::Include(
            PayloadIncludeSelector { fields },
        )),
    }
}

fn vectors(wanted: bool) -> WithVectorsSelector {
    WithVectorsSelector {
        selector_options: Some(with_vectors_selector::SelectorOptions::Enable(wanted)),
    }
}
