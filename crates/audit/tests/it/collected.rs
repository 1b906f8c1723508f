//! Chains of several processes, as a collector has kept them.

use audit::{Collected, Event, Head, chain::Seal, verify_collected};
use serde_json::json;

use crate::support::World;

/// The lines of a process that began at its own time and recorded so many events.
async fn process(events: usize) -> Vec<String> {
    let world = World::new();
    world.later(i64::try_from(events).unwrap());
    let audit = world.open();
    for event in 0..events {
        audit.record(Event::new(format!("«{event}»")));
    }
    audit.flush().await;
    let text = std::fs::read_to_string(&world.files()[0]).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn verify_with(lines: &[String], expected: &[Head]) -> Collected {
    let text = format!("{}\n", lines.join("\n"));
    let seal = Seal::new(World::new().key.as_ref());
    verify_collected(text.as_bytes(), &seal, expected).unwrap()
}

fn verify(lines: &[String]) -> Collected {
    verify_with(lines, &[])
}

#[tokio::test]
async fn chains_are_told_apart_however_they_are_mixed_repeated_and_wrapped() {
    let (one, two) = (process(3).await, process(2).await);
    let wrapped = [
        two[1].clone(),
        json!({"log": format!("{}\n", one[2]), "stream": "stdout"}).to_string(),
        format!("2026-11-23T00:00:00.1Z stdout F {}", one[0]),
        String::new(),
        json!({"ts": 1, "message": two[0]}).to_string(),
        json!({"line": one[1]}).to_string(),
        one[1].clone(),
    ];
    let found = verify(&wrapped);
    assert!(found.intact, "{found:?}");
    assert_eq!(found.lines, 5);
    let mut chains: Vec<_> = found
        .chains
        .iter()
        .map(|chain| (chain.service.as_str(), chain.lines, chain.head.seq))
        .collect();
    chains.sort_unstable();
    assert_eq!(chains, [("test", 2, 2), ("test", 3, 3)]);
    for chain in &found.chains {
        let kept = std::slice::from_ref(&chain.head);
        assert!(verify_with(&wrapped, kept).intact);
    }
}

#[tokio::test]
async fn what_was_changed_dropped_or_added_is_found() {
    let whole = process(5).await;
    assert!(verify(&whole).intact);
    let without = |place: usize| {
        let mut lines = whole.clone();
        lines.remove(place);
        lines
    };
    let mut changed = whole.clone();
    changed[2] = changed[2].replace("«2»", "«x»");
    let mut another = whole.clone();
    another.push("2026 the log of something else".to_owned());
    let mut half = whole.clone();
    half[4].truncate(80);
    // As long as a line may be, and one byte longer: the rest is another one.
    let filler = |bytes: usize| format!("{{{}", "x".repeat(bytes - 1));
    let mut long = whole.clone();
    long.push(filler(1024 * 1024 - 1));
    assert_eq!(verify(&long).faults.len(), 1);
    long[5] = filler(1024 * 1024 + 1);
    assert_eq!(verify(&long).faults.len(), 2);
    for (lines, line, fault) in [
        (changed, 3, "was changed"),
        (without(2), 3, "lines up to 3 of this chain are missing"),
        (without(0), 1, "lines up to 1 of this chain are missing"),
        (another, 6, "no audit event"),
        (half, 5, "no audit event"),
    ] {
        let found = verify(&lines);
        assert!(!found.intact);
        assert_eq!(found.faults.len(), 1, "{found:?}");
        assert_eq!(found.faults[0].line, Some(line), "{found:?}");
        assert!(found.faults[0].what.contains(fault), "{found:?}");
    }
}

/// As a container runtime cuts a line.
fn cut(line: &str, bytes: usize) -> Vec<&str> {
    let mut rest = line;
    let mut parts = Vec::new();
    while rest.len() > bytes {
        let (part, more) = rest.split_at(rest.floor_char_boundary(bytes));
        parts.push(part);
        rest = more;
    }
    parts.push(rest);
    parts
}

/// As containerd and CRI-O write the parts.
fn cri(parts: &[&str]) -> Vec<String> {
    let last = parts.len() - 1;
    let tag = |place| if place == last { "F" } else { "P" };
    let entries = parts.iter().enumerate();
    entries
        .map(|(place, part)| format!("2026-11-23T00:00:00.1Z stdout {} {part}", tag(place)))
        .collect()
}

/// As Docker's `json-file` does.
fn docker(parts: &[&str]) -> Vec<String> {
    let last = parts.len() - 1;
    let end = |place| if place == last { "\n" } else { "" };
    let entries = parts.iter().enumerate();
    entries
        .map(|(place, part)| {
            json!({"log": format!("{part}{}", end(place)), "stream": "stdout"}).to_string()
        })
        .collect()
}

#[tokio::test]
async fn lines_that_a_runtime_cut_into_parts_are_joined() {
    let whole = process(3).await;
    // In two, in many, and where the last part has nothing in it.
    for bytes in [whole[1].len() - 1, 17, whole[1].len()] {
        let mut parts = cut(&whole[1], bytes);
        if parts.len() == 1 {
            parts.push("");
        }
        let bare = |part: &str| json!({"logtag": "P", "message": part}).to_string();
        for wrapped in [
            cri(&parts),
            docker(&parts),
            parts.iter().map(|part| bare(part)).collect(),
        ] {
            let mut lines = vec![whole[0].clone()];
            lines.extend(wrapped);
            // Twice, and with another's line between the parts.
            lines.extend(lines.clone());
            lines.insert(2, cri(&[&whole[2]]).remove(0));
            let found = verify(&lines);
            assert!(found.intact, "{bytes}: {found:?}: {lines:#?}");
            assert_eq!((found.lines, found.chains.len()), (3, 1), "{bytes}");
        }
    }
}

#[tokio::test]
async fn a_line_is_joined_wherever_it_was_cut_be_it_within_a_character() {
    let line = process(1).await.remove(0);
    assert!(!line.is_ascii());
    let seal = Seal::new(World::new().key.as_ref());
    for place in 1..line.len() {
        let (part, rest) = line.as_bytes().split_at(place);
        let entries = [
            b"2026-11-23T00:00:00.1Z stdout P ",
            part,
            b"\n2026-11-23T00:00:00.1Z stdout F ",
            rest,
            b"\n",
        ];
        let found = verify_collected(&*entries.concat(), &seal, &[]).unwrap();
        assert!(found.intact && found.lines == 1, "{place}: {found:?}");
    }
}

#[tokio::test]
async fn a_line_whose_parts_do_not_fit_is_found() {
    let whole = process(3).await;
    let parts = cut(&whole[1], whole[1].len() / 3);
    for wrapped in [cri(&parts), docker(&parts)] {
        let with = |entries: &[String]| {
            let mut lines = vec![cri(&[&whole[0]]).remove(0)];
            lines.extend_from_slice(entries);
            lines.push(cri(&[&whole[2]]).remove(0));
            let found = verify(&lines);
            assert!(!found.intact, "{lines:#?}");
            let first = found.faults[0].clone();
            (first.line, first.what)
        };
        // Without its end; without its middle; with another word; the end alone.
        let (line, what) = with(&wrapped[..2]);
        assert!(
            line == Some(2) && what.contains("end is missing"),
            "{line:?}: {what}"
        );
        let without_middle = [&wrapped[..1], &wrapped[2..]].concat();
        let (line, what) = with(&without_middle);
        assert!(
            line == Some(2) && what.contains("no audit event"),
            "{line:?}: {what}"
        );
        let mut changed = wrapped.clone();
        for entry in &mut changed {
            *entry = entry.replace("«1»", "«x»");
        }
        let (line, what) = with(&changed);
        assert!(
            line == Some(2) && what.contains("was changed"),
            "{line:?}: {what}"
        );
        let (line, what) = with(&wrapped[wrapped.len() - 1..]);
        assert!(
            line == Some(2) && what.contains("no audit event"),
            "{line:?}: {what}"
        );
        // One that begins before the other has ended.
        let twice = [&wrapped[..1], &wrapped[..]].concat();
        let (line, what) = with(&twice);
        assert!(
            line == Some(2) && what.contains("end is missing"),
            "{line:?}: {what}"
        );
    }
}

#[tokio::test]
async fn parts_are_joined_up_to_the_longest_line_and_no_further() {
    let part = format!("2026-11-23T00:00:00Z stdout P {}", "x".repeat(16 * 1024));
    let verify = |parts: usize| {
        let lines = vec![part.clone(); parts];
        let found = verify(&lines);
        found
            .faults
            .into_iter()
            .map(|fault| fault.line)
            .collect::<Vec<_>>()
    };
    assert_eq!(verify(16), [Some(1)]);
    assert_eq!(verify(17), [Some(1), Some(17)]);
}

#[tokio::test]
async fn places_that_were_kept_tell_of_ends_and_stand_for_what_is_too_old_to_be_here() {
    let whole = process(5).await;
    let head = |lines: &[String]| verify(lines).chains[0].head.clone();
    let (second, last) = (head(&whole[..2]), head(&whole));
    assert!(verify(&whole[..4]).intact, "nothing else shows it");
    let found = verify_with(&whole[..4], std::slice::from_ref(&last));
    assert!(found.faults[0].what.contains("no line 5"), "{found:?}");
    // What came up to the second line was dropped after its time.
    let found = verify_with(&whole[2..], &[second, last]);
    assert!(found.intact, "{found:?}");
    assert_eq!(found.chains[0].first_seq, 3);
    let other = Head {
        seq: 2,
        hash: "0".repeat(64),
    };
    assert_eq!(verify_with(&whole[2..], &[other]).faults.len(), 2);
}

#[tokio::test]
async fn without_a_key_a_fork_is_found() {
    let line = |seq: u64, prev: &str, action: &str| {
        let contents = format!(
            r#"{{"seq":{seq},"at":"2026-11-23T00:00:00Z","service":"test","prev":"{prev}","action":"{action}""#
        );
        let hash = Seal::new(None).hash(&contents);
        (format!(r#"{contents},"hash":"{hash}"}}"#), hash)
    };
    let (first, hash) = line(1, audit::chain::ORIGIN, "a");
    let lines = [
        first,
        line(2, &hash, "b").0,
        line(2, &hash, "c").0,
        line(4, &hash, "d").0,
    ];
    let text = lines.join("\n");
    let found = verify_collected(text.as_bytes(), &Seal::new(None), &[]).unwrap();
    let faults: Vec<_> = found.faults.iter().map(|fault| fault.line).collect();
    assert_eq!(faults, [Some(3), Some(4)], "{found:?}");
    let found = verify_collected(
        format!("{}\n{}", lines[0], lines[3]).as_bytes(),
        &Seal::new(None),
        &[],
    );
    let found = found.unwrap();
    assert!(
        found.faults[0].what.contains("line 4 stands behind line 1"),
        "{found:?}"
    );
}
