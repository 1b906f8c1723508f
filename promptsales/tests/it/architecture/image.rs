//! `Dockerfile` and `.dockerignore` fit the workspace: no one here can build an image.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Component, Path, PathBuf},
};

use cargo_metadata::Package;

use super::{SERVICES, sources, workspace::Workspace};

/// What is put into a binary by its path, and whether the path is one of the package instead of the file's own.
const INCLUDES: [(&str, bool); 4] = [
    ("include_str!(", false),
    ("include_bytes!(", false),
    ("include_dir!(", true),
    ("sqlx::migrate!(", true),
];

#[test]
fn a_build_in_docker_has_all_that_cargo_reads() {
    let workspace = Workspace::read();
    let root = workspace.root().canonicalize().unwrap();
    let text = fs::read_to_string(root.join(".dockerignore")).unwrap();
    let ignored = Ignored::read(&text);
    let mut read = BTreeSet::from([root.join("Cargo.toml"), root.join("Cargo.lock")]);
    for package in workspace.packages() {
        let folder = workspace.folder(&package.name);
        read.insert(package.manifest_path.clone().into());
        for source in built(package) {
            let included = included(&source, folder);
            read.extend(included);
            read.insert(source);
        }
    }
    assert!(read.len() > 400, "only {} files", read.len());
    for file in read {
        let found = file.canonicalize();
        let found = found.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let path = found.strip_prefix(&root).unwrap();
        assert!(
            !ignored.has(path),
            ".dockerignore leaves out {}",
            path.display()
        );
    }
    for kept_out in [
        ".git/HEAD",
        "target/debug/x",
        "crates/auth/tests/it/main.rs",
    ] {
        assert!(ignored.has(Path::new(kept_out)), "{kept_out}");
    }
}

/// The sources of what a package builds, but for its tests.
fn built(package: &Package) -> Vec<PathBuf> {
    let targets = package.targets.iter().filter(|target| !target.is_test());
    targets
        .flat_map(|target| {
            let file = target.src_path.as_std_path();
            if target.is_custom_build() {
                vec![file.to_owned()]
            } else {
                sources(file.parent().unwrap())
            }
        })
        .collect()
}

/// The files and folders that a source names to be put into the binary. Of a path that a macro goes on with, the folder.
fn included(source: &Path, package: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(source).unwrap();
    let mut found = Vec::new();
    for (call, of_package) in INCLUDES {
        for argument in text.split(call).skip(1) {
            let argument = argument.split(';').next().unwrap();
            let mut literals = argument.split('"').skip(1).step_by(2);
            let Some(path) = literals.find(|literal| *literal != "CARGO_MANIFEST_DIR") else {
                continue;
            };
            let path = path.trim_start_matches("$CARGO_MANIFEST_DIR");
            let path = if argument.contains("concat!") {
                path.rsplit_once('/').unwrap().0
            } else {
                path
            };
            let of_package = of_package || argument.contains("CARGO_MANIFEST_DIR");
            let from = if of_package {
                package
            } else {
                source.parent().unwrap()
            };
            found.push(from.join(path.trim_start_matches('/')));
        }
    }
    found
}

/// The rules of `.dockerignore`, in their order: whether it lets in, and the names of its path.
struct Ignored(Vec<(bool, Vec<String>)>);

impl Ignored {
    fn read(text: &str) -> Self {
        let lines = text.lines().map(str::trim);
        let rules = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let rule = |line: &str| {
            let path = line.trim_start_matches('!');
            let names: Vec<_> = names(Path::new(path.trim_matches('/')));
            for name in &names {
                let plain = name == "**" || !name.contains(['*', '?', '[', '\\']);
                assert!(plain, "{line}: this test does not read such a pattern");
            }
            (line.starts_with('!'), names)
        };
        Self(rules.map(rule).collect())
    }

    /// The last rule that means the path, or a folder that it is in, decides.
    fn has(&self, path: &Path) -> bool {
        let path = names(path);
        let means = |rule: &[String]| (1..=path.len()).any(|end| fits(rule, &path[..end]));
        let last = self.0.iter().rev().find(|(_, rule)| means(rule));
        last.is_some_and(|(lets_in, _)| !lets_in)
    }
}

fn names(path: &Path) -> Vec<String> {
    let name = |part: Component| part.as_os_str().to_str().unwrap().to_owned();
    path.components().map(name).collect()
}

fn fits(rule: &[String], path: &[String]) -> bool {
    match rule.split_first() {
        None => path.is_empty(),
        Some((name, rest)) if name == "**" => {
            (0..=path.len()).any(|skipped| fits(rest, &path[skipped..]))
        }
        Some((name, rest)) => path.first() == Some(name) && fits(rest, &path[1..]),
    }
}

#[test]
fn ignored_paths_are_read_as_docker_reads_them() {
    let ignored = Ignored::read("# what is built\ntarget\n\n/docs/\n**/tests\n!docs/kept\n");
    for (path, expected) in [
        ("target", true),
        ("target/debug/x", true),
        ("crates/target", false),
        ("docs/a.md", true),
        ("docs/kept/a.md", false),
        ("tests/it/main.rs", true),
        ("crates/auth/tests/it/main.rs", true),
        ("crates/auth/src/tests.rs", false),
    ] {
        assert_eq!(ignored.has(Path::new(path)), expected, "{path}");
    }
}

/// `docker build --build-arg SERVICE=…` without a target builds the last stage.
#[test]
fn the_last_stage_is_the_named_services_and_only_the_embedders_holds_onnx_runtime() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(root.join("Dockerfile")).unwrap();
    let mut stages = BTreeMap::new();
    let mut last = "";
    for stage in text.split("\nFROM ").skip(1) {
        let (head, body) = stage.split_once('\n').unwrap_or((stage, ""));
        let (from, name) = head.split_once(" AS ").unwrap();
        stages.insert(name, (from, body));
        last = from;
    }
    assert_eq!(last, "image-${SERVICE}");
    assert!(
        text.split("\nFROM ")
            .next()
            .unwrap()
            .contains("\nARG SERVICE\n")
    );
    for service in SERVICES {
        let (from, body) = stages[format!("image-{service}").as_str()];
        assert_eq!(from, "service", "{service}");
        let with_model = body.contains("--from=onnxruntime");
        assert_eq!(with_model, service == "embedder", "{service}");
    }
    assert!(!stages["service"].1.contains("onnxruntime"));
    let compose = fs::read_to_string(root.join("compose.yaml")).unwrap();
    assert_eq!(compose.matches("args: { SERVICE: ").count(), 5);
    assert!(!compose.contains("target: "), "the service names the stage");
}
