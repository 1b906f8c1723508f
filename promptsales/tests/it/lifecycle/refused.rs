//! Starts that cannot be: each says what is in the way.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
};

use crate::support::{FirstStart, TestHome, five_free_ports, run, shared_up};

#[test]
fn a_port_in_use_is_named() {
    let base = five_free_ports();
    // The third of the five, so that those before it must be given back.
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, base + 2)).unwrap();
    let home = TestHome::new();
    let ran = run(&home, &["up", "--port-base", &base.to_string()]).expect(1);
    let address = taken.local_addr().unwrap().to_string();
    for part in [address.as_str(), "--port-base", "in use"] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    assert_eq!(ran.stdout, "");
    // Said before anything was started.
    assert!(!home.path().join("postgres").exists());
}

#[test]
fn a_second_up_in_the_same_home_is_told_who_serves_it() {
    let Some(up) = shared_up() else { return };
    let ran = run(up.home(), &["up"]).expect(1);
    let holder = format!("process {} already serves", up.pid());
    for part in [
        holder.as_str(),
        up.home().path().to_str().unwrap(),
        "--data-dir",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    // And the first is none the worse for it.
    run(up.home(), &["status"]).expect(0);
}

#[test]
fn a_data_directory_that_cannot_be_made_is_named() {
    let file = TestHome::new();
    fs::write(file.path(), "no directory").unwrap();
    let home = file.below("home");
    for arguments in [&["up"][..], &["find", "a dog"], &["status"], &["mcp"]] {
        let ran = run(&home, arguments).expect(1);
        let expected = format!("cannot create the data directory {}", home.path().display());
        assert!(ran.stderr.contains(&expected), "{}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
    fs::remove_file(file.path()).unwrap();
}

#[test]
fn ports_out_of_range_are_refused() {
    for base in ["0", "65532", "many"] {
        let ran = run(&TestHome::new(), &["up", "--port-base", base]).expect(2);
        assert!(ran.stderr.contains("--port-base"), "{}", ran.stderr);
    }
}

#[test]
fn a_damaged_note_of_where_a_system_listens_is_named() {
    let Some(first) = FirstStart::get() else {
        return;
    };
    // While somebody holds the lock, the note is believed; the holder is this process.
    let home = first.home().copy();
    let lock = fs::File::options()
        .write(true)
        .open(home.path().join("lock"))
        .unwrap();
    lock.lock().unwrap();
    fs::write(home.path().join("endpoints.json"), "{").unwrap();
    let ran = run(&home, &["find", "a dog"]).expect(1);
    assert!(
        ran.stderr.contains("endpoints.json is damaged; delete it"),
        "{}",
        ran.stderr
    );
}
