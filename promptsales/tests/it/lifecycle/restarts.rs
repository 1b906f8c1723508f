//! A home that was used before: stopped in order, or not.

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{FirstStart, Up, assert_complete_and_equal, ids, indexed_home, run, wait_for};

#[test]
fn a_second_start_is_quick_and_changes_nothing() {
    let Some(first) = FirstStart::get() else {
        return;
    };
    let started = std::time::Instant::now();
    let up = Up::start(first.home().copy());
    let seconds = started.elapsed().as_secs_f32();
    let stderr = up.stderr();
    assert!(
        stderr.contains("0 new, 0 changed, 66 as before"),
        "{stderr}"
    );
    // A ratio, since the machine may be busy: nothing is embedded again and no cluster is made.
    assert!(
        seconds < first.seconds.max(10.0),
        "{seconds} s after {} s",
        first.seconds
    );
    assert_complete_and_equal(&run(up.home(), &["status", "--json"]).expect(0).json());
    let (status, home) = up.stop(Signal::TERM);
    assert_eq!(status.code(), Some(0), "SIGTERM is as good as Ctrl-C");
    assert!(!home.path().join("endpoints.json").exists());
}

#[test]
fn a_killed_system_starts_again_with_all_that_it_had() {
    let Some(home) = indexed_home() else { return };
    let home = Up::start(home).kill();
    // What it left tells others of a system that is gone; a command must not believe it.
    assert!(home.path().join("endpoints.json").exists());
    let found = run(&home, &["find", "--json", "a dog plays in the park"]).expect(0);
    assert_eq!(ids(&found.json())[0], "dog-park-frisbee");
    assert_eq!(home.processes(), []);

    let up = Up::start(home);
    let stderr = up.stderr();
    assert!(
        stderr.contains("0 new, 0 changed, 66 as before"),
        "{stderr}"
    );
    assert_complete_and_equal(&run(up.home(), &["status", "--json"]).expect(0).json());
}

#[test]
fn up_ends_when_its_database_server_does() {
    let Some(home) = indexed_home() else { return };
    let mut up = Up::start(home);
    let pid_file = up.home().path().join("postgres/cluster/postmaster.pid");
    let pid = std::fs::read_to_string(pid_file).unwrap();
    let pid = Pid::from_raw(pid.lines().next().unwrap().parse().unwrap()).unwrap();
    assert!(!up.home().postgres_processes().is_empty());
    kill_process(pid, Signal::KILL).unwrap();
    assert_eq!(up.wait().code(), Some(1));
    let stderr = up.stderr();
    assert!(stderr.contains("error: PostgreSQL has stopped"), "{stderr}");
    up.home().wait_until_deserted();
    assert!(!up.home().path().join("endpoints.json").exists());
}

#[test]
fn a_command_waits_for_an_up_that_is_still_starting() {
    let Some(home) = indexed_home() else { return };
    let up = Up::spawn(home, &["up", "--no-examples"]);
    let lock = up.home().path().join("lock");
    wait_for("the lock", || {
        let holder = std::fs::read_to_string(&lock).ok()?;
        (holder == up.pid().to_string()).then_some(())
    });
    let found = run(up.home(), &["find", "--json", "a dog plays in the park"]).expect(0);
    assert_eq!(ids(&found.json())[0], "dog-park-frisbee");
    let (status, _) = up.stop(Signal::INT);
    assert_eq!(status.code(), Some(0));
}
