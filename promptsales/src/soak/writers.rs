//! Writes: each writer has documents of its own, and repeats a request until it is answered.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use contracts::{ContentDocument, ImageId, content::Status, lifecycle::StoredContent};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::{
    client::{Answer, Client},
    dice::Dice,
    ledger::{Facts, State},
    material,
};

/// Live documents of one writer.
const MOST: usize = 25;
/// Longer than any outage.
const PATIENCE: Duration = Duration::from_secs(180);
const BOUNDARY: &str = "soak-5f2d8c";

/// Pictures made so far, by all writers.
static PICTURES: AtomicU64 = AtomicU64::new(0);

/// One writer.
pub struct Writer {
    client: Client,
    dice: Dice,
    number: u64,
    made: u64,
    live: Vec<ImageId>,
}

/// What a change of one document asks for.
struct Wanted {
    what: &'static str,
    method: Method,
    path: String,
    body: Option<(&'static str, Vec<u8>)>,
    state: State,
}

impl Writer {
    pub fn new(client: Client, seed: u64, number: u64) -> Self {
        Self {
            client,
            dice: Dice::new(seed, 100 + number),
            number,
            made: 0,
            live: Vec::new(),
        }
    }

    /// Writes until told to stop, and ends with no request unanswered.
    pub async fn run(mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::SeqCst) {
            let done = match self.dice.below(20) {
                _ if self.live.is_empty() => self.upload().await,
                0..=5 if self.live.len() < MOST => self.upload().await,
                6 | 7 => self.race().await,
                _ => self.change().await,
            };
            if let Err(error) = done {
                self.client.tally.wrong(format!("{error:#}"));
            }
        }
    }

    async fn upload(&mut self) -> anyhow::Result<()> {
        self.made += 1;
        let id: ImageId = format!("soak-{}-{}", self.number, self.made).parse()?;
        let texts = material::texts(&mut self.dice, &id, 1);
        let facts = Facts {
            revision: 1,
            status: Status::Draft,
            titles: material::titles(&texts),
            sha256: None,
        };
        let file = material::picture(PICTURES.fetch_add(1, Ordering::SeqCst))?;
        let metadata = material::metadata(&id, &texts);
        let body = material::multipart(BOUNDARY, &file, Some(&metadata));
        let proposed = vec![State::There(facts.clone())];
        self.client.ledger.propose(&id, proposed, Instant::now());
        let key = format!("key-{id}");
        let send = || {
            let request = self.client.request(Method::POST, "/v1/content");
            form(request.header("idempotency-key", &key), body.clone())
        };
        let answer = self.client.until_answered("upload", PATIENCE, send).await?;
        anyhow::ensure!(
            answer.status == StatusCode::CREATED,
            "{id}: {}",
            said(&answer)
        );
        let stored: StoredContent = answer.json()?;
        self.settle(&id, &facts, &stored.document, answer.during.1)?;
        self.live.push(id.clone());
        // Most are approved at once: only these are found.
        if self.dice.below(4) > 0 {
            let facts = self.facts(&id)?;
            self.carry_out(&id, &facts, status_change(&id, &facts, Status::Approved))
                .await?;
        }
        Ok(())
    }

    /// One change of one document.
    async fn change(&mut self) -> anyhow::Result<()> {
        let place = self.dice.below(self.live.len());
        let id = self.live[place].clone();
        let facts = self.facts(&id)?;
        let wanted = match self.dice.below(10) {
            0..=3 => self.patch_of(&id, &facts),
            4 | 5 if facts.status == Status::Approved => {
                status_change(&id, &facts, Status::Retired)
            }
            4..=6 if facts.status != Status::Approved => {
                status_change(&id, &facts, Status::Approved)
            }
            7 => deletion(&id),
            _ => new_version(&id, &facts)?,
        };
        if wanted.state == State::Absent {
            self.live.swap_remove(place);
        }
        self.carry_out(&id, &facts, wanted).await
    }

    fn patch_of(&mut self, id: &ImageId, facts: &Facts) -> Wanted {
        let edition = facts.revision.unsigned_abs() + 1;
        let texts = material::texts(&mut self.dice, id, edition);
        let state = Facts {
            revision: facts.revision + 1,
            titles: material::titles(&texts),
            ..facts.clone()
        };
        Wanted {
            what: "patch",
            method: Method::PATCH,
            path: format!("/v1/content/{id}"),
            body: Some((
                "application/merge-patch+json",
                json!({ "text": texts }).to_string().into_bytes(),
            )),
            state: State::There(state),
        }
    }

    /// Two patches of the same revision at the same time: one wins, the other is told so.
    async fn race(&mut self) -> anyhow::Result<()> {
        let id = self.dice.pick(&self.live).clone();
        let facts = self.facts(&id)?;
        let patches = [0, 1].map(|_| self.patch_of(&id, &facts));
        // Of different titles, or it would be no contest.
        if patches[0].state == patches[1].state {
            return Ok(());
        }
        let proposed = patches.iter().map(|patch| patch.state.clone()).collect();
        self.client.ledger.propose(&id, proposed, Instant::now());
        let send = |patch: &Wanted| {
            let request = self.request(patch, facts.revision);
            self.client.once("race", super::client::STORE, request)
        };
        let (one, other) = tokio::join!(send(&patches[0]), send(&patches[1]));
        let statuses = [&one, &other].map(|answer| answer.as_ref().map(|a| a.status.as_u16()));
        let fair = matches!(
            statuses,
            [Some(200), Some(412)] | [Some(412), Some(200)] | [None, _] | [_, None]
        );
        anyhow::ensure!(
            fair,
            "two patches of {id} at once were answered {statuses:?}"
        );
        let document = self.read(&id).await?;
        let shown = Facts::of(&document);
        let won = patches.iter().find_map(|patch| match &patch.state {
            State::There(wanted) if wanted.fits(&shown) => Some(wanted.clone()),
            _ => None,
        });
        match won {
            Some(won) => self.settle(&id, &won, &document, Instant::now()),
            // Both failed, and neither was done.
            None if !statuses.contains(&Some(200)) && facts.fits(&shown) => {
                self.client.ledger.withdraw(&id);
                Ok(())
            }
            None => anyhow::bail!("after two patches {id} is {shown:?}, and was {facts:?}"),
        }
    }

    /// Sends a change until it is answered, and settles what is true then. A change that was done
    /// although its answer was lost is told by the 412 or 404 of its repetition.
    async fn carry_out(
        &mut self,
        id: &ImageId,
        before: &Facts,
        wanted: Wanted,
    ) -> anyhow::Result<()> {
        let proposed = vec![wanted.state.clone()];
        self.client.ledger.propose(id, proposed, Instant::now());
        let send = || self.request(&wanted, before.revision);
        let answer = self
            .client
            .until_answered(wanted.what, PATIENCE, send)
            .await?;
        let status = answer.status.as_u16();
        let State::There(facts) = &wanted.state else {
            anyhow::ensure!(matches!(status, 204 | 404), "{id}: {}", said(&answer));
            let gone = answer.during.1;
            self.client.ledger.settle(id, State::Absent, gone);
            return Ok(());
        };
        anyhow::ensure!(matches!(status, 200 | 412), "{id}: {}", said(&answer));
        let document = self.read(id).await?;
        self.settle(id, facts, &document, answer.during.1)
    }

    /// An accepted write is to be seen by its writer, at once.
    fn settle(
        &self,
        id: &ImageId,
        wanted: &Facts,
        document: &ContentDocument,
        answered: Instant,
    ) -> anyhow::Result<()> {
        let shown = Facts::of(document);
        let fits = wanted.fits(&shown);
        let settled = State::There(shown.clone());
        self.client.ledger.settle(id, settled, answered);
        anyhow::ensure!(fits, "{id} is {shown:?} after a write of {wanted:?}");
        Ok(())
    }

    async fn read(&self, id: &ImageId) -> anyhow::Result<ContentDocument> {
        let path = format!("/v1/content/{id}");
        let send = || self.client.request(Method::GET, &path);
        let answer = self.client.until_answered("get", PATIENCE, send).await?;
        anyhow::ensure!(answer.status.is_success(), "{id}: {}", said(&answer));
        answer.json()
    }

    fn facts(&self, id: &ImageId) -> anyhow::Result<Facts> {
        match self.client.ledger.current(id) {
            State::There(facts) => Ok(facts),
            State::Absent => anyhow::bail!("{id} is missing in the soak's own ledger"),
        }
    }

    fn request(&self, wanted: &Wanted, revision: i64) -> RequestBuilder {
        let request = self.client.request(wanted.method.clone(), &wanted.path);
        let request = request.header("if-match", format!("\"{revision}\""));
        match &wanted.body {
            Some((media_type, body)) => request
                .header("content-type", *media_type)
                .body(body.clone()),
            None => request,
        }
    }
}

fn status_change(id: &ImageId, facts: &Facts, status: Status) -> Wanted {
    let what = if status == Status::Approved {
        "approve"
    } else {
        "retire"
    };
    let state = Facts {
        revision: facts.revision + 1,
        status,
        ..facts.clone()
    };
    Wanted {
        what,
        method: Method::POST,
        path: format!("/v1/content/{id}/{what}"),
        body: None,
        state: State::There(state),
    }
}

fn deletion(id: &ImageId) -> Wanted {
    Wanted {
        what: "delete",
        method: Method::DELETE,
        path: format!("/v1/content/{id}"),
        body: None,
        state: State::Absent,
    }
}

fn new_version(id: &ImageId, facts: &Facts) -> anyhow::Result<Wanted> {
    let file = material::picture(PICTURES.fetch_add(1, Ordering::SeqCst))?;
    let state = Facts {
        revision: facts.revision + 1,
        sha256: None,
        ..facts.clone()
    };
    Ok(Wanted {
        what: "version",
        method: Method::POST,
        path: format!("/v1/content/{id}/versions"),
        body: Some((FORM, material::multipart(BOUNDARY, &file, None))),
        state: State::There(state),
    })
}

const FORM: &str = "multipart/form-data; boundary=soak-5f2d8c";

fn form(request: RequestBuilder, body: Vec<u8>) -> RequestBuilder {
    request.header("content-type", FORM).body(body)
}

fn said(answer: &Answer) -> String {
    let problem: Value = answer.json().unwrap_or_default();
    format!("{} {}", answer.status, problem["detail"])
}
