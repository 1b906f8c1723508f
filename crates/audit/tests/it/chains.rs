//! The chain over restarts, days, processes and faults, and against people.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{PermissionsExt as _, symlink},
    process::{Command, Stdio},
};

use audit::{
    Audit, AuditConfig, AuditError, Destination, Event, Head, Snapshot, chain::Seal, verify,
};
use service_kit::Clock;

use crate::support::{DAY, World, scraped};

async fn record(audit: &Audit, actions: &[&str]) {
    for action in actions {
        audit.record(Event::new(*action));
    }
    audit.flush().await;
}

#[tokio::test]
async fn it_holds_over_restarts_and_days() {
    let world = World::new();
    for day in 0..3 {
        record(&world.open(), &[&format!("a{day}"), &format!("b{day}")]).await;
        record(&world.open(), &[&format!("c{day}")]).await;
        world.later(DAY);
    }
    let report = world.verify();
    assert!(report.intact, "{report:?}");
    assert_eq!(
        (report.files, report.lines, report.first_seq),
        (3, 9, Some(1))
    );
    let lines = world.lines();
    for (place, line) in lines.iter().enumerate() {
        assert_eq!(line["seq"], place as u64 + 1);
        if place > 0 {
            assert_eq!(line["prev"], lines[place - 1]["hash"]);
        }
    }
    let head = report.head.unwrap();
    assert_eq!(
        (head.seq, lines[8]["hash"].as_str().unwrap()),
        (9, head.hash.as_str())
    );
    assert_eq!(lines[8]["at"], "2026-11-25T00:00:00Z");
    assert_eq!(lines[8]["service"], "test");
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode(world.path()), mode(world.files()[0].clone())),
        (0o700, 0o600)
    );
}

#[tokio::test]
async fn a_changed_a_dropped_and_a_moved_line_are_found() {
    type Change = fn(&mut Vec<String>);
    let cases: [(Change, &str); 8] = [
        (
            |lines| lines[2] = lines[2].replace("\"c\"", "\"x\""),
            "was changed",
        ),
        (
            |lines| lines[2] = lines[2].replace('c', "c "),
            "was changed",
        ),
        (|lines| lines[1] = "{}\n".to_owned(), "was changed"),
        (|lines| drop(lines.remove(2)), "lines 3 to 3 are missing"),
        (|lines| lines.swap(1, 2), "stands behind"),
        (|lines| lines.insert(1, lines[1].clone()), "stands behind"),
        (
            |lines| lines.truncate(3),
            "lines 4 to 5 are missing at the end",
        ),
        (|lines| drop(lines.remove(0)), "no line tells why"),
    ];
    for (change, fault) in cases {
        let world = World::new();
        record(&world.open(), &["a", "b", "c", "d", "e"]).await;
        world.edit(change);
        let faults = world.faults();
        assert!(
            faults.iter().any(|one| one.contains(fault)),
            "{fault}: {faults:?}"
        );
        assert!(!world.verify().intact);
    }
}

#[tokio::test]
async fn a_dropped_day_and_a_dropped_end_are_found() {
    let world = World::new();
    for _ in 0..3 {
        record(&world.open(), &["a", "b"]).await;
        world.later(DAY);
    }
    let kept: Vec<_> = world
        .files()
        .iter()
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    for (place, fault) in [
        (0, "lines up to 2 are missing"),
        (1, "lines 3 to 4 are missing"),
        (2, "lines 5 to 6 are missing at the end"),
    ] {
        fs::remove_file(&kept[place].0).unwrap();
        let faults = world.faults();
        assert!(faults[0].contains(fault), "{fault}: {faults:?}");
        fs::write(&kept[place].0, &kept[place].1).unwrap();
        assert!(world.verify().intact);
    }
    // The head along with the end is missed too.
    fs::remove_file(world.path().join("head.json")).unwrap();
    assert!(
        world.faults()[0].contains("head.json"),
        "{:?}",
        world.faults()
    );
}

#[tokio::test]
async fn without_a_key_a_chain_made_anew_is_told_by_a_place_that_was_kept_elsewhere() {
    let mut world = World::new();
    world.key = None;
    record(&world.open(), &["ana reads", "eva reads"]).await;
    let kept: Head = world.verify().head.unwrap();
    let text = format!("{}:{}", kept.seq, kept.hash);
    assert_eq!(text.parse::<Head>().unwrap(), kept);
    record(&world.open(), &["more"]).await;
    assert!(world.verify_with(std::slice::from_ref(&kept)).intact);

    let mut forged = World::new();
    forged.key = None;
    record(&forged.open(), &["nobody reads", "eva reads", "more"]).await;
    assert!(
        forged.verify().intact,
        "without a key nothing else shows it"
    );
    let report = forged.verify_with(&[kept]);
    assert!(report.faults[0].what.contains("no line 2"), "{report:?}");
    assert!("12:abc".parse::<Head>().is_err());
}

#[tokio::test]
async fn another_key_fits_nothing() {
    let world = World::new();
    record(&world.open(), &["a"]).await;
    for key in [None, Some("another key of thirty-two bytes!".into())] {
        let report = verify(&world.path(), &Seal::new(key.as_ref()), &[]).unwrap();
        assert!(!report.intact);
        assert!(
            report
                .faults
                .iter()
                .any(|fault| fault.what.contains("another key"))
        );
    }
}

#[tokio::test]
async fn days_are_kept_for_ninety_and_their_removal_is_part_of_the_chain() {
    let world = World::new();
    record(&world.open(), &["a", "b"]).await;
    world.later(DAY);
    record(&world.open(), &["c"]).await;
    let kept = world.verify().head.unwrap();
    // The last second of the ninetieth day after the first.
    world.later(90 * DAY - DAY);
    record(&world.open(), &["d"]).await;
    assert_eq!(world.files().len(), 3);
    world.later(DAY);
    record(&world.open(), &["e"]).await;
    let report = world.verify();
    assert!(report.intact, "{report:?}");
    assert_eq!((world.files().len(), report.first_seq), (3, Some(3)));
    let last = world.lines().pop().unwrap();
    assert_eq!(last["action"], "remove audit file");
    assert_eq!(
        (&last["removed"], &last["through_seq"]),
        (&"audit-2026-11-23.jsonl".into(), &2.into())
    );
    // A place in what is left still holds, and one in what is gone is not missed.
    assert!(world.verify_with(&[kept]).intact);
    let gone = Head {
        seq: 1,
        hash: "0".repeat(64),
    };
    assert!(world.verify_with(&[gone]).intact);
    // Whoever removes more than that is found.
    fs::remove_file(&world.files()[0]).unwrap();
    assert!(world.faults()[0].contains("lines up to 3 are missing"));
}

#[tokio::test]
async fn several_writers_share_a_directory() {
    let world = World::new();
    let writers: Vec<_> = (0..4).map(|_| world.open()).collect();
    for round in 0..250 {
        for writer in &writers {
            writer.record(Event::new(format!("{round}")));
        }
    }
    for writer in &writers {
        writer.flush().await;
        assert_eq!((writer.written(), writer.lost()), (250, 0));
    }
    let report = world.verify();
    assert!(report.intact, "{report:?}");
    assert_eq!(report.lines, 1_000);
}

/// Another process holds the directory's lock: lines wait for it, answers do not.
#[tokio::test]
async fn another_process_that_holds_the_lock_is_waited_for() {
    let world = World::new();
    record(&world.open(), &["a"]).await;
    let mut holder = Command::new("flock")
        .arg(world.path().join("lock"))
        .args(["sh", "-c", "echo held; read go"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut held = [0; 5];
    std::io::Read::read_exact(holder.stdout.as_mut().unwrap(), &mut held).unwrap();
    let audit = world.open();
    audit.record(Event::new("b"));
    assert_eq!(audit.written(), 0);
    holder.stdin.take().unwrap().write_all(b"go\n").unwrap();
    audit.flush().await;
    assert!(holder.wait().unwrap().success());
    assert_eq!((audit.written(), audit.lost()), (1, 0));
    assert_eq!(world.verify().lines, 2);
}

/// Reading a long chain takes its time; whoever writes goes on meanwhile.
#[tokio::test]
async fn what_is_verified_is_what_was_there_and_nobody_waits_for_it() {
    let world = World::new();
    let audit = world.open();
    record(&audit, &["a", "b"]).await;
    let snapshot = Snapshot::take(&world.path()).unwrap();
    record(&audit, &["c"]).await;
    assert_eq!((audit.written(), audit.lost()), (3, 0));
    // Its file goes too, after its time.
    for _ in 0..2 {
        world.later(91 * DAY);
        record(&audit, &["d"]).await;
    }
    assert!(world.verify().first_seq >= Some(4));
    let seal = Seal::new(world.key.as_ref());
    let report = snapshot.verify(&seal, &[]).unwrap();
    assert!(report.intact, "{report:?}");
    assert_eq!((report.lines, report.first_seq), (2, Some(1)));
}

#[tokio::test]
async fn half_a_line_of_a_killed_process_is_cut_off() {
    let world = World::new();
    record(&world.open(), &["a", "b"]).await;
    let path = world.files()[0].clone();
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"{\"seq\":3,\"at\":\"2026").unwrap();
    assert!(world.faults()[0].contains("not a whole line"));
    record(&world.open(), &["c"]).await;
    let report = world.verify();
    assert!(report.intact, "{report:?}");
    assert_eq!(report.lines, 3);
}

#[tokio::test]
async fn a_full_disk_loses_lines_that_are_counted_and_told_and_stops_nobody() {
    let world = World::new();
    let audit = world.open();
    record(&audit, &["a"]).await;
    world.later(DAY);
    // The file of the next day lies on a device that is full.
    let full = world.path().join("audit-2026-11-24.jsonl");
    symlink("/dev/full", &full).unwrap();
    record(&audit, &["b", "c"]).await;
    record(&audit, &["d"]).await;
    assert_eq!((audit.written(), audit.lost()), (1, 3));
    let scraped = scraped(&audit).await;
    for line in [
        "written_total{service=\"test\"} 1\n",
        "lost_total{service=\"test\"} 3\n",
    ] {
        let line = format!("promptsales_audit_events_{line}");
        assert!(scraped.contains(&line), "{scraped}");
    }
    fs::remove_file(&full).unwrap();
    record(&audit, &["e"]).await;
    assert_eq!((audit.written(), audit.lost()), (2, 3));
    let lines = world.lines();
    let actions: Vec<_> = lines
        .iter()
        .map(|line| line["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["a", "lose audit events", "e"]);
    assert_eq!(lines[1]["results"], 3);
    assert!(world.verify().intact);
}

#[tokio::test]
async fn more_than_the_queue_holds_is_lost_and_nobody_waits() {
    let world = World::new();
    let audit = world.open();
    record(&audit, &["a"]).await;
    let lock = fs::File::open(world.path().join("lock")).unwrap();
    lock.lock().unwrap();
    for _ in 0..20_000 {
        audit.record(Event::new("b"));
    }
    assert!(audit.lost() >= 20_000 - 10_000 - 256, "{}", audit.lost());
    // A process that ends does not wait for ever for room in the queue.
    let patience = std::time::Duration::from_secs(30);
    let flushed = tokio::time::timeout(patience, audit.flush()).await;
    assert!(flushed.is_ok(), "it hangs");
    lock.unlock().unwrap();
    audit.flush().await;
    assert_eq!(audit.written() + audit.lost(), 20_001);
    record(&audit, &["c"]).await;
    let lines = world.lines();
    let told: u64 = lines
        .iter()
        .filter_map(|line| line["results"].as_u64())
        .sum();
    assert_eq!(told, audit.lost());
    assert!(world.verify().intact);
}

#[tokio::test]
async fn long_texts_are_cut_and_large_plans_left_out() {
    let world = World::new();
    let audit = world.open();
    let mut event = Event::new("ask");
    event.question = Some("\u{1}ñ".repeat(5_000));
    event.plan = Some(serde_json::json!({"x": "y".repeat(9_000)}));
    event.about = vec!["id".repeat(2_000); 200];
    audit.record(event);
    audit.flush().await;
    let line = world.lines().remove(0);
    assert_eq!(line["question"].as_str().unwrap().chars().count(), 2_001);
    assert_eq!(line["plan"]["omitted_bytes"], 9_008);
    assert_eq!(line["about"].as_array().unwrap().len(), 20);
    assert!(world.verify().intact);
}

#[test]
fn what_cannot_work_is_said_at_the_start() {
    let world = World::new();
    fs::write(world.path(), "a file").unwrap();
    let open = |key: Option<&str>, kept_days, path: &std::path::Path| {
        let config = AuditConfig {
            service: "test",
            destination: Destination::Directory(path.to_owned()),
            key: key.map(Into::into),
            kept_days,
        };
        Audit::open(config, Clock::system()).unwrap_err()
    };
    assert!(matches!(
        open(None, 90, &world.path()),
        AuditError::Directory { .. }
    ));
    let free = world.directory.path().join("free");
    assert!(matches!(
        open(Some("short"), 90, &free),
        AuditError::ShortKey(5)
    ));
    assert!(matches!(open(None, 0, &free), AuditError::NoDays));
    assert!(verify(&free, &Seal::new(None), &[]).is_err());
}
