//! The restore drill of docs/OPERATIONS.md and docs/RUNBOOKS.md: back up while it serves, by the chart's own scripts, lose
//! the machine, and have everything back on another one.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use local_runtime::{
    CacheDir, Options, Postgres, PostgresOptions, Provisioned, progress, provision,
};
use rustix::process::Signal;
use serde_json::Value;
use url::Url;

use crate::support::{TestHome, Up, assert_complete_and_equal, ids, indexed_home, run};

/// As in the chart's `postgres.databases`: contents and pgvector's index are in the first.
const DATABASES: &str = "promptsales promptads promptcrm warehouse";
/// Keys and client secrets, which a cluster has in its Secrets.
const IDENTITY: &str = "identity.tar";

#[tokio::test]
async fn what_was_backed_up_is_back_on_another_machine() {
    let Some(home) = indexed_home() else { return };
    // As it is after a first start, which a new machine begins with.
    let Some(machine) = indexed_home() else {
        return;
    };
    let scripts = Scripts::get().await;
    let backup = tempfile::tempdir().unwrap();

    let up = Up::start(home);
    // Something that no first start has.
    let change = ["tick", "--source-changes", "50", "--seed", "3"];
    run(up.home(), &change).expect(0);
    run(up.home(), &["etl"]).expect(0);
    let before = State::of(up.home());
    scripts.furnish(&up.endpoints().databases.warehouse);
    scripts.back_up(&up, backup.path());

    // What comes after the backup is lost, and told apart from what was before.
    let change = ["tick", "--source-changes", "50", "--seed", "4"];
    run(up.home(), &change).expect(0);
    run(up.home(), &["etl"]).expect(0);
    assert_ne!(State::of(up.home()).tables, before.tables);
    let (_, home) = up.stop(Signal::INT);
    fs::remove_dir_all(home.path()).unwrap();

    scripts.restore(&machine, backup.path()).await;
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

/// Dumps in clear, on their way to or from what is kept.
const SCRATCH: &str = "dump";

/// The chart's scripts, on the clients of our PostgreSQL.
struct Scripts {
    provisioned: Provisioned,
    /// Whether what is kept are restic's encrypted files, as the chart has it, or the dumps themselves.
    encrypted: bool,
}

impl Scripts {
    async fn get() -> Self {
        let variable = |name: &str| std::env::var(name).ok();
        let cache = CacheDir::resolve(None, &variable).unwrap();
        let shown = progress::on_stderr();
        let provisioned = provision(&cache, &Options::from_env(&variable), shown.as_ref()).await;
        let restic = restic();
        if let Err(reason) = &restic {
            // Where no package brings one that will do, so never a failure; seen also when the test passes.
            let notice = format!("skipped: restic's scripts in the restore drill: {reason}\n");
            std::io::stderr().write_all(notice.as_bytes()).unwrap();
        }
        Self {
            provisioned: provisioned.unwrap(),
            encrypted: restic.is_ok(),
        }
    }

    /// One as the chart's pods run it: all that it knows comes from the environment.
    fn command(&self, script: &str, server: &Url, backup: &Path) -> Command {
        let scripts =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../helm/promptsales/files/backups");
        let clients = self.provisioned.postgres.root().join("bin");
        let others = std::env::var_os("PATH").unwrap_or_default();
        let path =
            std::env::join_paths([clients].into_iter().chain(std::env::split_paths(&others)));
        let socket = server.query_pairs().find(|(name, _)| name == "host");
        let mut command = Command::new("sh");
        command
            .arg(scripts.join(script))
            .env("PATH", path.unwrap())
            .env("SCRATCH", backup.join(SCRATCH))
            .env("DATABASES", DATABASES)
            .env("PGHOST", socket.unwrap().1.as_ref())
            .env("PGPORT", server.port().unwrap().to_string())
            .env("PGUSER", server.username())
            .env("PGSSLMODE", "disable")
            .env("STORE", "postgres")
            .env("KEEP_DAYS", "30")
            .env("RESTIC_REPOSITORY", backup.join("repository"))
            .env("RESTIC_PASSWORD", "a password")
            .env("RESTIC_CACHE_DIR", backup.join("cache"));
        command
    }

    fn run(&self, script: &str, server: &Url, backup: &Path) {
        run_to_its_end(&mut self.command(script, server, backup));
    }

    /// A dump that breaks off is refused, and its database is as it was.
    fn refuse_half_a_dump(&self, server: &Url, backup: &Path) {
        let half = tempfile::tempdir().unwrap();
        let name = Path::new(SCRATCH).join("promptads.dump");
        let whole = fs::read(backup.join(&name)).unwrap();
        fs::create_dir(half.path().join(SCRATCH)).unwrap();
        fs::write(half.path().join(name), &whole[..whole.len() / 2]).unwrap();
        let mut command = self.command("postgres-restore.sh", server, half.path());
        let output = command.env("DATABASES", "promptads").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("promptads is as it was"), "{said}");
        self.sql(
            server,
            "promptads",
            "SELECT 1 / count(*) FROM _sqlx_migrations",
        );
    }

    fn sql(&self, server: &Url, database: &str, statement: &str) {
        let psql = self.provisioned.postgres.root().join("bin/psql");
        let mut url = server.clone();
        url.set_path(database);
        run_to_its_end(Command::new(psql).arg(url.as_str()).args(["-c", statement]));
    }

    /// What others may have in their databases: an extension in a schema of its own, and more than tables in `public`.
    fn furnish(&self, server: &Url) {
        let extension = "CREATE SCHEMA extensions; CREATE EXTENSION vector SCHEMA extensions;
            CREATE TABLE extensions.ours AS SELECT 1 AS id";
        self.sql(server, "warehouse", extension);
        let kinds = "CREATE TYPE public.mood AS ENUM ('calm'); CREATE SEQUENCE public.numbers;
            CREATE VIEW public.seen AS SELECT 1 AS id;
            CREATE FUNCTION public.double(int) RETURNS int LANGUAGE sql RETURN $1 * 2";
        self.sql(server, "promptads", kinds);
    }

    fn back_up(&self, up: &Up, into: &Path) {
        let server = up.endpoints().databases.warehouse;
        self.run("postgres-dump.sh", &server, into);
        if self.encrypted {
            self.run("restic-dump.sh", &server, into);
            fs::remove_dir_all(into.join(SCRATCH)).unwrap();
        }
        let mut command = Command::new("tar");
        command.arg("-C").arg(up.home().path());
        run_to_its_end(command.arg("-cf").arg(into.join(IDENTITY)).arg("identity"));
    }

    /// Into the home of a system that does not run: its database server runs alone meanwhile.
    async fn restore(&self, home: &TestHome, from: &Path) {
        let mut command = Command::new("tar");
        command.arg("-C").arg(home.path());
        run_to_its_end(command.arg("-xf").arg(from.join(IDENTITY)));
        let options = PostgresOptions::new(home.path().join("postgres"));
        let server = Postgres::start(&self.provisioned.postgres, options);
        let server = server.await.unwrap();
        let url = Url::parse(&server.url("postgres")).unwrap();
        if self.encrypted {
            self.run("restic-restore.sh", &url, from);
        }
        self.refuse_half_a_dump(&url, from);
        self.furnish(&url);
        // What a later release had made, and the dump does not know.
        self.sql(
            &url,
            "warehouse",
            "CREATE SCHEMA later CREATE TABLE facts (id int)",
        );
        self.sql(&url, "promptads", "CREATE TABLE public.later (id int)");
        self.run("postgres-restore.sh", &url, from);
        let kept = "SELECT '[1,2]'::extensions.vector, 1 / count(*) FROM extensions.ours";
        self.sql(&url, "warehouse", kept);
        self.sql(&url, "warehouse", "CREATE SCHEMA later");
        self.sql(&url, "promptads", "CREATE TABLE public.later (id int)");
        server.stop().await.unwrap();
    }
}

/// Whether there is a restic that can do what the scripts ask of it, or why not.
fn restic() -> Result<(), String> {
    let help = Command::new("restic").args(["backup", "--help"]).output();
    let help = help.map_err(|error| error.to_string())?;
    if String::from_utf8_lossy(&help.stdout).contains("--retry-lock") {
        Ok(())
    } else {
        Err("it cannot wait for a lock: expected 0.16 or newer".to_owned())
    }
}

fn run_to_its_end(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}
