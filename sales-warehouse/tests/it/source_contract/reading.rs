//! Reading: everything, what changed, at one point in time.

use sales_warehouse::source::{Rows, Snapshot, SourceError, Totals, Watermark};
use service_kit::Clock;

use super::{
    Backend, Write,
    scene::{Numbered, lines},
};

/// A snapshot that opens.
pub async fn open(backend: &dyn Backend) -> Box<dyn Snapshot> {
    backend.source().open(Watermark::START).await.unwrap()
}

/// A watermark behind which everything is that is committed now.
pub async fn settled(backend: &dyn Backend) -> Watermark {
    backend.settle().await;
    open(backend).await.facts().next
}

fn numbered<const N: usize>(rows: [(i64, i64); N]) -> Numbered {
    rows.into()
}

async fn write_all(backend: &dyn Backend, writes: impl IntoIterator<Item = Write>) {
    for write in writes {
        backend.write(write).await;
    }
}

pub async fn everything_once(backend: &dyn Backend) {
    let scene = backend.scene();
    assert_eq!(backend.source().system(), scene.system);
    let mut snapshot = open(backend).await;
    let facts = snapshot.facts().clone();
    assert!(facts.next > Watermark::START);
    assert_eq!(facts.notices, [""; 0]);
    let age = Clock::system().now() - facts.as_of;
    assert!(age.abs() < time::Duration::minutes(10), "{facts:?}");
    for table in scene.system.tables() {
        let rows = lines(snapshot.as_mut(), table, Watermark::START).await;
        let totals = snapshot.totals(table).await.unwrap().unwrap();
        assert_eq!(rows.len() as i64, totals.rows, "{}", table.landing);
        assert!(totals.rows > 0, "{} is empty", table.landing);
        if table.measure.is_none() {
            assert_eq!(totals.sum, "0", "{}", table.landing);
        }
        if matches!(table.rows, Rows::Plain) {
            for row in &rows {
                assert_eq!(row.len(), table.relation.columns.len(), "{row:?}");
            }
        }
    }
}

pub async fn what_changed(backend: &dyn Backend) {
    let scene = backend.scene();
    let begun = settled(backend).await;
    write_all(
        backend,
        [Write::Insert(1), Write::Insert(2), Write::Insert(3)],
    )
    .await;
    let mut first = open(backend).await;
    let read = scene.read(first.as_mut(), begun).await;
    assert_eq!(read, numbered([(1, 1), (2, 2), (3, 3)]));

    // What did not change does not come again, but for what was written around the watermark.
    let after = settled(backend).await;
    let mut quiet = open(backend).await;
    assert_eq!(scene.read(quiet.as_mut(), after).await, numbered([]));
    for table in scene.system.tables() {
        assert_eq!(lines(quiet.as_mut(), table, after).await.len(), 0);
    }
    write_all(backend, [Write::Update(2, 20), Write::Update(2, 21)]).await;
    let mut second = open(backend).await;
    assert_eq!(
        scene.read(second.as_mut(), after).await,
        numbered([(2, 21)])
    );
    // From the earlier watermark it is three rows, each as it is now.
    let read = scene.read(second.as_mut(), begun).await;
    assert_eq!(read, numbered([(1, 1), (2, 21), (3, 3)]));
    write_all(backend, [1, 2, 3].map(Write::Delete)).await;
}

/// A snapshot shows rows, deletions and totals of the moment when it was opened, in whatever order it is read.
pub async fn one_point_in_time(backend: &dyn Backend) {
    let scene = backend.scene();
    let begun = settled(backend).await;
    write_all(backend, [Write::Insert(1), Write::Insert(2)]).await;
    let mut empty = open(backend).await;
    let before: Totals = empty.totals(scene.table()).await.unwrap().unwrap();
    let mut old = open(backend).await;
    write_all(
        backend,
        [Write::Insert(3), Write::Update(1, 100), Write::Delete(2)],
    )
    .await;
    assert_eq!(
        old.totals(scene.table()).await.unwrap(),
        Some(before.clone())
    );
    assert_eq!(
        scene.read(old.as_mut(), begun).await,
        numbered([(1, 1), (2, 2)])
    );
    assert_eq!(scene.deleted(old.as_mut(), begun).await, [].into());
    assert_eq!(
        old.totals(scene.table()).await.unwrap(),
        Some(before.clone())
    );

    // The read after it misses nothing of that.
    let since = old.facts().next;
    let mut new = open(backend).await;
    let read = scene.read(new.as_mut(), since).await;
    assert_eq!((read.get(&1), read.get(&3)), (Some(&100), Some(&3)));
    assert!(scene.deleted(new.as_mut(), since).await.contains(&2));
    let after = new.totals(scene.table()).await.unwrap().unwrap();
    assert_eq!(after.rows, before.rows);
    let sum = |totals: &Totals| totals.sum.parse::<f64>().unwrap();
    // One is 99 more, three is new, two is gone.
    assert_eq!(sum(&after) - sum(&before), 99.0 + 3.0 - 2.0);
    write_all(backend, [1, 3].map(Write::Delete)).await;
}

/// The watermark never passes a row that was not visible yet, however late its transaction commits.
pub async fn what_was_in_flight(backend: &dyn Backend) {
    let scene = backend.scene();
    let begun = settled(backend).await;
    let held = backend.hold(Write::Insert(1)).await;
    let rolled_back = backend.hold(Write::Insert(2)).await;
    backend.write(Write::Insert(3)).await;
    let mut first = open(backend).await;
    assert_eq!(scene.read(first.as_mut(), begun).await, numbered([(3, 3)]));
    backend.write(Write::Insert(4)).await;
    let mut second = open(backend).await;
    let read = scene.read(second.as_mut(), first.facts().next).await;
    assert_eq!(read.get(&4), Some(&4));
    assert_eq!((read.get(&1), read.get(&2)), (None, None));
    held.commit().await;
    rolled_back.roll_back().await;
    // Neither does a snapshot that is open already.
    assert_eq!(
        scene.read(second.as_mut(), begun).await,
        numbered([(3, 3), (4, 4)])
    );
    let mut third = open(backend).await;
    let read = scene.read(third.as_mut(), second.facts().next).await;
    assert_eq!((read.get(&1), read.get(&2)), (Some(&1), None));

    // A deletion that commits late is one, too.
    let held = backend.hold(Write::Delete(1)).await;
    let mut fourth = open(backend).await;
    assert_eq!(scene.deleted(fourth.as_mut(), begun).await, [].into());
    held.commit().await;
    let mut fifth = open(backend).await;
    let deleted = scene.deleted(fifth.as_mut(), fourth.facts().next).await;
    assert_eq!(deleted, [1].into());
    write_all(backend, [3, 4].map(Write::Delete)).await;
}

/// A tombstone is of a row that does not exist in the snapshot.
pub async fn deletions(backend: &dyn Backend) {
    let scene = backend.scene();
    write_all(backend, [1, 2, 3].map(Write::Insert)).await;
    let begun = settled(backend).await;
    write_all(
        backend,
        [
            Write::Delete(1),
            // Put back: alive.
            Write::Delete(2),
            Write::Insert(2),
            Write::Update(2, 200),
            // Never seen.
            Write::Insert(4),
            Write::Update(4, 40),
            Write::Delete(4),
        ],
    )
    .await;
    let mut snapshot = open(backend).await;
    assert_eq!(
        scene.read(snapshot.as_mut(), begun).await,
        numbered([(2, 200)])
    );
    assert_eq!(scene.deleted(snapshot.as_mut(), begun).await, [1, 4].into());
    let after = settled(backend).await;
    let mut quiet = open(backend).await;
    assert_eq!(scene.deleted(quiet.as_mut(), after).await, [].into());
    write_all(backend, [2, 3].map(Write::Delete)).await;
}

/// Whatever a text holds, it is one value of one row.
pub async fn texts(backend: &dyn Backend) {
    for text in [
        "tab\tnewline\nreturn\r backslash\\ quote' double\"",
        "\\N",
        "\\.",
        "",
        "Ñandú 🌵 \u{1}",
    ] {
        backend.write_text(text).await;
        let mut snapshot = open(backend).await;
        let read = backend.scene().text(snapshot.as_mut()).await;
        // On the wire the text \N is told from a null by its escaped backslash.
        assert_eq!(read, text);
    }
}

pub async fn nobody_there(backend: &dyn Backend) {
    let Err(error) = backend.nowhere().open(Watermark::START).await else {
        panic!("a server nowhere");
    };
    assert!(matches!(error, SourceError::Unreachable { .. }), "{error}");
    let told = service_kit::with_causes(&error);
    assert!(told.contains(backend.scene().system.name()), "{told}");
    assert!(!told.contains("hush"), "{told}");
}
