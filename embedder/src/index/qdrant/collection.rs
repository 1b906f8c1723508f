//! Our collection on the server: its name, its layout, and the alias that says which one is live.
//!
//! ADR 0020 has the scheme.

use std::collections::HashMap;

use contracts::ModelId;
use qdrant_client::qdrant::{
    AliasOperations, ChangeAliases, CollectionInfo, CreateAlias, CreateCollection,
    CreateFieldIndexCollection, DeleteAlias, Distance, FieldType, GetCollectionInfoRequest,
    ListAliasesRequest, Modifier, SparseVectorConfig, SparseVectorParams, Value, VectorParams,
    VectorParamsMap, VectorsConfig, WriteOrdering, WriteOrderingType, alias_operations::Action,
    vectors_config,
};

use super::{
    ENGINE,
    link::{Fault, Link},
};
use crate::{
    index::{
        IndexError,
        point::{FILTER_FIELDS, FieldKind, VectorName},
    },
    model::source::slug,
};

/// Version of the layout: vectors' names and kinds, payload fields. To be raised with any of them; a collection
/// of the new name is then built beside the old one.
const LAYOUT: u32 = 1;
/// Which model made the vectors, in the collection's metadata.
const MODEL: &str = "model";

/// Names of what is ours on the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The collection of this model and layout.
    pub collection: String,
    /// The alias, the same for all models.
    pub alias: String,
}

impl Names {
    /// `promptsales_minilm-es-en-v1-f1_v1` and `promptsales_live`.
    pub fn new(prefix: &str, model: &ModelId) -> Self {
        let model = slug(model.as_str());
        let model = &model[..model.len().min(100)];
        Self {
            collection: format!("{prefix}_{model}_v{LAYOUT}"),
            alias: format!("{prefix}_live"),
        }
    }
}

/// The vectors that a collection is for.
pub struct Layout {
    /// Who made them.
    pub model: ModelId,
    /// Numbers in one.
    pub dimensions: usize,
}

impl Layout {
    /// Makes the collection where it is missing, completes its payload indexes, and checks that it is this
    /// model's.
    pub async fn ensure(&self, link: &Link, name: &str) -> Result<(), IndexError> {
        let info = match self.info(link, name).await {
            Err(Fault::Missing(_)) => {
                // Another process may have been quicker: what counts is what is there then.
                let created = self.create(link, name).await;
                match self.info(link, name).await {
                    Ok(info) => info,
                    Err(fault) => return Err(created.err().unwrap_or(fault).into()),
                }
            }
            found => found?,
        };
        self.check(name, &info)?;
        for (field, kind) in FILTER_FIELDS {
            if !info.payload_schema.contains_key(field) {
                index_field(link, name, field, kind).await?;
            }
        }
        Ok(())
    }

    async fn info(&self, link: &Link, name: &str) -> Result<CollectionInfo, Fault> {
        let mut collections = link.collections();
        let asked = GetCollectionInfoRequest {
            collection_name: name.to_owned(),
        };
        let answer = link.answer(collections.get(link.request(asked))).await?;
        answer.result.ok_or_else(|| {
            Fault::Other(IndexError::engine(
                ENGINE,
                format!("nothing is told of '{name}'"),
            ))
        })
    }

    async fn create(&self, link: &Link, name: &str) -> Result<(), Fault> {
        let dense = VectorParams {
            size: self.dimensions as u64,
            // Unit vectors: the inner product is the cosine, and nothing is normalised a second time.
            distance: Distance::Dot.into(),
            ..VectorParams::default()
        };
        let words = SparseVectorParams {
            modifier: Some(Modifier::Idf.into()),
            ..SparseVectorParams::default()
        };
        let collection = CreateCollection {
            collection_name: name.to_owned(),
            vectors_config: Some(VectorsConfig {
                config: Some(vectors_config::Config::ParamsMap(VectorParamsMap {
                    map: named(VectorName::DENSE, &dense),
                })),
            }),
            sparse_vectors_config: Some(SparseVectorConfig {
                map: named(VectorName::SPARSE, &words),
            }),
            metadata: HashMap::from([(MODEL.to_owned(), Value::from(self.model.as_str()))]),
            ..CreateCollection::default()
        };
        let mut collections = link.collections();
        link.answer(collections.create(link.request(collection)))
            .await?;
        tracing::info!(collection = name, "collection created");
        Ok(())
    }

    fn check(&self, name: &str, info: &CollectionInfo) -> Result<(), IndexError> {
        let config = info.config.clone().unwrap_or_default();
        let params = config.params.unwrap_or_default();
        let model = config.metadata.get(MODEL).and_then(|model| model.as_str());
        let dense = match params.vectors_config.and_then(|vectors| vectors.config) {
            Some(vectors_config::Config::ParamsMap(dense)) => dense.map,
            _ => HashMap::new(),
        };
        let sizes = VectorName::DENSE.map(|name| dense.get(name.as_str()).map(|v| v.size));
        let Some((model, size)) = model.zip(sizes[0]).filter(|_| sizes[0] == sizes[1]) else {
            return Err(foreign(name, "its model or its dense vectors"));
        };
        if *model != self.model.as_str() || size != self.dimensions as u64 {
            return Err(IndexError::ModelMismatch {
                engine: ENGINE,
                found: format!("{model} ({size} dimensions, collection '{name}')"),
                expected: format!("{} ({} dimensions)", self.model, self.dimensions),
            });
        }
        let dot = |params: &VectorParams| params.distance == i32::from(Distance::Dot);
        if !VectorName::DENSE
            .iter()
            .all(|name| dense.get(name.as_str()).is_some_and(dot))
        {
            return Err(foreign(
                name,
                "the distance of its dense vectors, which is not Dot",
            ));
        }
        let sparse = params.sparse_vectors_config.unwrap_or_default().map;
        let idf = |params: &SparseVectorParams| params.modifier == Some(Modifier::Idf.into());
        if !VectorName::SPARSE
            .iter()
            .all(|name| sparse.get(name.as_str()).is_some_and(idf))
        {
            return Err(foreign(
                name,
                "its sparse vectors, which lack the IDF modifier",
            ));
        }
        Ok(())
    }
}

fn named<T: Clone>(names: [VectorName; 2], params: &T) -> HashMap<String, T> {
    names
        .map(|name| (name.as_str().to_owned(), params.clone()))
        .into()
}

fn foreign(name: &str, what: &str) -> IndexError {
    let reason = format!(
        "the collection '{name}' was not made by this service, by {what}; drop it, and it is made and filled \
         anew, or choose another collection prefix"
    );
    IndexError::engine(ENGINE, reason)
}

async fn index_field(
    link: &Link,
    collection: &str,
    field: &str,
    kind: FieldKind,
) -> Result<(), IndexError> {
    let kind = match kind {
        FieldKind::Keyword => FieldType::Keyword,
        FieldKind::Integer => FieldType::Integer,
    };
    let index = CreateFieldIndexCollection {
        collection_name: collection.to_owned(),
        wait: Some(true),
        field_name: field.to_owned(),
        field_type: Some(kind.into()),
        ordering: Some(ordering()),
        ..CreateFieldIndexCollection::default()
    };
    let mut points = link.points();
    link.answer(points.create_field_index(link.request(index)))
        .await?;
    Ok(())
}

/// Writes go through one leader at a time, so that replicas apply them in one order; when it is lost,
/// another is chosen.
pub fn ordering() -> WriteOrdering {
    WriteOrdering {
        r#type: WriteOrderingType::Medium.into(),
    }
}

/// The collection that an alias points at.
pub async fn alias_target(link: &Link, alias: &str) -> Result<Option<String>, IndexError> {
    let mut collections = link.collections();
    let asked = link.request(ListAliasesRequest {});
    let answer = link.answer(collections.list_aliases(asked)).await?;
    let ours = answer
        .aliases
        .into_iter()
        .find(|found| found.alias_name == alias);
    Ok(ours.map(|found| found.collection_name))
}

/// Points the alias at a collection. Both steps are one change: nobody finds the alias missing in between.
pub async fn point_alias(link: &Link, names: &Names, replaces: bool) -> Result<(), IndexError> {
    let delete = Action::DeleteAlias(DeleteAlias {
        alias_name: names.alias.clone(),
    });
    let create = Action::CreateAlias(CreateAlias {
        collection_name: names.collection.clone(),
        alias_name: names.alias.clone(),
    });
    let steps = replaces.then_some(delete).into_iter().chain([create]);
    let change = ChangeAliases {
        actions: steps
            .map(|action| AliasOperations {
                action: Some(action),
            })
            .collect(),
        ..ChangeAliases::default()
    };
    let mut collections = link.collections();
    link.answer(collections.update_aliases(link.request(change)))
        .await?;
    Ok(())
}
