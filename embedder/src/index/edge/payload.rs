//! Entries as Edge points and back, and filters as Edge filters: [`crate::index::point`] in Edge's types.

use contracts::{Filters, ImageId, content::Status};
use qdrant_edge::{
    CreateIndex, FieldIndexOperations, Filter, JsonPath, OperationError, PayloadFieldSchema,
    PayloadSchemaType, PointId, PointStruct, Record, UpdateOperation, Vector, VectorInternal,
    VectorStructInternal, Vectors, WithPayloadInterface, external::uuid::Uuid,
};
use serde_json::{Value, json};

pub use crate::index::point::VectorName;
use crate::{
    index::{
        Candidate, IndexEntry, ManifestEntry, PerLanguage, Tombstone,
        point::{self, Condition, FieldKind},
    },
    lexical::SparseVector,
};

pub fn point_id(id: &ImageId) -> PointId {
    PointId::Uuid(Uuid::from_u128(point::point_id(id).as_u128()))
}

/// The payload fields that filters use, with the kind of their index.
pub fn indexes() -> impl Iterator<Item = (&'static str, PayloadSchemaType)> {
    point::FILTER_FIELDS.into_iter().map(|(field, kind)| {
        let schema = match kind {
            FieldKind::Keyword => PayloadSchemaType::Keyword,
            FieldKind::Integer => PayloadSchemaType::Integer,
        };
        (field, schema)
    })
}

pub fn create_index(field: &str, schema: PayloadSchemaType) -> UpdateOperation {
    UpdateOperation::FieldIndexOperation(FieldIndexOperations::CreateIndex(CreateIndex {
        field_name: path(field),
        field_schema: Some(PayloadFieldSchema::FieldType(schema)),
    }))
}

/// The fields of a manifest entry.
pub fn manifest_fields() -> WithPayloadInterface {
    WithPayloadInterface::Fields(point::MANIFEST_FIELDS.map(path).to_vec())
}

fn path(field: &str) -> JsonPath {
    field.parse().expect("our field names are plain words")
}

pub fn point_for(entry: &IndexEntry) -> Result<PointStruct, OperationError> {
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
        point_id(&entry.document.id),
        Vectors::new_named(vectors),
        Value::Object(point::payload(entry)),
    ))
}

pub fn tombstone_point(tombstone: &Tombstone) -> Result<PointStruct, OperationError> {
    let no_vectors: [(&str, Vector); 0] = [];
    Ok(PointStruct::new(
        point_id(&tombstone.id),
        Vectors::new_named(no_vectors),
        Value::Object(point::tombstone_payload(tombstone)),
    ))
}

pub fn manifest_entry_from(record: &Record) -> Option<(ImageId, ManifestEntry)> {
    point::manifest_entry(&record.payload.as_ref()?.0)
}

pub fn entry_from(record: &Record) -> Option<IndexEntry> {
    let (document, content_hash) = point::document(&record.payload.as_ref()?.0)?;
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

/// The conditions in Qdrant's JSON form, read by Qdrant's own types.
pub fn filter_for(filters: &Filters, status: Status) -> Result<Filter, OperationError> {
    let json = |(key, condition): (&str, Condition)| match condition {
        Condition::AnyOf(wanted) => json!({ "key": key, "match": { "any": wanted } }),
        Condition::AtMost(most) => json!({ "key": key, "range": { "lte": most } }),
        Condition::AtLeast(least) => json!({ "key": key, "range": { "gte": least } }),
    };
    let must: Vec<Value> = point::conditions(filters, status)
        .into_iter()
        .map(json)
        .collect();
    serde_json::from_value(json!({ "must": must }))
        .map_err(|error| OperationError::service_error(error.to_string()))
}
