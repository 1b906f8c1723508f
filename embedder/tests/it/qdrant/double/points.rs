//! Writing, reading and searching points.

use std::collections::HashMap;

use ::qdrant_client::qdrant::*;
use ::qdrant_client::qdrant::{
    point_id::PointIdOptions,
    points_selector::PointsSelectorOneOf,
    points_server::Points,
    points_update_operation::{Operation, PointStructList},
    with_payload_selector::SelectorOptions as PayloadOptions,
    with_vectors_selector::SelectorOptions as VectorOptions,
};
use tonic::{Request, Response, Status};

use super::{Collection, Double, Point, filters::meets, unused};

/// Points of one page of a scroll: small, so that there are several.
const PAGE: usize = 3;

#[tonic::async_trait]
impl Points for Double {
    async fn update_batch(
        &self,
        request: Request<UpdateBatchPoints>,
    ) -> Result<Response<UpdateBatchResponse>, Status> {
        let batch = self.enter("update_batch", request).await?;
        assert_eq!(batch.wait, Some(true), "an unawaited write is not durable");
        let mut state = self.state();
        let status = if state.only_acknowledges {
            UpdateStatus::WaitTimeout
        } else {
            UpdateStatus::Completed
        };
        let collection = state.collection(&batch.collection_name)?;
        let mut result = Vec::new();
        for operation in batch.operations {
            match operation.operation.unwrap() {
                Operation::Upsert(list) => upsert(collection, list)?,
                Operation::DeleteVectors(delete) => delete_vectors(collection, delete),
                other => return Err(Status::unimplemented(format!("{other:?}"))),
            }
            result.push(UpdateResult {
                operation_id: None,
                status: status.into(),
            });
        }
        Ok(Response::new(UpdateBatchResponse {
            result,
            time: 0.0,
            usage: None,
        }))
    }

    async fn query_batch(
        &self,
        request: Request<QueryBatchPoints>,
    ) -> Result<Response<QueryBatchResponse>, Status> {
        let batch = self.enter("query_batch", request).await?;
        let mut state = self.state();
        let collection = state.collection(&batch.collection_name)?;
        let list = |query: &QueryPoints| BatchResult {
            result: nearest(collection, query),
        };
        Ok(Response::new(QueryBatchResponse {
            result: batch.query_points.iter().map(list).collect(),
            time: 0.0,
            usage: None,
        }))
    }

    async fn scroll(
        &self,
        request: Request<ScrollPoints>,
    ) -> Result<Response<ScrollResponse>, Status> {
        let page = self.enter("scroll", request).await?;
        let mut state = self.state();
        let collection = state.collection(&page.collection_name)?;
        let from = page.offset.as_ref().map_or("", uuid).to_owned();
        let size = PAGE.min(page.limit.unwrap() as usize);
        let mut rest = collection.points.range(from..);
        let result = rest
            .by_ref()
            .take(size)
            .map(|(id, point)| retrieved(id, point, &page.with_payload, &page.with_vectors))
            .collect();
        Ok(Response::new(ScrollResponse {
            next_page_offset: rest.next().map(|(id, _)| id.as_str().into()),
            result,
            time: 0.0,
            usage: None,
        }))
    }

    async fn get(&self, request: Request<GetPoints>) -> Result<Response<GetResponse>, Status> {
        let wanted = self.enter("get", request).await?;
        let mut state = self.state();
        let collection = state.collection(&wanted.collection_name)?;
        let found = wanted.ids.iter().filter_map(|id| {
            let point = collection.points.get(uuid(id))?;
            Some(retrieved(
                uuid(id),
                point,
                &wanted.with_payload,
                &wanted.with_vectors,
            ))
        });
        Ok(Response::new(GetResponse {
            result: found.collect(),
            time: 0.0,
            usage: None,
        }))
    }

    async fn create_field_index(
        &self,
        request: Request<CreateFieldIndexCollection>,
    ) -> Result<Response<PointsOperationResponse>, Status> {
        let index = self.enter("create_field_index", request).await?;
        let mut state = self.state();
        let collection = state.collection(&index.collection_name)?;
        let data_type = match index.field_type() {
            FieldType::Keyword => PayloadSchemaType::Keyword,
            FieldType::Integer => PayloadSchemaType::Integer,
            other => panic!("not ours: {other:?}"),
        };
        let info = PayloadSchemaInfo {
            data_type: data_type.into(),
            ..PayloadSchemaInfo::default()
        };
        collection.indexes.insert(index.field_name, info);
        Ok(Response::new(PointsOperationResponse::default()))
    }

    unused! {
        upsert: UpsertPoints => PointsOperationResponse,
        delete: DeletePoints => PointsOperationResponse,
        update_vectors: UpdatePointVectors => PointsOperationResponse,
        delete_vectors: DeletePointVectors => PointsOperationResponse,
        set_payload: SetPayloadPoints => PointsOperationResponse,
        overwrite_payload: SetPayloadPoints => PointsOperationResponse,
        delete_payload: DeletePayloadPoints => PointsOperationResponse,
        clear_payload: ClearPayloadPoints => PointsOperationResponse,
        delete_field_index: DeleteFieldIndexCollection => PointsOperationResponse,
        create_vector_name: CreateVectorNameRequest => PointsOperationResponse,
        delete_vector_name: DeleteVectorNameRequest => PointsOperationResponse,
        search: SearchPoints => SearchResponse,
        search_batch: SearchBatchPoints => SearchBatchResponse,
        search_groups: SearchPointGroups => SearchGroupsResponse,
        recommend: RecommendPoints => RecommendResponse,
        recommend_batch: RecommendBatchPoints => RecommendBatchResponse,
        recommend_groups: RecommendPointGroups => RecommendGroupsResponse,
        discover: DiscoverPoints => DiscoverResponse,
        discover_batch: DiscoverBatchPoints => DiscoverBatchResponse,
        count: CountPoints => CountResponse,
        query: QueryPoints => QueryResponse,
        query_groups: QueryPointGroups => QueryGroupsResponse,
        facet: FacetCounts => FacetResponse,
        search_matrix_pairs: SearchMatrixPoints => SearchMatrixPairsResponse,
        search_matrix_offsets: SearchMatrixPoints => SearchMatrixOffsetsResponse,
    }
}

fn uuid(id: &PointId) -> &str {
    match id.point_id_options.as_ref().unwrap() {
        PointIdOptions::Uuid(uuid) => uuid,
        PointIdOptions::Num(number) => panic!("not ours: {number}"),
    }
}

fn upsert(collection: &mut Collection, list: PointStructList) -> Result<(), Status> {
    for new in list.points {
        let id = uuid(new.id.as_ref().unwrap()).to_owned();
        let present = collection.points.get(&id);
        let only_where = list.update_filter.as_ref();
        let excluded = present
            .zip(only_where)
            .is_some_and(|(point, filter)| !meets(filter, &id, point));
        if excluded {
            continue;
        }
        let named = match new.vectors.and_then(|vectors| vectors.vectors_options) {
            Some(vectors::VectorsOptions::Vectors(named)) => named.vectors,
            other => return Err(Status::invalid_argument(format!("{other:?}"))),
        };
        let point = collection.points.entry(id).or_default();
        point.payload = new.payload;
        // What is not named is kept.
        point.vectors.extend(named);
    }
    Ok(())
}

fn delete_vectors(collection: &mut Collection, delete: points_update_operation::DeleteVectors) {
    let selector = delete.points_selector.unwrap().points_selector_one_of;
    let Some(PointsSelectorOneOf::Filter(filter)) = selector else {
        panic!("not ours: {selector:?}");
    };
    let names = delete.vectors.unwrap().names;
    for (id, point) in &mut collection.points {
        if meets(&filter, id, point) {
            point.vectors.retain(|name, _| !names.contains(name));
        }
    }
}

fn nearest(collection: &Collection, query: &QueryPoints) -> Vec<ScoredPoint> {
    let name = query.using.as_ref().unwrap();
    let filter = query.filter.as_ref().unwrap();
    let variant = query
        .query
        .as_ref()
        .and_then(|query| query.variant.as_ref());
    let Some(query::Variant::Nearest(VectorInput {
        variant: Some(asked),
    })) = variant
    else {
        panic!("not ours: {query:?}");
    };
    let fitting = collection
        .points
        .iter()
        .filter(|(id, point)| meets(filter, id, point));
    let scored = fitting.filter_map(|(id, point)| {
        let score = score(asked, point.vectors.get(name)?)?;
        let found = retrieved(id, point, &query.with_payload, &query.with_vectors);
        Some(ScoredPoint {
            id: found.id,
            payload: found.payload,
            vectors: found.vectors,
            score,
            ..ScoredPoint::default()
        })
    });
    let mut hits: Vec<ScoredPoint> = scored.collect();
    hits.sort_by(|a, b| b.score.total_cmp(&a.score));
    hits.truncate(query.limit.unwrap() as usize);
    hits
}

/// The inner product; `None` where no word is shared. No IDF: it is for Qdrant to compute.
fn score(asked: &vector_input::Variant, held: &Vector) -> Option<f32> {
    match (asked, held.vector.as_ref()?) {
        (vector_input::Variant::Dense(asked), vector::Vector::Dense(held)) => {
            assert_eq!(asked.data.len(), held.data.len());
            Some(asked.data.iter().zip(&held.data).map(|(a, b)| a * b).sum())
        }
        (vector_input::Variant::Sparse(asked), vector::Vector::Sparse(held)) => {
            let pairs = held
                .indices
                .iter()
                .copied()
                .zip(held.values.iter().copied());
            let weights: HashMap<u32, f32> = pairs.collect();
            let shared = asked.indices.iter().zip(&asked.values);
            shared
                .filter_map(|(index, weight)| Some(weight * weights.get(index)?))
                .reduce(|sum, product| sum + product)
        }
        other => panic!("not ours: {other:?}"),
    }
}

fn retrieved(
    id: &str,
    point: &Point,
    payload: &Option<WithPayloadSelector>,
    vectors: &Option<WithVectorsSelector>,
) -> RetrievedPoint {
    let payload = payload.as_ref().and_then(|p| p.selector_options.as_ref());
    let wanted = |field: &str| match payload {
        Some(PayloadOptions::Enable(wanted)) => *wanted,
        Some(PayloadOptions::Include(only)) => only.fields.iter().any(|only| only == field),
        other => panic!("not ours: {other:?}"),
    };
    let vectors = vectors.as_ref().and_then(|v| v.selector_options.as_ref());
    let with_vectors = matches!(vectors, Some(VectorOptions::Enable(true)));
    let held = || NamedVectorsOutput {
        vectors: point.vectors.iter().filter_map(given_back).collect(),
    };
    RetrievedPoint {
        id: Some(id.into()),
        payload: point
            .payload
            .iter()
            .filter(|(field, _)| wanted(field))
            .map(|(field, value)| (field.clone(), value.clone()))
            .collect(),
        vectors: with_vectors.then(|| VectorsOutput {
            vectors_options: Some(vectors_output::VectorsOptions::Vectors(held())),
        }),
        ..RetrievedPoint::default()
    }
}

/// An empty sparse vector is not given back.
fn given_back((name, vector): (&String, &Vector)) -> Option<(String, VectorOutput)> {
    let vector = match vector.vector.clone()? {
        vector::Vector::Dense(dense) => vector_output::Vector::Dense(dense),
        vector::Vector::Sparse(sparse) if sparse.indices.is_empty() => return None,
        vector::Vector::Sparse(sparse) => vector_output::Vector::Sparse(sparse),
        other => panic!("not ours: {other:?}"),
    };
    let output = VectorOutput {
        vector: Some(vector),
        ..VectorOutput::default()
    };
    Some((name.clone(), output))
}
