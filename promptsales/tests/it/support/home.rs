//! Homes in one temporary directory, which goes with this process however it ends.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::wait_for;

/// A directory for one system; removed when dropped.
#[derive(Debug)]
pub struct TestHome(PathBuf);

impl TestHome {
    /// A name that nothing has yet.
    pub fn new() -> Self {
        Self::ending("")
    }

    /// The same with a name that ends like this.
    fn ending(suffix: &str) -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        Self(scene().join(format!("home-{number}{suffix}")))
    }

    /// A copy with owners and modes, of a home that nobody uses now.
    pub fn copy(&self) -> Self {
        self.copy_ending("")
    }

    /// The same with a name that ends like this.
    pub fn copy_ending(&self, suffix: &str) -> Self {
        let copy = Self::ending(suffix);
        let copied = Command::new("cp")
            .arg("-a")
            .args([self.path(), copy.path()])
            .status()
            .unwrap();
        assert!(copied.success(), "cp -a: {copied}");
        copy
    }

    /// A name inside this one.
    pub fn below(&self, name: &str) -> Self {
        Self(self.0.join(name))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A place beside the home, for a file that belongs to it.
    pub fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.0.clone().into_os_string();
        name.push(suffix);
        name.into()
    }

    /// Every process that works in this home or names it on its command line, PostgreSQL's included.
    pub fn processes(&self) -> Vec<(u32, String)> {
        let found = fs::read_dir("/proc").unwrap().flatten();
        let pids = found.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter_map(|pid: u32| Some((pid, self.used_by(pid)?)))
            .collect()
    }

    /// PostgreSQL's processes of this home: their working directory is the cluster.
    pub fn postgres_processes(&self) -> Vec<u32> {
        let cluster = self.0.join("postgres/cluster");
        let all = self.processes().into_iter().map(|(pid, _)| pid);
        all.filter(|pid| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == cluster))
            .collect()
    }

    /// The command line, when the process has to do with this home. A zombie has neither.
    fn used_by(&self, pid: u32) -> Option<String> {
        let words = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let line = String::from_utf8_lossy(&words).replace('\0', " ");
        let cwd = fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
        // With what follows it: home-1 is the beginning of home-10 too.
        let here = self.0.to_str().unwrap();
        let named = line
            .match_indices(here)
            .any(|(at, _)| !line[at + here.len()..].starts_with(|c: char| c.is_ascii_digit()));
        (named || cwd.starts_with(&self.0)).then_some(line)
    }

    /// Waits until no process has to do with this home any more.
    pub fn wait_until_deserted(&self) {
        wait_for(&format!("the end of {:?}", self.processes()), || {
            self.processes().is_empty().then_some(())
        });
    }
}

impl Drop for TestHome {
    fn drop(&mut self) {
        // A failed test leaves it to the watcher, which first ends what still runs in it.
        if self.processes().is_empty() {
            let _gone_at_the_end = fs::remove_dir_all(&self.0);
            for file in [".out", ".err"] {
                let _may_not_exist = fs::remove_file(self.beside(file));
            }
        }
    }
}

/// The directory of all homes of this test process.
fn scene() -> &'static Path {
    static SCENE: OnceLock<(PathBuf, Child)> = OnceLock::new();
    let (path, _watcher) = SCENE.get_or_init(|| {
        let open = Permissions::from_mode(0o711);
        let dir = tempfile::Builder::new()
            .prefix("promptsales-e2e-")
            // The database server's user passes through when tests run as root.
            .permissions(open.clone())
            .tempdir()
            .unwrap();
        // The process's umask may have taken something away.
        fs::set_permissions(dir.path(), open).unwrap();
        // Where /tmp is a link, the kernel names processes' directories without it.
        let path = dir.keep().canonicalize().unwrap();
        let watcher = watch(&path).unwrap();
        (path, watcher)
    });
    path
}

/// Starts a shell that waits for this process to end, which closes its standard input; then ends every
/// system that tests left (the shared one) and removes the directory. Its own process group keeps a
/// Ctrl-C from it.
fn watch(dir: &Path) -> io::Result<Child> {
    const SCRIPT: &str = r#"
        cat >/dev/null
        for lock in "$1"/*/lock; do
            pid=$(cat "$lock" 2>/dev/null) || continue
            tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$1" || continue
            kill -INT "$pid" 2>/dev/null
            n=0
            while kill -0 "$pid" 2>/dev/null && [ $n -lt 200 ]; do sleep 0.1; n=$((n + 1)); done
            kill -KILL "$pid" 2>/dev/null
        done
        rm -rf -- "$1" || { sleep 5; rm -rf -- "$1"; }
    "#;
    Command::new("/bin/sh")
        .args(["-c", SCRIPT, "watcher"])
        .arg(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
}
