//! The restore drill of docs/OPERATIONS.md: back up while it serves, lose the machine, and have everything back on
//! another one.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use local_runtime::{
    CacheDir, Options, Postgres, PostgresOptions, Provisioned, progress, provision,
};
use rustix::process::Signal;
use serde_json::Value;
use url::Url;

use crate::support::{TestHome, Up, assert_complete_and_equal, ids, indexed_home, run};

/// Dumped as a whole. Of `promptsales` it is the schema `content`: indexes are rebuilt.
const SALES: [&str; 3] = ["promptads", "promptcrm", "warehouse"];

#[tokio::test]
async fn what_was_backed_up_is_back_on_another_machine() {
    let Some(home) = indexed_home() else { return };
    // As it is after a first start, which a new machine begins with.
    let Some(machine) = indexed_home() else {
        return;
    };
    let programs = Programs::get().await;
    let backup = tempfile::tempdir().unwrap();

    let up = Up::start(home);
    // Something that no first start has.
    let change = ["tick", "--source-changes", "50", "--seed", "3"];
    run(up.home(), &change).expect(0);
    run(up.home(), &["etl"]).expect(0);
    let before = State::of(up.home());
    programs.back_up(&up, backup.path());

    // What comes after the backup is lost, and told apart from what was before.
    let change = ["tick", "--source-changes", "50", "--seed", "4"];
    run(up.home(), &change).expect(0);
    run(up.home(), &["etl"]).expect(0);
    assert_ne!(State::of(up.home()).tables, before.tables);
    let (_, home) = up.stop(Signal::INT);
    fs::remove_dir_all(home.path()).unwrap();

    programs.restore(&machine, backup.path()).await;
    let up = Up::start(machine);
    assert_eq!(State::of(up.home()), before);
    let status = run(up.home(), &["status", "--json"]).expect(0).json();
    assert_complete_and_equal(&status);
}

/// What must be the same again.
#[derive(Debug, PartialEq)]
struct State {
    /// Digest of what the indexes hold.
    manifest: Value,
    /// Rows and checksum of each table of the warehouse, which equal a load from scratch.
    tables: Vec<Value>,
    found: Vec<String>,
}

impl State {
    fn of(home: &TestHome) -> Self {
        let status = run(home, &["status", "--json"]).expect(0).json();
        let verified = run(home, &["verify", "--json"]).expect(0).json();
        assert_eq!(verified["equal"], true, "{verified}");
        let tables = verified["tables"].as_array().unwrap();
        assert!(
            tables
                .iter()
                .any(|table| table["rows"].as_u64() > Some(10_000))
        );
        let found = run(home, &["find", "--json", "gato que mira por la ventana"]).expect(0);
        Self {
            manifest: status["indexes"][0]["manifest_sha256"].clone(),
            tables: tables.clone(),
            found: ids(&found.json()).into_iter().map(str::to_owned).collect(),
        }
    }
}

/// PostgreSQL's own.
struct Programs(Provisioned);

impl Programs {
    async fn get() -> Self {
        let variable = |name: &str| std::env::var(name).ok();
        let cache = CacheDir::resolve(None, &variable).unwrap();
        let shown = progress::on_stderr();
        let provisioned = provision(&cache, &Options::from_env(&variable), shown.as_ref()).await;
        Self(provisioned.unwrap())
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(self.0.postgres.root().join("bin").join(program));
        run_to_its_end(command.args(arguments));
    }

    fn back_up(&self, up: &Up, into: &Path) {
        let databases = up.endpoints().databases;
        let content = named(&databases.warehouse, "promptsales");
        let file = |name: &str| dump(into, name);
        let arguments = [
            "-Fc",
            "--schema=content",
            "-f",
            &file("contents"),
            "-d",
            &content,
        ];
        self.run("pg_dump", &arguments);
        for name in SALES {
            let database = named(&databases.warehouse, name);
            self.run("pg_dump", &["-Fc", "-f", &file(name), "-d", &database]);
        }
        let tar = into.join("identity.tar");
        let mut command = Command::new("tar");
        let home = up.home().path();
        run_to_its_end(
            command
                .arg("-C")
                .arg(home)
                .arg("-cf")
                .arg(tar)
                .arg("identity"),
        );
    }

    /// Into the home of a system that does not run: its database server runs alone meanwhile.
    async fn restore(&self, home: &TestHome, from: &Path) {
        let mut command = Command::new("tar");
        let tar = from.join("identity.tar");
        run_to_its_end(command.arg("-C").arg(home.path()).arg("-xf").arg(tar));
        let options = PostgresOptions::new(home.path().join("postgres"));
        let server = Postgres::start(&self.0.postgres, options).await.unwrap();
        let content = server.url("promptsales");
        let restore = [
            "--clean",
            "--if-exists",
            "--single-transaction",
            "-d",
            &content,
        ];
        self.run(
            "pg_restore",
            &[&restore[..], &[&dump(from, "contents")]].concat(),
        );
        let maintenance = format!("--maintenance-db={}", server.url("postgres"));
        for name in SALES {
            self.run("dropdb", &[&maintenance, name]);
            self.run("createdb", &[&maintenance, name]);
            let database = server.url(name);
            let arguments = ["--single-transaction", "-d", &database, &dump(from, name)];
            self.run("pg_restore", &arguments);
        }
        server.stop().await.unwrap();
    }
}

fn dump(directory: &Path, name: &str) -> String {
    let path: PathBuf = directory.join(format!("{name}.dump"));
    path.to_str().unwrap().to_owned()
}

/// Another database of the same server.
fn named(url: &Url, database: &str) -> String {
    let mut url = url.clone();
    url.set_path(database);
    url.into()
}

fn run_to_its_end(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}
