//! One row into the system.

use std::sync::{Mutex, MutexGuard, PoisonError};

use contracts::{ContentHash, Language, content::Status};
use service_kit::Clock;

use super::{
    Ready, Rules,
    client::{ContentClient, Failure, Tagged},
    ledger::{Known, Ledger},
};

/// Tries when somebody else changes the same document at the same time.
const TRIES: usize = 5;

/// What happened to a row's document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// There was none.
    Created,
    /// It says something else now, or shows something else.
    Updated,
    /// It is as it was.
    Unchanged,
    /// It was there and is gone. Bringing it back is not the import's to decide.
    Deleted,
}

/// A row that is done.
#[derive(Debug)]
pub struct Placed {
    /// What happened.
    pub change: Change,
    /// It was approved just now.
    pub approved: bool,
    /// It is a draft.
    pub is_draft: bool,
    /// It is new and looks like another document.
    pub has_lookalikes: bool,
    /// Languages that it has no text in.
    pub missing_languages: Vec<Language>,
}

/// Creates the document or brings it level with its row.
pub async fn place(
    client: &ContentClient,
    ledger: &Mutex<Ledger>,
    rules: Rules,
    row: &Ready,
) -> Result<Placed, Failure> {
    let said = row.said.hash();
    let known = held(ledger).get(&row.id).cloned();
    let mut tries = 0;
    loop {
        tries += 1;
        match try_once(client, known.as_ref(), &said, rules, row).await {
            Err(Failure::Refused(problem))
                if matches!(problem.slug(), "revision-changed" | "id-taken") && tries < TRIES => {}
            Err(failure) => return Err(failure),
            Ok(placed) => {
                if placed.change != Change::Deleted {
                    let was_approved = known.is_some_and(|known| known.approved);
                    let known = Known {
                        image: row.image.sha256.clone(),
                        said,
                        approved: placed.approved || was_approved,
                    };
                    held(ledger).note(&row.id, known)?;
                }
                return Ok(placed);
            }
        }
    }
}

async fn try_once(
    client: &ContentClient,
    known: Option<&Known>,
    said: &ContentHash,
    rules: Rules,
    row: &Ready,
) -> Result<Placed, Failure> {
    let (mut tagged, change, has_lookalikes) = match client.get(&row.id).await? {
        Some(found) => {
            let revision = found.document.revision;
            let level = bring_level(client, found, known, said, row).await?;
            let change = if level.document.revision == revision {
                Change::Unchanged
            } else {
                Change::Updated
            };
            (level, change, false)
        }
        None if known.is_some() && !rules.restore => return Ok(deleted()),
        None => match create(client, known.is_some(), said, row).await? {
            Some((created, has_lookalikes)) => (created, Change::Created, has_lookalikes),
            None => return Ok(deleted()),
        },
    };
    // What somebody made a draft of since is theirs to approve.
    let is_due = change != Change::Unchanged || known.is_none_or(|known| !known.approved);
    let approved = rules.approve && is_due && tagged.document.status == Status::Draft;
    if approved {
        tagged = client.approve(&tagged).await?;
    }
    Ok(Placed {
        change,
        approved,
        is_draft: tagged.document.status == Status::Draft,
        has_lookalikes,
        missing_languages: tagged.document.missing_languages,
    })
}

/// `None` when it was created by the same request before and has been deleted since.
async fn create(
    client: &ContentClient,
    anew: bool,
    said: &ContentHash,
    row: &Ready,
) -> Result<Option<(Tagged, bool)>, Failure> {
    // One that was created before is another request, however much it is like the first.
    let at = anew.then(|| Clock::system().now().unix_timestamp_nanos());
    let key = (&row.id, &row.image.sha256, said, at);
    let key = ContentHash::of(serde_json::to_vec(&key)?);
    let metadata = row.said.metadata(&row.id);
    let stored = client
        .create(key.as_str(), &row.image.bytes, &metadata)
        .await?;
    // The answer may be one that was kept: the document can have changed, or gone, since.
    let found = client.get(&row.id).await?;
    Ok(found.map(|found| (found, !stored.duplicates.is_empty())))
}

/// Sends what the row says differently from the last time. The service itself sees what is no change.
async fn bring_level(
    client: &ContentClient,
    mut found: Tagged,
    known: Option<&Known>,
    said: &ContentHash,
    row: &Ready,
) -> Result<Tagged, Failure> {
    if known.is_none_or(|known| known.said != *said) {
        found = client.patch(&found, &row.said).await?;
    }
    let has_other_image = known.is_none_or(|known| known.image != row.image.sha256);
    if !row.is_named_by_image && has_other_image {
        found = client.new_version(&found, &row.image.bytes).await?;
    }
    Ok(found)
}

fn deleted() -> Placed {
    Placed {
        change: Change::Deleted,
        approved: false,
        is_draft: false,
        has_lookalikes: false,
        missing_languages: Vec::new(),
    }
}

/// Not to be held across an await.
fn held(ledger: &Mutex<Ledger>) -> MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}
