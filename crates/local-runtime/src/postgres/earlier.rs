//! A server that an earlier process has left behind.
//!
//! After a `kill -9` of PromptSales the kernel tells its server to shut down, which takes a moment,
//! and after a power cut there is a `postmaster.pid` whose number may be another program's by now.

use std::{fs, path::Path, time::Duration};

use tokio::time::Instant;

use super::PostgresError;

const POLL: Duration = Duration::from_millis(50);

/// Waits until nothing works in the cluster, then removes its `postmaster.pid`. The caller holds the
/// home's lock, so that no other PromptSales can start a server meanwhile.
pub(super) async fn wait_for_end(cluster: &Path, deadline: Duration) -> Result<(), PostgresError> {
    let pid_file = cluster.join("postmaster.pid");
    // Without /proc, the server's own check of its pid file has to do.
    if !pid_file.exists() || !Path::new("/proc/self/cwd").exists() {
        return Ok(());
    }
    let started = Instant::now();
    loop {
        let pids = at_work_in(cluster);
        if pids.is_empty() {
            break;
        }
        if started.elapsed() >= deadline {
            let pids = pids.join(", ");
            let (cluster, seconds) = (cluster.to_path_buf(), deadline.as_secs());
            return Err(PostgresError::StillRunning {
                cluster,
                pids,
                seconds,
            });
        }
        tokio::time::sleep(POLL).await;
    }
    match fs::remove_file(&pid_file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(PostgresError::io("removing", &pid_file)(error))
        }
        _ => Ok(()),
    }
}

/// The server and every process of it have the cluster as their working directory, even those that
/// outlive a killed postmaster for a moment.
fn at_work_in(cluster: &Path) -> Vec<String> {
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    processes
        .flatten()
        .filter(|process| {
            fs::read_link(process.path().join("cwd")).is_ok_and(|directory| directory == cluster)
        })
        .filter_map(|process| process.file_name().into_string().ok())
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .collect()
}
