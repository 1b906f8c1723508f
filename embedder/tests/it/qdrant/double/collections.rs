//! Collections and aliases.

use std::collections::{BTreeMap, HashMap};

use ::qdrant_client::qdrant::*;
use ::qdrant_client::qdrant::{alias_operations::Action, collections_server::Collections};
use tonic::{Request, Response, Status};

use super::{Collection, Double, unused};

fn done() -> Response<CollectionOperationResponse> {
    Response::new(CollectionOperationResponse {
        result: true,
        time: 0.0,
    })
}

#[tonic::async_trait]
impl Collections for Double {
    async fn get(
        &self,
        request: Request<GetCollectionInfoRequest>,
    ) -> Result<Response<GetCollectionInfoResponse>, Status> {
        let asked = self.enter("collection_info", request).await?;
        let mut state = self.state();
        let collection = state.collection(&asked.collection_name)?;
        let created = collection.created.clone();
        let info = CollectionInfo {
            config: Some(CollectionConfig {
                params: Some(CollectionParams {
                    vectors_config: created.vectors_config,
                    sparse_vectors_config: created.sparse_vectors_config,
                    ..CollectionParams::default()
                }),
                metadata: created.metadata,
                ..CollectionConfig::default()
            }),
            payload_schema: collection.indexes.clone(),
            ..CollectionInfo::default()
        };
        Ok(Response::new(GetCollectionInfoResponse {
            result: Some(info),
            time: 0.0,
        }))
    }

    async fn create(
        &self,
        request: Request<CreateCollection>,
    ) -> Result<Response<CollectionOperationResponse>, Status> {
        let created = self.enter("create_collection", request).await?;
        let name = created.collection_name.clone();
        let mut state = self.state();
        if state.collections.contains_key(&name) || state.aliases.contains_key(&name) {
            return Err(Status::already_exists(format!("`{name}` already exists!")));
        }
        let collection = Collection {
            created,
            indexes: HashMap::new(),
            points: BTreeMap::new(),
        };
        state.collections.insert(name, collection);
        Ok(done())
    }

    async fn update_aliases(
        &self,
        request: Request<ChangeAliases>,
    ) -> Result<Response<CollectionOperationResponse>, Status> {
        let change = self.enter("update_aliases", request).await?;
        let mut state = self.state();
        // All or none.
        let mut aliases = state.aliases.clone();
        for step in change.actions {
            match step.action {
                Some(Action::DeleteAlias(delete)) => {
                    aliases
                        .remove(&delete.alias_name)
                        .ok_or_else(|| Status::not_found("no such alias"))?;
                }
                Some(Action::CreateAlias(create)) => {
                    if state.collections.contains_key(&create.alias_name) {
                        return Err(Status::invalid_argument("a collection has that name"));
                    }
                    if !state.collections.contains_key(&create.collection_name) {
                        return Err(Status::not_found("no such collection"));
                    }
                    aliases.insert(create.alias_name, create.collection_name);
                }
                other => return Err(Status::unimplemented(format!("{other:?}"))),
            }
        }
        state.aliases = aliases;
        Ok(done())
    }

    async fn list_aliases(
        &self,
        request: Request<ListAliasesRequest>,
    ) -> Result<Response<ListAliasesResponse>, Status> {
        self.enter("list_aliases", request).await?;
        let described = |(alias, collection): (&String, &String)| AliasDescription {
            alias_name: alias.clone(),
            collection_name: collection.clone(),
        };
        let aliases = self.state().aliases.iter().map(described).collect();
        Ok(Response::new(ListAliasesResponse { aliases, time: 0.0 }))
    }

    unused! {
        list: ListCollectionsRequest => ListCollectionsResponse,
        update: UpdateCollection => CollectionOperationResponse,
        delete: DeleteCollection => CollectionOperationResponse,
        list_collection_aliases: ListCollectionAliasesRequest => ListAliasesResponse,
        collection_cluster_info: CollectionClusterInfoRequest => CollectionClusterInfoResponse,
        collection_exists: CollectionExistsRequest => CollectionExistsResponse,
        update_collection_cluster_setup:
            UpdateCollectionClusterSetupRequest => UpdateCollectionClusterSetupResponse,
        create_shard_key: CreateShardKeyRequest => CreateShardKeyResponse,
        delete_shard_key: DeleteShardKeyRequest => DeleteShardKeyResponse,
        list_shard_keys: ListShardKeysRequest => ListShardKeysResponse,
    }
}
