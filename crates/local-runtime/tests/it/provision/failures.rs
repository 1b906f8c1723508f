//! Every error, and that a retry works where the message promises it.

use std::{fs, os::unix::fs::PermissionsExt, process::Command, time::Duration};

use local_runtime::{CacheDir, Platform, ProvisionError};

use crate::fake::{Fake, LIBRARY, ONNX, POSTGRES, is_root, wheel};

#[tokio::test]
async fn no_python() {
    let mut fake = Fake::new();
    fake.options.python = Some("/nonexistent/python3".into());
    let error = fake.provision().await.unwrap_err();
    assert!(matches!(error, ProvisionError::NoPython { .. }));
    let message = error.to_string();
    for part in [
        "/nonexistent/python3",
        "python3-pip",
        "PROMPTSALES_POSTGRES",
    ] {
        assert!(message.contains(part), "{message}");
    }
}

#[tokio::test]
async fn no_pip() {
    let fake = Fake::new();
    fake.tell("no-pip", "");
    let error = fake.provision().await.unwrap_err();
    assert!(matches!(error, ProvisionError::NoPip { .. }));
    assert!(error.to_string().contains("No module named pip"), "{error}");
}

#[tokio::test]
async fn a_failing_download_is_tried_twice_and_quoted() {
    let fake = Fake::new();
    fake.tell(
        "fail",
        "early\nline\n1\n2\n3\n4\n5\n6\nERROR: No matching distribution\n",
    );
    let error = fake.provision().await.unwrap_err();
    assert!(matches!(
        error,
        ProvisionError::DownloadFailed { attempts: 2, .. }
    ));
    let message = error.to_string();
    assert!(
        message.contains("ERROR: No matching distribution"),
        "{message}"
    );
    assert!(
        !message.contains("early"),
        "only the last lines belong here: {message}"
    );
    assert!(message.contains("onnx.whl"), "{message}");
    assert_eq!(fake.calls().iter().filter(|call| *call == ONNX).count(), 2);
}

#[tokio::test]
async fn one_failure_is_forgiven() {
    let fake = Fake::new();
    fake.tell("fail-once", "");
    fake.provision().await.unwrap();
    assert!(fake.calls().len() >= 3);
}

#[tokio::test]
async fn a_pip_that_delivers_something_else_is_reported() {
    let fake = Fake::new();
    fs::rename(
        fake.served(ONNX, "onnx.whl"),
        fake.served(ONNX, "other.whl"),
    )
    .unwrap();
    let message = fake.provision().await.unwrap_err().to_string();
    assert!(
        message.contains("did not leave onnx.whl behind"),
        "{message}"
    );
}

#[tokio::test]
async fn a_pip_that_hangs_is_stopped() {
    let mut fake = Fake::new();
    fake.tell("hang", "");
    fake.options.stall = Duration::from_millis(50);
    let message = fake.provision().await.unwrap_err().to_string();
    assert!(message.contains("nothing arrived"), "{message}");
}

#[tokio::test]
async fn a_wrong_checksum_is_refused_removed_and_retried() {
    let fake = Fake::new();
    let good = fs::read(fake.served(ONNX, "onnx.whl")).unwrap();
    let mut bad = good.clone();
    bad[0] ^= 1;
    fake.serve(ONNX, "onnx.whl", &bad);
    let error = fake.provision().await.unwrap_err();
    assert!(matches!(error, ProvisionError::ChecksumMismatch { .. }));
    assert!(
        error
            .to_string()
            .contains("The file was removed; start again"),
        "{error}"
    );
    assert!(!fake.cache.wheels().join("onnx.whl").exists());
    assert!(
        fake.cache.wheels().join("pg.whl").exists(),
        "the other one is kept"
    );

    fake.serve(ONNX, "onnx.whl", &good);
    fake.provision().await.unwrap();
    assert_eq!(
        fake.calls().iter().filter(|call| *call == POSTGRES).count(),
        1
    );
}

#[tokio::test]
async fn a_wheel_without_the_library_is_reported() {
    let mut fake = Fake::new();
    fake.pin_onnx(&wheel(&[("onnx/library.so", 0o755, b"\x7fELF")]));
    let error = fake.provision().await.unwrap_err();
    assert!(matches!(error, ProvisionError::EntryMissing { .. }));
    let message = error.to_string();
    assert!(
        message.contains(LIBRARY) && message.contains("PROMPTSALES_ONNXRUNTIME"),
        "{message}"
    );
}

#[tokio::test]
async fn a_wheel_that_is_no_archive_is_reported() {
    let mut fake = Fake::new();
    fake.pin_onnx(b"hello");
    let error = fake.provision().await.unwrap_err();
    assert!(
        matches!(error, ProvisionError::BrokenWheel { .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_damaged_archive_is_reported() {
    let mut fake = Fake::new();
    let mut content = wheel(&[(LIBRARY, 0o755, &[7; 5000])]);
    content[60] ^= 0xff;
    fake.pin_onnx(&content);
    let error = fake.provision().await.unwrap_err();
    assert!(
        matches!(error, ProvisionError::BrokenWheel { .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_path_that_leads_out_of_the_archive_is_refused() {
    let mut fake = Fake::new();
    fake.pin_onnx(&wheel(&[
        ("onnx/lib/../../../escaped", 0o755, b"x"),
        (LIBRARY, 0o755, b"x"),
    ]));
    let error = fake.provision().await.unwrap_err();
    assert!(
        matches!(error, ProvisionError::BrokenWheel { .. }),
        "{error}"
    );
    assert!(!fake.cache.path().join("escaped").exists());
    assert!(!fake.cache.path().join("tmp/escaped").exists());
}

#[tokio::test]
async fn a_platform_without_pins_is_told_what_to_set() {
    let mut fake = Fake::new();
    fake.options.artifacts = None;
    fake.options.platform = Platform {
        os: "plan9".into(),
        arch: "mips".into(),
    };
    let message = fake.provision().await.unwrap_err().to_string();
    for part in [
        "plan9",
        "mips",
        "PROMPTSALES_ONNXRUNTIME",
        "PROMPTSALES_POSTGRES",
    ] {
        assert!(message.contains(part), "{message}");
    }
}

#[tokio::test]
async fn a_cache_under_a_file_is_not_writable() {
    let mut fake = Fake::new();
    fake.tell("file", "");
    let path = fake.dir.path().join("file/cache");
    fake.cache = CacheDir::resolve(Some(path), &|_| None).unwrap();
    let error = fake.provision().await.unwrap_err();
    assert!(
        matches!(error, ProvisionError::CacheNotWritable { .. }),
        "{error}"
    );
    assert!(
        error.to_string().contains("PROMPTSALES_CACHE_DIR"),
        "{error}"
    );
}

#[tokio::test]
async fn a_cache_without_permission_is_not_writable() {
    if is_root() {
        eprintln!("skipped: root may write anywhere");
        return;
    }
    let fake = Fake::new();
    fs::create_dir(fake.cache.path()).unwrap();
    fs::set_permissions(fake.cache.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let error = fake.provision().await.unwrap_err();
    assert!(
        matches!(error, ProvisionError::CacheNotWritable { .. }),
        "{error}"
    );
}

#[tokio::test]
async fn pip_on_a_full_disk_is_understood() {
    let fake = Fake::new();
    fake.tell(
        "fail",
        "ERROR: Could not install: [Errno 28] No space left on device\n",
    );
    let error = fake.provision().await.unwrap_err();
    assert!(matches!(error, ProvisionError::DiskFull { .. }), "{error}");
}

#[tokio::test]
async fn unpacking_onto_a_full_disk_is_understood() {
    let mut fake = Fake::new();
    let mount = fake.dir.path().join("small");
    fs::create_dir(&mount).unwrap();
    let mounted = Command::new("mount")
        .args([
            "-t",
            "tmpfs",
            "-o",
            "size=256k,mode=755",
            "promptsales-test",
        ])
        .arg(&mount)
        .output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: a small file system cannot be mounted here");
        return;
    }
    fake.pin_onnx(&wheel(&[(LIBRARY, 0o755, &vec![0; 1_000_000])]));
    fake.cache = CacheDir::resolve(Some(mount.join("cache")), &|_| None).unwrap();
    let outcome = fake.provision().await;
    let left = fs::read_dir(fake.cache.path().join("tmp")).map(Iterator::count);
    Command::new("umount").arg(&mount).status().unwrap();
    assert!(matches!(
        outcome.unwrap_err(),
        ProvisionError::DiskFull { .. }
    ));
    assert_eq!(left.unwrap(), 0, "what was half unpacked is gone");
}
