//! Which image a point stands for, kept in memory.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use contracts::ImageId;
use qdrant_edge::{EdgeShard, OperationError, PointId, WithVector};

use super::payload::{manifest_entry_from, manifest_fields};

/// Point ids are made from image ids one way, so the way back is in the payload; reading payloads
/// takes two thirds of a search's time. What was learnt never changes, so nothing is ever dropped.
#[derive(Default)]
pub struct Names(RwLock<HashMap<PointId, ImageId>>);

impl Names {
    /// Reads the names that are not known yet.
    pub fn learn(&self, shard: &EdgeShard, points: &[PointId]) -> Result<(), OperationError> {
        let unknown: Vec<PointId> = {
            let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
            let unknown = points.iter().filter(|point| !known.contains_key(point));
            unknown.copied().collect()
        };
        if unknown.is_empty() {
            return Ok(());
        }
        let records = shard.retrieve(
            &unknown,
            Some(manifest_fields()),
            Some(WithVector::Bool(false)),
        )?;
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.extend(records.iter().filter_map(|record| {
            let (id, _) = manifest_entry_from(record)?;
            Some((record.id, id))
        }));
        Ok(())
    }

    /// The image of a point that was learnt.
    pub fn get(&self, point: &PointId) -> Option<ImageId> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(point).cloned()
    }
}
