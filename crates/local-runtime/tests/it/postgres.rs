//! PostgreSQL as a child of a test.

mod crashes;
mod guards;
mod lifecycle;
mod places;

use std::{path::Path, time::Duration};

use local_runtime::{
    CacheDir, Options, Postgres, PostgresError, PostgresInstall, PostgresOptions, progress,
    provision,
};
use rustix::process::{Pid, test_kill_process};
use sqlx::{Connection, PgConnection};
use tokio::sync::OnceCell;

/// The real installation, from the default cache.
async fn install() -> Option<PostgresInstall> {
    static INSTALL: OnceCell<Result<PostgresInstall, String>> = OnceCell::const_new();
    let outcome = INSTALL.get_or_init(|| async {
        let env = |name: &str| std::env::var(name).ok();
        let cache = CacheDir::resolve(None, &env).map_err(|error| error.to_string())?;
        provision(&cache, &Options::from_env(&env), &progress::Silent)
            .await
            .map(|provisioned| provisioned.postgres)
            .map_err(|error| error.to_string())
    });
    test_support::or_skip("PostgreSQL", outcome.await.clone())
}

/// The product's options, but for a cluster that nobody will miss.
fn options(data_dir: &Path) -> PostgresOptions {
    PostgresOptions {
        durable: false,
        ..PostgresOptions::new(data_dir)
    }
}

async fn start(install: &PostgresInstall, data_dir: &Path) -> Result<Postgres, PostgresError> {
    Postgres::start(install, options(data_dir)).await
}

async fn connect(postgres: &Postgres, database: &str) -> PgConnection {
    PgConnection::connect(&postgres.url(database))
        .await
        .unwrap()
}

async fn setting(connection: &mut PgConnection, name: &str) -> String {
    sqlx::query_scalar("select current_setting($1)")
        .bind(name)
        .fetch_one(connection)
        .await
        .unwrap()
}

fn pid(raw: u32) -> Pid {
    Pid::from_raw(raw.try_into().unwrap()).unwrap()
}

/// Waits until a process is gone: a condition, with a deadline.
async fn gone(raw: u32) {
    let waiting = async {
        while test_kill_process(pid(raw)).is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting)
        .await
        .expect("the server did not end");
}
