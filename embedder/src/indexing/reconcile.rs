//! Repairing the indexes from one another.

use std::{
    collections::{BTreeSet, HashMap},
    sync::atomic::Ordering,
    time::Duration,
};

use contracts::{
    ImageId,
    index::{EngineStatus, ReconcileAnswer, Repair},
};
use service_kit::CancellationToken;

use super::{Indexer, Known};
use crate::index::{
    Change, IndexError, Manifest, ManifestEntry, Tombstone, VectorIndex, manifest::Lead,
};

/// Entries copied at a time.
const PAGE: usize = 64;
/// How often drift is looked for when nothing gave a reason to.
const EVERY: Duration = Duration::from_secs(60);
/// How soon after a missed change the repair is tried, and tried again.
const SOON: Duration = Duration::from_secs(2);

impl Indexer {
    /// Compares all indexes that answer, copies to each what it lacks, and learns what they hold.
    /// Fails only when no index answers.
    pub async fn reconcile(&self) -> Result<ReconcileAnswer, IndexError> {
        // No write may come between reading the manifests and mending by them.
        let mut known = self.known.lock().await;
        let mut manifests: Vec<Option<Manifest>> = Vec::with_capacity(self.indexes.len());
        let mut failure = None;
        for index in &self.indexes {
            match index.manifest().await {
                Ok(manifest) => manifests.push(Some(manifest)),
                Err(error) => {
                    tracing::warn!(%error, "index left out of this reconciliation");
                    failure = Some(error);
                    manifests.push(None);
                }
            }
        }
        if let (true, Some(error)) = (manifests.iter().all(Option::is_none), failure) {
            return Err(error);
        }
        let mut engines = Vec::with_capacity(self.indexes.len());
        let mut complete = manifests.iter().all(Option::is_some);
        for (place, index) in self.indexes.iter().enumerate() {
            let mut repair = Repair::none(index.engine());
            for source in (0..self.indexes.len()).filter(|source| *source != place) {
                let Some(theirs) = &manifests[source] else {
                    continue;
                };
                let Some(mine) = &manifests[place] else {
                    continue;
                };
                let leads = theirs.ahead_of(mine);
                if leads.is_empty() {
                    continue;
                }
                match copy(
                    self.indexes[source].as_ref(),
                    index.as_ref(),
                    theirs,
                    &leads,
                )
                .await
                {
                    Ok(copied) => count(&mut repair, &copied),
                    Err(error) => {
                        tracing::warn!(%error, engine = index.engine(), "repair failed");
                        complete = false;
                    }
                }
                // Re-read after each source, so that a third index's copy is not repeated.
                manifests[place] = index.manifest().await.ok();
                complete &= manifests[place].is_some();
            }
            engines.push(repair);
        }
        self.lagging.store(!complete, Ordering::Release);
        self.note_standings(&manifests, &engines);
        // First of all: what was repaired must not be answered from a cache, whatever fails below.
        if engines.iter().any(Repair::did_something) {
            self.shared.bump();
        }
        self.adopt(&mut known, &manifests).await?;
        self.move_centre(&known).await;
        for index in &self.indexes {
            if let Err(error) = index.maintain().await {
                tracing::warn!(%error, "index maintenance failed");
            }
        }
        Ok(ReconcileAnswer { engines })
    }

    /// For the metrics: what each index lacks now, and what was mended.
    fn note_standings(&self, manifests: &[Option<Manifest>], repairs: &[Repair]) {
        for (place, standing) in self.standings.iter().enumerate() {
            standing.repaired(&repairs[place]);
            let Some(mine) = &manifests[place] else {
                continue;
            };
            let others = manifests.iter().flatten();
            let leads = others.flat_map(|theirs| theirs.ahead_of(mine));
            let behind: BTreeSet<ImageId> = leads.map(|(id, _)| id).collect();
            standing.compared(behind.len());
        }
    }

    /// Takes over what the indexes hold together, and counts the terms of documents not counted yet.
    async fn adopt(
        &self,
        known: &mut Known,
        manifests: &[Option<Manifest>],
    ) -> Result<(), IndexError> {
        // The newest of each, and the index that holds it: one that could not be mended is behind.
        let mut newest: HashMap<&ImageId, (&ManifestEntry, usize)> = HashMap::new();
        for (place, manifest) in manifests.iter().enumerate() {
            for (id, entry) in manifest.iter().flat_map(Manifest::iter) {
                if newest
                    .get(id)
                    .is_none_or(|(present, _)| entry.outdates(present))
                {
                    newest.insert(id, (entry, place));
                }
            }
        }
        let mut unlearned: Vec<Vec<&ImageId>> = vec![Vec::new(); manifests.len()];
        for (id, (entry, place)) in &newest {
            let former = known
                .get(*id)
                .and_then(|former| former.content_hash.as_ref());
            if entry.content_hash.is_some() && former != entry.content_hash.as_ref() {
                unlearned[*place].push(*id);
            }
        }
        for (place, ids) in unlearned.iter().enumerate() {
            for page in ids.chunks(PAGE) {
                self.learn_from(place, page, manifests).await?;
            }
        }
        for id in known.keys() {
            if newest.get(id).is_none_or(|(e, _)| e.content_hash.is_none()) {
                self.forget(id);
            }
        }
        *known = newest
            .into_iter()
            .map(|(id, (entry, _))| (id.clone(), entry.clone()))
            .collect();
        Ok(())
    }

    /// Counts the terms of documents that the index at `place` holds. One that tells what it holds
    /// and does not give it is behind; another that holds the same gives it instead.
    async fn learn_from(
        &self,
        place: usize,
        ids: &[&ImageId],
        manifests: &[Option<Manifest>],
    ) -> Result<(), IndexError> {
        let hash = |place: usize, id: &ImageId| {
            let manifest = manifests[place].as_ref()?;
            manifest.get(id)?.content_hash.clone()
        };
        let mut wanted = ids.to_vec();
        let mut failure = None;
        let others = (0..self.indexes.len()).filter(|other| *other != place);
        for source in std::iter::once(place).chain(others) {
            let (same, mut rest): (Vec<_>, Vec<_>) = wanted
                .into_iter()
                .partition(|id| hash(source, id) == hash(place, id));
            if !same.is_empty() {
                let asked = same.iter().copied().cloned().collect();
                match self.indexes[source].entries(asked).await {
                    Ok(entries) => entries.iter().for_each(|entry| self.learn(&entry.document)),
                    Err(error) => {
                        let engine = self.indexes[source].engine();
                        tracing::warn!(%error, engine, "entries are read from another index");
                        self.lagging.store(true, Ordering::Release);
                        failure = Some(error);
                        rest.extend(same);
                    }
                }
            }
            wanted = rest;
        }
        match failure {
            Some(error) if !wanted.is_empty() => Err(error),
            _ => Ok(()),
        }
    }

    /// How every engine stands, the primary first. An engine that does not answer is part of the
    /// answer.
    pub async fn status(&self) -> Vec<EngineStatus> {
        let mut engines = Vec::with_capacity(self.indexes.len());
        for index in &self.indexes {
            let manifest = index.manifest().await;
            let fault = manifest.as_ref().err().map(ToString::to_string);
            let manifest = manifest.unwrap_or_default();
            engines.push(EngineStatus {
                engine: index.engine().to_owned(),
                version: index.version().to_owned(),
                model: self.embedder.model().clone(),
                documents: manifest.documents(),
                manifest_sha256: manifest.sha256(),
                ready: fault.is_none(),
                fault,
            });
        }
        engines
    }

    /// Repairs when a change was missed and every minute, until stopped.
    pub async fn keep_reconciled(&self, stop: CancellationToken) {
        loop {
            let pause = if self.lagging.load(Ordering::Acquire) {
                SOON
            } else {
                EVERY
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.repair_wanted() => tokio::time::sleep(SOON).await,
                () = tokio::time::sleep(pause) => {}
            }
            match self.reconcile().await {
                Ok(answer) => {
                    for repair in answer
                        .engines
                        .iter()
                        .filter(|repair| repair.did_something())
                    {
                        tracing::info!(?repair, "index repaired");
                    }
                }
                Err(error) => tracing::warn!(%error, "reconciliation failed"),
            }
        }
    }
}

fn count(repair: &mut Repair, leads: &[(ImageId, Lead)]) {
    for (_, lead) in leads {
        match lead {
            Lead::Missing => repair.missing += 1,
            Lead::Stale => repair.stale += 1,
            Lead::Extra => repair.extra += 1,
        }
    }
}

/// Copies what it can, and tells what that was: a damaged entry cannot be had from its index.
async fn copy(
    source: &dyn VectorIndex,
    target: &dyn VectorIndex,
    theirs: &Manifest,
    leads: &[(ImageId, Lead)],
) -> Result<Vec<(ImageId, Lead)>, IndexError> {
    let mut copied = Vec::with_capacity(leads.len());
    for page in leads.chunks(PAGE) {
        let (extra, wanted): (Vec<_>, Vec<_>) =
            page.iter().partition(|(_, lead)| *lead == Lead::Extra);
        let ids = wanted.iter().map(|(id, _)| id.clone()).collect();
        let entries = source.entries(ids).await?;
        let given: BTreeSet<ImageId> = entries.iter().map(|e| e.document.id.clone()).collect();
        let puts = entries
            .into_iter()
            .map(|entry| Change::Put(Box::new(entry)));
        let deletes = extra.iter().filter_map(|(id, _)| {
            let ManifestEntry { revision, .. } = theirs.get(id)?;
            Some(Change::Delete(Tombstone {
                id: id.clone(),
                revision: *revision,
            }))
        });
        target.apply(puts.chain(deletes).collect()).await?;
        let done = |(id, lead): &&(ImageId, Lead)| *lead == Lead::Extra || given.contains(id);
        copied.extend(page.iter().filter(done).cloned());
    }
    if copied.len() < leads.len() {
        let (engine, entries) = (source.engine(), leads.len() - copied.len());
        tracing::warn!(
            engine,
            entries,
            "entries that an index names and cannot give"
        );
    }
    Ok(copied)
}
