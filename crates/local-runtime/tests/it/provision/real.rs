//! With the machine's own Python and the pinned wheels.

use std::process::Command;

use local_runtime::{Artifacts, CacheDir, Options, Platform, ProvisionError, progress, provision};

use crate::fake::open_dir;

#[tokio::test]
async fn the_pinned_wheels_come_through_the_real_pip() {
    let dir = open_dir();
    let cache = CacheDir::resolve(Some(dir.path().join("cache")), &|_| None).unwrap();
    let shown = progress::Lines::new(Vec::new());
    let outcome = provision(&cache, &Options::default(), &shown).await;
    let outcome = match outcome {
        // The network is not this test's subject; a wrong pin is.
        Err(
            error @ (ProvisionError::NoPython { .. }
            | ProvisionError::NoPip { .. }
            | ProvisionError::DownloadFailed { .. }
            | ProvisionError::UnsupportedPlatform { .. }),
        ) => Err(error.to_string()),
        other => Ok(other.unwrap()),
    };
    let Some(provisioned) = test_support::or_skip("the pinned wheels", outcome) else {
        return;
    };
    assert!(
        provisioned
            .onnxruntime
            .ends_with("libonnxruntime.so.1.31.1")
    );
    assert!(provisioned.onnxruntime.is_file());
    assert_eq!(provisioned.postgres.major(), 18);
    let root = provisioned.postgres.root();
    assert!(!root.join("include").exists());
    // psql is linked to libraries beside the tree, which it finds by a relative path.
    let psql = Command::new(root.join("bin/psql"))
        .arg("--version")
        .output()
        .unwrap();
    assert!(
        psql.status.success(),
        "{}",
        String::from_utf8_lossy(&psql.stderr)
    );
    let shown = String::from_utf8(shown.into_inner()).unwrap();
    for line in [
        "postgresql: downloading 24 MB, 0%",
        "postgresql: unpacking",
        "onnxruntime: ready",
    ] {
        assert!(shown.contains(line), "{line} is not in\n{shown}");
    }
}

#[test]
fn both_linux_platforms_are_pinned_and_named_alike() {
    for arch in ["x86_64", "aarch64"] {
        let platform = Platform {
            os: "linux".into(),
            arch: arch.into(),
        };
        let Artifacts {
            onnxruntime,
            postgres,
        } = Artifacts::pinned(&platform).unwrap();
        for artifact in [onnxruntime, postgres] {
            assert_eq!(artifact.sha256.len(), 64);
            assert!(
                artifact.wheel.ends_with(&format!("{arch}.whl")),
                "{}",
                artifact.wheel
            );
            assert!(artifact.tags.iter().all(|tag| tag.ends_with(arch)));
        }
    }
}
