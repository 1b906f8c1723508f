//! The PostgreSQL adapter of `Source`, for both systems.

use async_trait::async_trait;
use sales_warehouse::source::{PostgresSource, Source, System};
use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use crate::{
    source_contract::{self, Backend, Drift, Held, Scene, Write, scene},
    warehouse::fixture::{ADS, CRM, execute, settle},
    world::World,
};

struct PostgresBackend {
    world: World,
    scene: &'static Scene,
}

impl PostgresBackend {
    /// With the fixture's rows in it; `None` where there is no PostgreSQL.
    async fn start(scene: &'static Scene) -> Option<Self> {
        let backend = Self {
            world: World::start().await?,
            scene,
        };
        let rows = match scene.system {
            System::PromptAds => ADS,
            _ => CRM,
        };
        execute(backend.pool(), rows).await;
        Some(backend)
    }

    fn pool(&self) -> &PgPool {
        match self.scene.system {
            System::PromptAds => &self.world.sources.ads,
            _ => &self.world.sources.crm,
        }
    }

    fn table(&self) -> String {
        format!("{}.{}", self.scene.system.schema(), self.scene.rows)
    }

    async fn apply(&self, write: Write, connection: &mut PgConnection) {
        let (number, statement) = match (self.scene.system, write) {
            (System::PromptAds, Write::Insert(number)) => (
                number,
                "insert into ads.ad_daily values (3, $1, 1, 1, 0, $2, 'USD', now())",
            ),
            (System::PromptAds, Write::Update(number, _)) => (
                number,
                "update ads.ad_daily set cost = $2 where ad_id = 3 and day = $1",
            ),
            (System::PromptAds, Write::Delete(number)) => (
                number,
                "delete from ads.ad_daily where ad_id = 3 and day = $1 and $2 = 0",
            ),
            (_, Write::Insert(number)) => (
                number,
                "insert into crm.interactions values ($1, 1, null, 'call', 'inbound', now(), $2)",
            ),
            (_, Write::Update(number, _)) => (
                number,
                "update crm.interactions set response_seconds = $2 where interaction_id = $1",
            ),
            (_, Write::Delete(number)) => (
                number,
                "delete from crm.interactions where interaction_id = $1 and $2 = 0",
            ),
        };
        let measure = match write {
            Write::Insert(number) => number,
            Write::Update(_, measure) => measure,
            Write::Delete(_) => 0,
        };
        let query = sqlx::query(statement);
        let query = match self.scene.system {
            System::PromptAds => query.bind(Scene::day(number)),
            _ => query.bind(Scene::interaction(number)),
        };
        let done = query.bind(measure as i32).execute(connection).await;
        assert_eq!(done.unwrap().rows_affected(), 1, "{write:?}");
    }
}

struct Open(Transaction<'static, Postgres>);

#[async_trait]
impl Held for Open {
    async fn commit(self: Box<Self>) {
        self.0.commit().await.unwrap();
    }

    async fn roll_back(self: Box<Self>) {
        self.0.rollback().await.unwrap();
    }
}

#[async_trait]
impl Backend for PostgresBackend {
    fn scene(&self) -> &'static Scene {
        self.scene
    }

    fn source(&self) -> Box<dyn Source> {
        let url = match self.scene.system {
            System::PromptAds => self.world.ads_url(),
            _ => self.world.crm_url(),
        };
        Box::new(PostgresSource::new(self.scene.system, url.into()))
    }

    fn nowhere(&self) -> Box<dyn Source> {
        let url = "postgres://nobody:hush@localhost/none?host=/nowhere";
        Box::new(PostgresSource::new(self.scene.system, url.into()))
    }

    async fn write(&self, write: Write) {
        let mut connection = self.pool().acquire().await.unwrap();
        self.apply(write, &mut connection).await;
    }

    async fn hold(&self, write: Write) -> Box<dyn Held> {
        // A connection of its own: more are held at a time than the pool has.
        let own = PgPool::connect_with(self.pool().connect_options().as_ref().clone())
            .await
            .unwrap();
        let mut transaction = own.begin().await.unwrap();
        self.apply(write, &mut transaction).await;
        Box::new(Open(transaction))
    }

    async fn write_text(&self, text: &str) {
        let statement = match self.scene.system {
            System::PromptAds => "update ads.audiences set name_en = $1 where audience_id = 1",
            _ => "update crm.products set name_en = $1 where product_id = 1",
        };
        let written = sqlx::query(statement).bind(text).execute(self.pool()).await;
        assert_eq!(written.unwrap().rows_affected(), 1);
    }

    async fn truncate(&self) {
        execute(self.pool(), &format!("truncate {}", self.table())).await;
    }

    async fn drift(&self, drift: Drift, back: bool) {
        let (table, column, rows) = (self.table(), self.scene.measure, self.scene.rows);
        let sound = match self.scene.system {
            System::PromptAds => "numeric(14,2)",
            _ => "integer",
        };
        let statement = match (drift, back) {
            (Drift::NewColumn, false) => format!("alter table {table} add column added text"),
            (Drift::NewColumn, true) => format!("alter table {table} drop column added"),
            (Drift::OtherType, false) => {
                format!("alter table {table} alter column {column} type numeric(20,4)")
            }
            (Drift::OtherType, true) => {
                format!("alter table {table} alter column {column} type {sound}")
            }
            (Drift::NoColumn, false) => {
                format!("alter table {table} rename column {column} to elsewhere")
            }
            (Drift::NoColumn, true) => {
                format!("alter table {table} rename column elsewhere to {column}")
            }
            (Drift::NoTable, false) => format!("alter table {table} rename to elsewhere"),
            (Drift::NoTable, true) => format!(
                "alter table {}.elsewhere rename to {rows}",
                self.scene.system.schema()
            ),
        };
        execute(self.pool(), &statement).await;
    }

    async fn settle(&self) {
        settle(self.pool()).await;
    }
}

#[tokio::test]
async fn it_keeps_the_contract_for_promptads() {
    let Some(backend) = PostgresBackend::start(&scene::PROMPTADS).await else {
        return;
    };
    Box::pin(source_contract::suite(&backend)).await;
}

#[tokio::test]
async fn it_keeps_the_contract_for_promptcrm() {
    let Some(backend) = PostgresBackend::start(&scene::PROMPTCRM).await else {
        return;
    };
    Box::pin(source_contract::suite(&backend)).await;
}
