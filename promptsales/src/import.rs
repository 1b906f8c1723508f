//! A company's own images, with what it says about them, into the system: `promptsales import`.
//!
//! A [`Source`] gives rows, one image each; [`run`] brings them in over the content API, so that every
//! check of an upload holds, and tells what became of each. A row is known again by its `id`, or by
//! the bytes of its image where it has none. What the API answers is the truth; the [`Ledger`] only
//! remembers what a row said when it was last brought in, so that an unchanged row is left alone
//! whatever was changed over the API since.

mod client;
mod files;
mod ledger;
mod placing;
mod report;
mod row;
mod source;

use std::{
    collections::{HashMap, hash_map::Entry as Seen},
    sync::Mutex,
};

use anyhow::Context;
use contracts::{ContentHash, ImageId};
use futures::{StreamExt, stream};
use tokio::sync::mpsc;

pub use client::{ContentClient, Failure};
pub use ledger::Ledger;
pub use placing::Placed;
pub use report::{Refusal, Report};
pub use row::{Defaults, FIELDS, Row, Said};
pub use source::{Entry, Source};

use files::ImageBytes;

/// Uploads under way at once: the service works on two images at a time, and two more keep it fed.
const CONCURRENCY: usize = 4;
/// Images read ahead of them.
const READ_AHEAD: usize = 2;

/// What an import may do beyond creating drafts and changing documents.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    /// Approve what is new or changed.
    pub approve: bool,
    /// Bring back what an import brought in and somebody deleted.
    pub restore: bool,
}

/// A row whose image has been read.
struct Ready {
    place: String,
    id: ImageId,
    /// The id is of the image's bytes: another image would be another document.
    is_named_by_image: bool,
    image: ImageBytes,
    said: Said,
}

/// What the reader found: a row to bring in, or one that cannot be.
type Read = Result<Ready, Refusal>;

/// Brings every row in, and ends early only when the system does not answer any more, which the report
/// says: a second run goes on from there. `step` hears of each row that is done.
pub async fn run(
    client: &ContentClient,
    source: Source,
    rules: Rules,
    ledger: &Mutex<Ledger>,
    step: impl Fn(&Outcome),
) -> anyhow::Result<Report> {
    let (sender, mut receiver) = mpsc::channel(READ_AHEAD);
    let reader = tokio::task::spawn_blocking(move || read(source, &sender));
    let mut outcomes = Box::pin(
        stream::poll_fn(move |context| receiver.poll_recv(context))
            .map(|read| bring_in(client, ledger, rules, read))
            .buffer_unordered(CONCURRENCY),
    );
    let mut report = Report::default();
    while let Some(outcome) = outcomes.next().await {
        let outcome = outcome?;
        step(&outcome);
        let stopped = matches!(outcome, Outcome::Stopped(_));
        report.add(outcome);
        if stopped {
            break;
        }
    }
    // Closes the channel, so that the reader ends too.
    drop(outcomes);
    reader.await.context("the reader of the files broke off")?;
    Ok(report)
}

/// What became of a row.
#[derive(Debug)]
pub enum Outcome {
    /// It is in the system.
    Placed(Placed),
    /// It is not, and why.
    Refused(Refusal),
    /// The system does not answer.
    Stopped(String),
}

async fn bring_in(
    client: &ContentClient,
    ledger: &Mutex<Ledger>,
    rules: Rules,
    read: Read,
) -> anyhow::Result<Outcome> {
    let ready = match read {
        Ok(ready) => ready,
        Err(refusal) => return Ok(Outcome::Refused(refusal)),
    };
    match placing::place(client, ledger, rules, &ready).await {
        Ok(placed) => Ok(Outcome::Placed(placed)),
        Err(Failure::Refused(problem)) => {
            let reason = format!("{}: {}", problem.title, problem.detail);
            Ok(Outcome::Refused(Refusal::new(ready.place, reason)))
        }
        Err(Failure::Away(why)) => Ok(Outcome::Stopped(why)),
        Err(Failure::Broken(error)) => Err(error),
    }
}

/// One thread reads and hashes, in the order of the rows: which of two equal ones is refused must not
/// depend on chance.
fn read(source: Source, sender: &mpsc::Sender<Read>) {
    let root = source.root;
    let mut seen = HashMap::new();
    for Entry { place, row } in source.rows {
        let read = row
            .and_then(|row| ready(&root, &place, row, &mut seen))
            .map_err(|reason| Refusal::new(place, reason));
        if sender.blocking_send(read).is_err() {
            return;
        }
    }
}

fn ready(
    root: &std::path::Path,
    place: &str,
    row: Row,
    seen: &mut HashMap<ImageId, String>,
) -> Result<Ready, String> {
    let image = files::read(root, &row.image)?;
    let is_named_by_image = row.id.is_none();
    let id = row.id.unwrap_or_else(|| id_of(&image.sha256));
    match seen.entry(id) {
        Seen::Vacant(free) => Ok(Ready {
            place: place.to_owned(),
            id: free.insert_entry(place.to_owned()).key().clone(),
            is_named_by_image,
            image,
            said: row.said,
        }),
        Seen::Occupied(taken) if is_named_by_image => Err(format!(
            "the image is the same, byte for byte, as that of {}: leave one out, or give each an id",
            taken.get()
        )),
        Seen::Occupied(taken) => Err(format!(
            "the id '{}' is that of {} too: expected each once",
            taken.key(),
            taken.get()
        )),
    }
}

/// The id of an image that was given none: the same wherever the file lies and whatever it is called.
fn id_of(sha256: &ContentHash) -> ImageId {
    format!("image-{}", &sha256.as_str()[..24])
        .parse()
        .expect("hexadecimal digits after a word and a hyphen are an id")
}
