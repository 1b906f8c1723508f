//! Entries as Edge points and back, and filters as Edge filters.

use contracts::{ContentHash, Filters, ImageId, Language, content::Status, index::IndexDocument};
use qdrant_edge::{
    CreateIndex, FieldIndexOperations, Filter, JsonPath, OperationError, Payload,
    PayloadFieldSchema, PayloadSchemaType, PointId, PointStruct, Record, UpdateOperation, Vector,
    VectorInternal, VectorStructInternal, Vectors, WithPayloadInterface, external::uuid::Uuid,
};
use serde_json::{Value, json};

use crate::{
    index::{Candidate, IndexEntry, ManifestEntry, PerLanguage, Tombstone},
    lexical::SparseVector,
};

/// Point ids are UUIDs of this namespace, made from the slug.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f0c_1a5e_2b7d_5c43_9e21_7d40_b6f3_8a10);
/// The last day of the year 9999: later than any usage right ends.
const NO_END: i64 = 99_991_231;

/// The vectors of a point.
#[derive(Clone, Copy)]
pub enum VectorName {
    DenseEs,
    DenseEn,
    SparseEs,
    SparseEn,
}

impl VectorName {
    pub const DENSE: [Self; 2] = [Self::DenseEs, Self::DenseEn];
    pub const SPARSE: [Self; 2] = [Self::SparseEs, Self::SparseEn];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::DenseEs => "dense_es",
            Self::DenseEn => "dense_en",
            Self::SparseEs => "sparse_es",
            Self::SparseEn => "sparse_en",
        }
    }

    pub fn language(self) -> Language {
        match self {
            Self::DenseEs | Self::SparseEs => Language::Es,
            Self::DenseEn | Self::SparseEn => Language::En,
        }
    }
}

pub fn point_id(id: &ImageId) -> PointId {
    PointId::Uuid(Uuid::new_v5(&NAMESPACE, id.as_str().as_bytes()))
}

/// The payload fields that filters use, with the kind of their index.
pub fn indexes() -> [(&'static str, PayloadSchemaType); 9] {
    use PayloadSchemaType::{Integer, Keyword};
    [
        ("status", Keyword),
        ("themes", Keyword),
        ("campaign_themes", Keyword),
        ("channels", Keyword),
        ("audience", Keyword),
        ("orientation", Keyword),
        ("territories", Keyword),
        ("usable_from", Integer),
        ("usable_until", Integer),
    ]
}

pub fn create_index(field: &str, schema: PayloadSchemaType) -> UpdateOperation {
    UpdateOperation::FieldIndexOperation(FieldIndexOperations::CreateIndex(CreateIndex {
        field_name: path(field),
        field_schema: Some(PayloadFieldSchema::FieldType(schema)),
    }))
}

/// The fields of a manifest entry.
pub fn manifest_fields() -> WithPayloadInterface {
    WithPayloadInterface::Fields(["id", "revision", "content_hash"].map(path).to_vec())
}

fn path(field: &str) -> JsonPath {
    field.parse().expect("our field names are plain words")
}

pub fn point_for(entry: &IndexEntry) -> Result<PointStruct, OperationError> {
    let document = &entry.document;
    let facets = &document.facets;
    let payload = json!({
        "id": document.id,
        "revision": document.revision,
        "content_hash": entry.content_hash,
        "document": document,
        "status": facets.status,
        "themes": facets.themes,
        "campaign_themes": facets.campaign_themes,
        "channels": facets.channels,
        "audience": facets.audience,
        "orientation": facets.orientation,
        "territories": facets.territories,
        "usable_from": day_number(&facets.usable_from),
        "usable_until": facets.usable_until.as_deref().map_or(NO_END, day_number),
    });
    let sparse =
        |vector: &SparseVector| Vector::new_sparse(vector.indices.clone(), vector.values.clone());
    let mut vectors = vec![
        (
            VectorName::DenseEs.as_str(),
            Vector::new_dense(entry.dense.es.clone()),
        ),
        (
            VectorName::DenseEn.as_str(),
            Vector::new_dense(entry.dense.en.clone()),
        ),
    ];
    for name in VectorName::SPARSE {
        vectors.push((name.as_str(), sparse(entry.sparse.get(name.language()))?));
    }
    Ok(PointStruct::new(
        point_id(&document.id),
        Vectors::new_named(vectors),
        payload,
    ))
}

pub fn tombstone_point(tombstone: &Tombstone) -> Result<PointStruct, OperationError> {
    let payload = json!({ "id": tombstone.id, "revision": tombstone.revision });
    let no_vectors: [(&str, Vector); 0] = [];
    Ok(PointStruct::new(
        point_id(&tombstone.id),
        Vectors::new_named(no_vectors),
        payload,
    ))
}

pub fn manifest_entry_from(record: &Record) -> Option<(ImageId, ManifestEntry)> {
    let payload = record.payload.as_ref()?;
    let id = text(payload, "id")?.parse().ok()?;
    let revision = field(payload, "revision")?.as_i64()?;
    let content_hash = text(payload, "content_hash").map(ContentHash::from_hex);
    Some((
        id,
        ManifestEntry {
            revision,
            content_hash,
        },
    ))
}

pub fn entry_from(record: &Record) -> Option<IndexEntry> {
    let payload = record.payload.as_ref()?;
    let document: IndexDocument =
        serde_json::from_value(field(payload, "document")?.clone()).ok()?;
    let content_hash = ContentHash::from_hex(text(payload, "content_hash")?);
    let Candidate { dense, sparse, .. } = candidate_from(record, document.id.clone())?;
    Some(IndexEntry {
        document,
        content_hash,
        dense,
        sparse,
    })
}

pub fn candidate_from(record: &Record, id: ImageId) -> Option<Candidate> {
    let VectorStructInternal::Named(vectors) = record.vector.as_ref()? else {
        return None;
    };
    let dense = |name: VectorName| match vectors.get(name.as_str())? {
        VectorInternal::Dense(vector) => Some(vector.clone()),
        _ => None,
    };
    // A text without a single term has no sparse vector to give back.
    let sparse = |name: VectorName| match vectors.get(name.as_str()) {
        Some(VectorInternal::Sparse(vector)) => SparseVector {
            indices: vector.indices.clone(),
            values: vector.values.clone(),
        },
        _ => SparseVector::default(),
    };
    Some(Candidate {
        id,
        dense: PerLanguage {
            es: dense(VectorName::DenseEs)?,
            en: dense(VectorName::DenseEn)?,
        },
        sparse: PerLanguage {
            es: sparse(VectorName::SparseEs),
            en: sparse(VectorName::SparseEn),
        },
    })
}

fn field<'a>(payload: &'a Payload, name: &str) -> Option<&'a Value> {
    payload.0.get(name)
}

fn text<'a>(payload: &'a Payload, name: &str) -> Option<&'a str> {
    field(payload, name)?.as_str()
}

/// The conditions in Qdrant's JSON form, read by Qdrant's own types.
pub fn filter_for(filters: &Filters, status: Status) -> Result<Filter, OperationError> {
    let mut must = vec![any("status", &[status.as_str()])];
    let lists = [
        ("themes", &filters.themes),
        ("campaign_themes", &filters.campaign_themes),
        ("channels", &filters.channels),
        ("audience", &filters.audience),
    ];
    must.extend(
        lists
            .into_iter()
            .filter(|(_, wanted)| !wanted.is_empty())
            .map(|(key, wanted)| any(key, &wanted.iter().map(String::as_str).collect::<Vec<_>>())),
    );
    if !filters.orientation.is_empty() {
        let wanted: Vec<&str> = filters.orientation.iter().map(|o| o.as_str()).collect();
        must.push(any("orientation", &wanted));
    }
    if let Some(territory) = &filters.territory {
        must.push(any("territories", &[territory, "*"]));
    }
    if let Some(day) = filters.usable_on.as_deref().map(day_number) {
        must.push(json!({ "key": "usable_from", "range": { "lte": day } }));
        must.push(json!({ "key": "usable_until", "range": { "gte": day } }));
    }
    serde_json::from_value(json!({ "must": must }))
        .map_err(|error| OperationError::service_error(error.to_string()))
}

fn any(key: &str, wanted: &[&str]) -> Value {
    json!({ "key": key, "match": { "any": wanted } })
}

/// `2026-11-22` as 20261122, which sorts like the day.
fn day_number(day: &str) -> i64 {
    day.chars()
        .filter(char::is_ascii_digit)
        .collect::<String>()
        .parse()
        .unwrap_or(NO_END)
}
