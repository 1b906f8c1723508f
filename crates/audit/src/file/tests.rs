use tempfile::TempDir;

use super::*;
use crate::verify;

const DAY: Duration = Duration::days(1);

/// Four days of one line each, of which two are kept.
fn journal(directory: &TempDir) -> (Journal, OffsetDateTime) {
    let mut journal = Journal::open(directory.path(), Seal::new(None), "test", 2).unwrap();
    let mut now = OffsetDateTime::UNIX_EPOCH;
    for day in 0..3 {
        now = OffsetDateTime::UNIX_EPOCH + DAY * day;
        append(&mut journal, now);
    }
    (journal, now)
}

fn append(journal: &mut Journal, now: OffsetDateTime) {
    journal.append(now, &[(now, Event::new("a"))]).unwrap();
}

/// Files, lines, and lines that tell of a removal.
fn counts(directory: &TempDir) -> (usize, usize, usize) {
    let files = files(directory.path()).unwrap();
    let texts = files
        .iter()
        .map(|(_, path)| fs::read_to_string(path).unwrap_or_default());
    let text: String = texts.collect();
    let removals = text.matches("remove audit file").count();
    (files.len(), text.lines().count(), removals)
}

#[test]
fn a_file_that_cannot_be_removed_loses_no_line_and_is_tried_again_in_an_hour() {
    let directory = tempfile::tempdir().unwrap();
    let (mut journal, mut now) = journal(&directory);
    let remove = journal.remove;
    journal.remove = |_| Err(ErrorKind::PermissionDenied.into());
    now += DAY;
    append(&mut journal, now);
    assert_eq!(counts(&directory), (4, 5, 1));
    // Not with each line.
    now += REMOVE_AGAIN_AFTER - Duration::SECOND;
    append(&mut journal, now);
    assert_eq!(counts(&directory), (4, 6, 1));
    journal.remove = remove;
    now += Duration::SECOND;
    append(&mut journal, now);
    assert_eq!(counts(&directory), (3, 7, 2));
    let report = verify(directory.path(), &Seal::new(None), &[]).unwrap();
    assert!(report.intact, "{report:?}");
}

#[test]
fn a_file_that_stays_keeps_those_behind_it_and_the_chain_whole() {
    let directory = tempfile::tempdir().unwrap();
    let (mut journal, mut now) = journal(&directory);
    journal.remove = |path| match path.to_string_lossy().contains("1970-01-01") {
        true => Err(ErrorKind::PermissionDenied.into()),
        false => fs::remove_file(path),
    };
    now += DAY * 2;
    append(&mut journal, now);
    // Two days are over; the first one stays, and so does the second.
    assert_eq!(counts(&directory).0, 4);
    let report = verify(directory.path(), &Seal::new(None), &[]).unwrap();
    assert!(report.intact, "{report:?}");
}

#[test]
fn a_file_that_cannot_be_read_in_the_end_loses_no_line_either() {
    let directory = tempfile::tempdir().unwrap();
    let (mut journal, now) = journal(&directory);
    fs::create_dir(directory.path().join("audit-1969-01-01.jsonl")).unwrap();
    append(&mut journal, now);
    append(&mut journal, now);
    assert_eq!(counts(&directory), (4, 5, 0));
}
