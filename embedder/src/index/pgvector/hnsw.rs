//! How pgvector's HNSW indexes are built and searched, and rebuilt when that changes.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

use sqlx::{AssertSqlSafe, Connection, FromRow, PgConnection, PgPool};

/// What pgvector builds with when it is told nothing.
const USUAL: (u16, u16) = (16, 64);
/// Most dimensions that pgvector indexes.
const MAX_DIMENSIONS: usize = 2_000;

/// Settings of the indexes. The vectors themselves are stored in full whatever is set here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HnswOptions {
    /// Neighbours of a vector in each layer, 2 to 100: more find better and cost memory.
    pub m: u16,
    /// Candidates while building, 4 to 1,000 and at least twice `m`: more find better and build slower.
    pub ef_construction: u16,
    /// Candidates while searching, 1 to 1,000: more find better and search slower.
    pub ef_search: u16,
    /// Most vectors that a search under filters looks at before it gives up, 1 to 10 million.
    pub max_scan_tuples: u32,
    /// Index half-precision copies: half the memory, nearly the same neighbours.
    pub halfvec: bool,
}

impl Default for HnswOptions {
    fn default() -> Self {
        Self {
            m: USUAL.0,
            ef_construction: USUAL.1,
            ef_search: 100,
            max_scan_tuples: 100_000,
            halfvec: false,
        }
    }
}

/// What is wrong with [`HnswOptions`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum HnswFault {
    /// Out of its range.
    #[error("pgvector's {name} {value} is not in {least} to {most}")]
    Range {
        /// Which option.
        name: &'static str,
        /// As set.
        value: u32,
        /// The least that pgvector takes.
        least: u32,
        /// The most that it takes.
        most: u32,
    },
    /// Building would fail.
    #[error("pgvector's ef_construction {ef_construction} is less than twice m, {m}")]
    Narrow {
        /// As set.
        ef_construction: u16,
        /// As set.
        m: u16,
    },
}

impl HnswOptions {
    /// Everything that pgvector would refuse.
    pub fn faults(&self) -> Vec<HnswFault> {
        let ranges = [
            ("m", u32::from(self.m), 2, 100),
            ("ef_construction", u32::from(self.ef_construction), 4, 1_000),
            ("ef_search", u32::from(self.ef_search), 1, 1_000),
            ("max_scan_tuples", self.max_scan_tuples, 1, 10_000_000),
        ];
        let mut faults: Vec<HnswFault> = ranges
            .into_iter()
            .filter(|(_, value, least, most)| !(least..=most).contains(&value))
            .map(|(name, value, least, most)| HnswFault::Range {
                name,
                value,
                least,
                most,
            })
            .collect();
        if u32::from(self.ef_construction) < 2 * u32::from(self.m) {
            faults.push(HnswFault::Narrow {
                ef_construction: self.ef_construction,
                m: self.m,
            });
        }
        faults
    }

    /// Everything that stands against these options and this model.
    pub(super) fn refusal(&self, dimensions: usize) -> Option<String> {
        let mut faults: Vec<String> = self.faults().iter().map(ToString::to_string).collect();
        if dimensions > MAX_DIMENSIONS {
            faults.push(format!(
                "the model has {dimensions} dimensions, and pgvector indexes at most {MAX_DIMENSIONS}"
            ));
        }
        (!faults.is_empty()).then(|| faults.join("; "))
    }

    /// Of a session.
    pub(super) fn session(&self) -> [(&'static str, String); 4] {
        [
            // Filters are applied while the graph is walked, not to what a fixed walk found. The order within
            // a list counts for nothing, every candidate is scored.
            ("hnsw.iterative_scan", "relaxed_order".to_owned()),
            ("hnsw.max_scan_tuples", self.max_scan_tuples.to_string()),
            ("hnsw.ef_search", self.ef_search.to_string()),
            // Which plan is best depends on how much a filter leaves.
            ("plan_cache_mode", "force_custom_plan".to_owned()),
        ]
    }
}

/// The indexes of one collection.
pub(super) struct Hnsw {
    options: HnswOptions,
    dimensions: usize,
    /// What is built now: searches follow it.
    half: AtomicBool,
    fits: AtomicBool,
    at_work: AtomicBool,
}

/// One index, as the database describes it.
#[derive(FromRow)]
struct Row {
    name: String,
    valid: bool,
    options: Vec<String>,
    half: bool,
}

/// How an index is built.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Build {
    m: u16,
    ef_construction: u16,
    half: bool,
}

impl Row {
    fn build(&self) -> Build {
        let option = |name: &str, usual| {
            let value = |option: &String| {
                option
                    .split_once('=')
                    .filter(|(key, _)| *key == name)?
                    .1
                    .parse()
                    .ok()
            };
            self.options.iter().find_map(value).unwrap_or(usual)
        };
        Build {
            m: option("m", USUAL.0),
            ef_construction: option("ef_construction", USUAL.1),
            half: self.half,
        }
    }
}

const LANGUAGES: [&str; 2] = ["es", "en"];

impl Hnsw {
    /// Learns what is built.
    pub async fn of(
        pool: &PgPool,
        options: HnswOptions,
        dimensions: usize,
    ) -> Result<Self, sqlx::Error> {
        let hnsw = Self {
            options,
            dimensions,
            half: AtomicBool::new(false),
            fits: AtomicBool::new(false),
            at_work: AtomicBool::new(false),
        };
        let mut connection = pool.acquire().await?;
        hnsw.look(&mut connection).await?;
        Ok(hnsw)
    }

    /// Are the indexes of half-precision copies?
    pub fn half(&self) -> bool {
        self.half.load(Ordering::Acquire)
    }

    /// Are the indexes built as the options say?
    pub fn fits(&self) -> bool {
        self.fits.load(Ordering::Acquire)
    }

    /// Rebuilds the indexes where they differ from the options, beside the old ones, which serve until they are
    /// replaced. `false` when somebody else is at it.
    pub async fn tune(&self, pool: &PgPool) -> Result<bool, sqlx::Error> {
        if self.fits() {
            return Ok(true);
        }
        if self.at_work.swap(true, Ordering::AcqRel) {
            return Ok(false);
        }
        let outcome = self.rebuild(pool).await;
        self.at_work.store(false, Ordering::Release);
        outcome
    }

    async fn rebuild(&self, pool: &PgPool) -> Result<bool, sqlx::Error> {
        // A connection of its own: it has no time limit, and its lock ends with it however this ends.
        let mut connection = pool.acquire().await?.detach();
        sqlx::query("SET statement_timeout = 0")
            .execute(&mut connection)
            .await?;
        // Waiting for the lock would hold a snapshot that the other's build waits for.
        let alone: bool = sqlx::query_scalar(
            "SELECT pg_try_advisory_lock(hashtext('promptsales-embedder-hnsw ' || current_schema()))",
        )
        .fetch_one(&mut connection)
        .await?;
        if !alone {
            return Ok(false);
        }
        let built = self.look(&mut connection).await?;
        if !self.fits() {
            tracing::info!(options = ?self.options, "HNSW indexes are rebuilt");
            for language in LANGUAGES {
                self.build_beside(&mut connection, language, &built).await?;
            }
            swap(&mut connection).await?;
            self.look(&mut connection).await?;
            tracing::info!(options = ?self.options, "HNSW indexes replaced");
        }
        // The server lets a closed connection go when it comes to it: whoever asks next is not to find it still at work.
        sqlx::query("SELECT pg_advisory_unlock_all()")
            .execute(&mut connection)
            .await?;
        connection.close().await?;
        Ok(self.fits())
    }

    async fn look(
        &self,
        connection: &mut PgConnection,
    ) -> Result<BTreeMap<String, Build>, sqlx::Error> {
        let rows: Vec<Row> = sqlx::query_as(include_str!("built.sql"))
            .fetch_all(connection)
            .await?;
        // What a killed build left behind is invalid, and as good as missing.
        let built: BTreeMap<String, Build> = rows
            .iter()
            .filter(|row| row.valid)
            .map(|row| (row.name.clone(), row.build()))
            .collect();
        let live = LANGUAGES.map(|language| built.get(&index_name(language)));
        let all = |holds: &dyn Fn(&Build) -> bool| live.iter().all(|live| live.is_some_and(holds));
        self.half.store(all(&|build| build.half), Ordering::Release);
        self.fits
            .store(all(&|build| *build == self.wanted()), Ordering::Release);
        Ok(built)
    }

    fn wanted(&self) -> Build {
        Build {
            m: self.options.m,
            ef_construction: self.options.ef_construction,
            half: self.options.halfvec,
        }
    }

    async fn build_beside(
        &self,
        connection: &mut PgConnection,
        language: &str,
        built: &BTreeMap<String, Build>,
    ) -> Result<(), sqlx::Error> {
        let next = next_name(language);
        if built.get(&next) == Some(&self.wanted()) {
            return Ok(());
        }
        let column = if self.options.halfvec {
            format!(
                "(dense_{language}::halfvec({})) halfvec_ip_ops",
                self.dimensions
            )
        } else {
            format!("dense_{language} vector_ip_ops")
        };
        let (m, ef) = (self.options.m, self.options.ef_construction);
        // A definition takes no parameters; these are our own names and checked numbers.
        for statement in [
            format!("DROP INDEX CONCURRENTLY IF EXISTS {next}"),
            format!(
                "CREATE INDEX CONCURRENTLY {next} ON documents USING hnsw ({column})
                 WITH (m = {m}, ef_construction = {ef})"
            ),
        ] {
            sqlx::query(AssertSqlSafe(statement))
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }
}

fn index_name(language: &str) -> String {
    format!("documents_dense_{language}")
}

fn next_name(language: &str) -> String {
    format!("documents_dense_{language}_next")
}

/// Both at once: a search never finds one language's old index and the other's new one.
async fn swap(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    // Searches wait while this waits: rather try again in a minute.
    sqlx::query("SET LOCAL lock_timeout = '2s'")
        .execute(&mut *transaction)
        .await?;
    for language in LANGUAGES {
        let (live, next) = (index_name(language), next_name(language));
        for statement in [
            format!("DROP INDEX IF EXISTS {live}"),
            format!("ALTER INDEX {next} RENAME TO {live}"),
        ] {
            sqlx::query(AssertSqlSafe(statement))
                .execute(&mut *transaction)
                .await?;
        }
    }
    transaction.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_held_to_what_pgvector_takes() {
        let usual = HnswOptions::default();
        assert_eq!(usual.refusal(384), None);
        let least = HnswOptions {
            m: 2,
            ef_construction: 4,
            ef_search: 1,
            max_scan_tuples: 1,
            halfvec: true,
        };
        let most = HnswOptions {
            m: 100,
            ef_construction: 1_000,
            ef_search: 1_000,
            max_scan_tuples: 10_000_000,
            halfvec: false,
        };
        assert_eq!((least.refusal(1), most.refusal(2_000)), (None, None));
        let bad = |change: fn(&mut HnswOptions)| {
            let mut options = usual;
            change(&mut options);
            options.faults()
        };
        assert_eq!(bad(|o| o.m = 1).len(), 1);
        assert_eq!(bad(|o| (o.m, o.ef_construction) = (101, 1_000)).len(), 1);
        assert_eq!(bad(|o| o.ef_construction = 31).len(), 1, "twice m is 32");
        assert_eq!(bad(|o| o.ef_construction = 3).len(), 2);
        assert_eq!(bad(|o| o.ef_construction = 1_001).len(), 1);
        assert_eq!(bad(|o| o.ef_search = 0).len(), 1);
        assert_eq!(bad(|o| o.ef_search = 1_001).len(), 1);
        assert_eq!(bad(|o| o.max_scan_tuples = 0).len(), 1);
        assert_eq!(bad(|o| o.max_scan_tuples = 10_000_001).len(), 1);
        let refusal = HnswOptions { m: 1, ..usual }
            .refusal(2_001)
            .unwrap_or_default();
        assert!(refusal.contains("m 1 is not in 2 to 100"), "{refusal}");
        assert!(refusal.contains("2001 dimensions"), "{refusal}");
    }
}
