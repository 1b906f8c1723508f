//! Which rows the suite writes in each system, and how they look on the wire.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use futures::TryStreamExt;
use sales_warehouse::source::{Snapshot, System, Table, Watermark};
use time::{Date, macros::date};

use super::wire;

/// Numbers begin here, so that the fixture's own rows have none.
const FIRST_INTERACTION: i64 = 1_000;
const FIRST_DAY: Date = date!(2030 - 01 - 01);
const DAY: time::format_description::StaticFormatDescription =
    time::macros::format_description!("[year]-[month]-[day]");

/// The tables of one system that the suite works with.
#[derive(Debug)]
pub struct Scene {
    pub system: System,
    /// The relation whose numbered rows are written, and which has a measure.
    pub rows: &'static str,
    /// The measure's column.
    pub measure: &'static str,
    /// The relation and column of the one text that is written, and the key of its row.
    pub texts: (&'static str, &'static str, &'static str),
    /// What is said when [`Self::rows`] are nowhere to be found.
    pub gone: &'static str,
}

/// Days of PromptAds' ad 3: number 0 is FIRST_DAY. The measure is the cost.
pub static PROMPTADS: Scene = Scene {
    system: System::PromptAds,
    rows: "ad_daily",
    measure: "cost",
    texts: ("audiences", "name_en", "1"),
    gone: "table ad_daily is gone",
};

/// Interactions of PromptCrm's customer 1. The measure is the response's seconds.
pub static PROMPTCRM: Scene = Scene {
    system: System::PromptCrm,
    rows: "interactions",
    measure: "response_seconds",
    texts: ("products", "name_en", "1"),
    gone: "table interactions is gone",
};

/// Images with an id of their own. The measure is the revision.
pub static PROMPTCONTENT: Scene = Scene {
    system: System::PromptContent,
    rows: "contents",
    measure: "revision",
    texts: ("contents", "title_en", "old-town"),
    gone: "GET /v1/changes is gone",
};

/// Numbered rows with their measures.
pub type Numbered = BTreeMap<i64, i64>;

impl Scene {
    /// The table of the numbered rows.
    pub fn table(&self) -> &'static Table {
        self.find(self.rows)
    }

    fn find(&self, relation: &str) -> &'static Table {
        let mut tables = self.system.tables().iter();
        tables
            .find(|table| table.relation.name == relation)
            .unwrap()
    }

    /// The day of a row of PromptAds.
    pub fn day(number: i64) -> Date {
        FIRST_DAY + time::Duration::days(number)
    }

    /// The id of a row of PromptCrm.
    pub fn interaction(number: i64) -> i64 {
        FIRST_INTERACTION + number
    }

    /// The numbered rows that a read gives.
    pub async fn read(&self, snapshot: &mut dyn Snapshot, since: Watermark) -> Numbered {
        let table = self.table();
        let lines = lines(snapshot, table, since).await;
        let mut rows = Numbered::new();
        for line in lines {
            let value = |column: &str| line[place(table, column)].clone();
            let number = match self.system {
                System::PromptAds if value("ad_id") == "3" => {
                    let day = Date::parse(&value("day"), DAY).unwrap();
                    (day - FIRST_DAY).whole_days()
                }
                System::PromptAds => -1,
                System::PromptCrm => {
                    value("interaction_id").parse::<i64>().unwrap() - FIRST_INTERACTION
                }
                System::PromptContent => content(&value("content_id")),
            };
            if number >= 0 {
                let measure: f64 = value(self.measure).parse().unwrap();
                let before = rows.insert(number, measure as i64);
                assert_eq!(before, None, "row {number} came twice");
            }
        }
        rows
    }

    /// The numbers of the rows that a read says were deleted.
    pub async fn deleted(&self, snapshot: &mut dyn Snapshot, since: Watermark) -> BTreeSet<i64> {
        let stream = snapshot.tombstones(since).await.unwrap();
        let chunks: Vec<Bytes> = stream.try_collect().await.unwrap();
        let mut numbers = BTreeSet::new();
        for row in wire::values(&chunks.concat()) {
            let [system, table, key] = row.try_into().unwrap();
            assert_eq!(system.unwrap(), self.system.name().as_bytes());
            if table.unwrap() != self.rows.as_bytes() {
                continue;
            }
            // A jsonb is its version, 1, and text.
            let key: serde_json::Value = serde_json::from_slice(&key.unwrap()[1..]).unwrap();
            numbers.insert(match self.system {
                System::PromptAds => {
                    let day = Date::parse(key["day"].as_str().unwrap(), DAY).unwrap();
                    (day - FIRST_DAY).whole_days()
                }
                System::PromptCrm => key["interaction_id"].as_i64().unwrap() - FIRST_INTERACTION,
                System::PromptContent => content(key["content_id"].as_str().unwrap()),
            });
        }
        numbers
    }

    /// The text of the row of [`Self::texts`].
    pub async fn text(&self, snapshot: &mut dyn Snapshot) -> String {
        let (relation, column, key) = self.texts;
        let table = self.find(relation);
        let lines = lines(snapshot, table, Watermark::START).await;
        let row = lines.iter().find(|line| line[0] == key).unwrap();
        row[place(table, column)].clone()
    }
}

/// The number of an image's row; -1 of one that has none.
fn content(id: &str) -> i64 {
    id.strip_prefix("row-")
        .map_or(-1, |number| number.parse().unwrap())
}

fn place(table: &Table, column: &str) -> usize {
    let mut columns = table.relation.columns.iter();
    columns.position(|(name, _)| *name == column).unwrap()
}

/// Rows as their values, in text. A null is `\\N`.
pub async fn lines(
    snapshot: &mut dyn Snapshot,
    table: &'static Table,
    since: Watermark,
) -> Vec<Vec<String>> {
    let stream = snapshot.rows(table, since).await.unwrap();
    // A chunk may end within a row.
    let chunks: Vec<Bytes> = stream.try_collect().await.unwrap();
    wire::texts(table, &chunks.concat())
}
