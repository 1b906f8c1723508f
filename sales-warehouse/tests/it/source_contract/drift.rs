//! Tables that change shape, and epochs.

use sales_warehouse::source::{SourceError, Watermark};

use super::{Backend, Drift, Write, reading::open};

pub async fn shapes(backend: &dyn Backend) {
    let scene = backend.scene();
    let (table, column) = (scene.rows, scene.measure);
    backend.drift(Drift::NewColumn, false).await;
    let mut snapshot = open(backend).await;
    let notices = snapshot.facts().notices.clone();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(
        notices[0].starts_with(&format!("column {table}.added (")),
        "{notices:?}"
    );
    // It stops nothing, and changes no row's columns.
    scene.read(snapshot.as_mut(), Watermark::START).await;
    drop(snapshot);
    backend.drift(Drift::NewColumn, true).await;

    for (drift, says) in [
        (Drift::OtherType, format!("column {table}.{column} is ")),
        (Drift::NoColumn, format!("column {table}.{column} is gone")),
        (Drift::NoTable, scene.gone.to_owned()),
    ] {
        backend.drift(drift, false).await;
        let Err(error) = backend.source().open(Watermark::START).await else {
            panic!("{drift:?} went by");
        };
        let SourceError::Drifted { system, faults } = &error else {
            panic!("{drift:?}: {error}");
        };
        assert_eq!(*system, scene.system);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with(&says), "{faults:?}");
        backend.drift(drift, true).await;
        assert_eq!(open(backend).await.facts().notices, [""; 0]);
    }
}

/// As long as the epoch is the same, markers and tombstones tell of every change.
pub async fn epochs(backend: &dyn Backend) {
    let epoch = open(backend).await.facts().epoch.clone();
    backend.write(Write::Insert(1)).await;
    let before = open(backend).await.facts().clone();
    assert_eq!(before.epoch, epoch);
    // No snapshot is open meanwhile: it may hold a truncation off.
    backend.truncate().await;
    let mut after = open(backend).await;
    // Or the watermark tells that the source went back.
    let told = after.facts().next < before.next;
    assert!(told || after.facts().epoch != epoch, "{before:?}");
    let scene = backend.scene();
    let rows = scene.read(after.as_mut(), Watermark::START).await;
    assert_eq!(rows, [].into());
}
