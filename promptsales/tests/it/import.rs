//! `import`, with files as a company has them, into a running system.

mod bad_input;
mod broken_off;
mod sources;

use std::{
    fs,
    path::{Path, PathBuf},
};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, Ran, Reply, TestHome, Up, ids, indexed_home, run, writable_up};

/// A folder of files to import; removed when dropped.
pub struct Files(tempfile::TempDir);

impl Files {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn text(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// A picture of the catalogue under another name. `mark` is added behind its end, so that it is a
    /// file of its own.
    pub fn image(&self, name: &str, of: &str, mark: &str) {
        let rendered = Path::new(env!("CARGO_MANIFEST_DIR")).join("../images/rendered");
        let mut bytes = fs::read(rendered.join(of).with_extension("png")).unwrap();
        bytes.extend(mark.bytes());
        self.text(name, bytes);
    }
}

/// Imports with `--json`.
pub fn import(home: &TestHome, source: &Path, options: &[&str]) -> Ran {
    let source = source.to_str().unwrap();
    run(home, &[&["import", "--json", source], options].concat())
}

/// Rows that were created, updated, unchanged, deleted and refused.
#[track_caller]
pub fn counts(report: &Value) -> [u64; 5] {
    ["created", "updated", "unchanged", "deleted", "refused"]
        .map(|name| report[name].as_u64().unwrap())
}

/// The refusals, as a person reads them.
pub fn refusals(report: &Value) -> Vec<String> {
    let refusals = report["refusals"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    refusals
        .map(|refusal| format!("{}: {}", text(&refusal["place"]), text(&refusal["reason"])))
        .collect()
}

/// Every document whose id begins like this.
pub async fn documents(up: &Up, prefix: &str) -> Vec<Value> {
    let api = Api::of(up);
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api
            .get(&format!("/v1/content?limit=200{cursor}"))
            .await
            .json();
        let documents = page["documents"].as_array().unwrap().iter();
        let ours = documents.filter(|one| one["id"].as_str().unwrap().starts_with(prefix));
        found.extend(ours.cloned());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

async fn get(up: &Up, id: &str) -> Value {
    Api::of(up).get(&format!("/v1/content/{id}")).await.json()
}

#[tokio::test]
async fn a_folder_is_imported_found_and_left_alone_the_second_time() {
    let Some(up) = writable_up() else { return };
    let files = Files::new();
    files.image("trip/beach.png", "tropical-beach-palm", "folder");
    files.text(
        "trip/beach.toml",
        "id = \"folder-beach\"\nthemes = [\"travel\"]\n[rights]\nfrom = 2026-01-01\n\
         [es]\ndescription = \"Un ornitorrinco toma el sol. Lleva gafas.\"\nhashtags = \"Sol #Playa\"\n",
    );
    files.image("ZEBRA.PNG", "sushi-platter", "folder");
    files.text(
        "ZEBRA.json",
        json!({"en": {"description": "A zebra repairs a typewriter", "title": "Zebra at work"},
            "es.description": "Una cebra arregla una máquina de escribir"})
        .to_string(),
    );
    files.text("notes.txt", "not an image");
    files.text(".hidden.toml", "not read");
    let options = ["--approve", "--holder", "Zoo"];
    let report = import(up.home(), files.path(), &options).expect(0).json();
    assert_eq!(counts(&report), [2, 0, 0, 0, 0], "{report}");
    assert_eq!(
        (&report["approved"], &report["drafts"]),
        (&json!(2), &json!(0))
    );
    assert_eq!(report["missing_languages"], json!({"en": 1}));
    assert_eq!(report["lookalikes"], 2);

    let beach = get(up, "folder-beach").await;
    assert_eq!(beach["text"]["es"]["title"], "Un ornitorrinco toma el sol");
    assert_eq!(beach["text"]["es"]["hashtags"], json!(["#Sol", "#Playa"]));
    assert_eq!(beach["missing_languages"], json!(["en"]));
    assert_eq!(beach["rights"]["holder"], "Zoo");
    assert_eq!(beach["rights"]["from"], "2026-01-01");
    assert_eq!(
        found_first(up, "a zebra at a typewriter").await["title"],
        "Zebra at work"
    );
    let before = documents(up, "").await;

    // Neither the same again, nor from elsewhere under other names.
    let moved = Files::new();
    fs::create_dir_all(moved.path().join("sub")).unwrap();
    for ending in ["PNG", "json"] {
        let from = files.path().join(format!("ZEBRA.{ending}"));
        fs::copy(from, moved.path().join(format!("sub/other.{ending}"))).unwrap();
    }
    for (folder, rows) in [(&files, 2), (&moved, 1)] {
        let report = import(up.home(), folder.path(), &options).expect(0).json();
        assert_eq!(counts(&report), [0, 0, rows, 0, 0], "{report}");
    }
    for document in before {
        let id = document["id"].as_str().unwrap();
        if id == "folder-beach" || id.starts_with("image-") {
            assert_eq!(get(up, id).await, document);
        }
    }
}

/// What searches answer first; waited for, since the system is not the command's own.
async fn found_first(up: &Up, description: &str) -> Value {
    let api = Api::of(up);
    let deadline = std::time::Instant::now() + crate::support::PATIENCE;
    loop {
        let answer = api
            .get_content(json!({"description": description}))
            .await
            .json();
        let first = &answer["results"][0];
        if first["id"]
            .as_str()
            .is_some_and(|id| id.starts_with("image-"))
        {
            return first.clone();
        }
        assert!(std::time::Instant::now() < deadline, "{:?}", ids(&answer));
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_changed_row_changes_its_document_and_no_other() {
    let Some(up) = writable_up() else { return };
    let api = Api::of_owner(up);
    let files = Files::new();
    files.image("one.png", "sushi-platter", "");
    files.image("two.png", "new-house-keys", "");
    let table = |rows: [&str; 4]| {
        let heading = "id;image;en.description;channels\n";
        files.text("table.csv", format!("{heading}{}\n", rows.join("\n")))
    };
    let first = table([
        "row-a;one.png;An otter juggles;email",
        "row-b;one.png;A lynx knits;",
        "row-c;one.png;A toad sails;",
        "row-d;one.png;A heron paints;",
    ]);
    let report = import(up.home(), &first, &[]).expect(0).json();
    assert_eq!(counts(&report), [4, 0, 0, 0, 0]);
    assert_eq!(
        (&report["approved"], &report["drafts"]),
        (&json!(0), &json!(4))
    );

    // Meanwhile people work with them.
    let patch = json!({"text": {"en": {"title": "By hand"}}, "themes": ["pets"]});
    for id in ["row-a", "row-b"] {
        let request = api.request(Method::PATCH, &format!("/v1/content/{id}"));
        let reply = Reply::of(request.header("If-Match", "*").json(&patch)).await;
        assert_eq!(reply.status, 200);
    }
    let deleted = Reply::of(api.request(Method::DELETE, "/v1/content/row-c")).await;
    assert_eq!(deleted.status, 204);

    let second = table([
        "row-a;one.png;An otter juggles plates;email",
        "row-b;one.png;A lynx knits;",
        "row-c;one.png;A toad sails;",
        "row-d;two.png;A heron paints;",
    ]);
    let before = get(up, "row-d").await;
    let report = import(up.home(), &second, &["--approve"]).expect(0).json();
    assert_eq!(counts(&report), [0, 2, 1, 1, 0], "{report}");
    assert_eq!(report["approved"], 3);
    let (a, b, d) = (
        get(up, "row-a").await,
        get(up, "row-b").await,
        get(up, "row-d").await,
    );
    assert_eq!(a["text"]["en"]["description"], "An otter juggles plates");
    // What no row says is not the import's to take back.
    assert_eq!(a["themes"], json!(["pets"]));
    assert_eq!(b["text"]["en"]["title"], "By hand");
    assert_eq!(d["former_images"][0]["sha256"], before["image"]["sha256"]);
    assert_eq!(d["text"], before["text"]);
    api.get("/v1/content/row-c")
        .await
        .problem(404, "no-such-content");

    // Not the import's to decide; its user's.
    let options = ["--approve", "--restore-deleted"];
    let report = import(up.home(), &second, &options).expect(0).json();
    assert_eq!(counts(&report), [1, 0, 3, 0, 0], "{report}");
    assert_eq!(get(up, "row-c").await["status"], "approved");
}

#[test]
fn without_a_running_up_it_indexes_before_it_stops() {
    let Some(home) = indexed_home() else { return };
    let files = Files::new();
    files.image("a.png", "sushi-platter", "");
    let line = json!({"image": "a.png", "lang": "en", "description": "A badger plays the harp"});
    let table = files.text("one.jsonl", line.to_string());
    let ran = run(&home, &["import", "--approve", table.to_str().unwrap()]).expect(0);
    assert!(ran.stdout.contains("1 rows in"), "{ran:?}");
    assert!(ran.stdout.contains("1 have no text in es"), "{ran:?}");
    assert_eq!(home.processes(), []);
    let status = run(&home, &["status", "--json"]).expect(0).json();
    for index in status["indexes"].as_array().unwrap() {
        assert_eq!(
            index["documents"],
            crate::support::CATALOGUE + 1,
            "{status}"
        );
    }
    // A wrong path is said before anything is started.
    for (path, says) in [
        ("no-such-folder", "cannot read"),
        ("a.png", "expected a folder"),
    ] {
        let path = files.path().join(path);
        let ran = run(&home, &["import", path.to_str().unwrap()]).expect(1);
        assert!(ran.stderr.contains(says), "{ran:?}");
    }
}
