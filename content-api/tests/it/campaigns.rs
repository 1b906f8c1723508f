//! Campaigns over HTTP, and what changed.

use contracts::{
    Scope,
    campaigns::{Campaign, CampaignEvent, CampaignPage, CampaignStatus, LogPage},
    changes::{ChangedItem, ChangesAnswer},
    content::Status,
};
use serde_json::{Value, json};

use crate::{
    sample::{NOW, draft, id},
    world::{Reply, World},
};
use content_api::store::ContentStore;

const WRITE: &[Scope] = &[Scope::CampaignsWrite];

fn request(contents: &[&str]) -> Value {
    json!({
        "name": "Verano 2027", "objective": "Más visitas", "audience": ["families"],
        "markets": ["CR", "PA"], "channels": ["email"],
        "budget": {"amount": "12500.50", "currency": "USD"},
        "starts_on": "2027-01-01", "ends_on": "2027-03-31", "content_ids": contents,
    })
}

async fn register(world: &World, key: &str, body: &Value) -> Reply {
    let request = world.request("POST", "/v1/campaigns", WRITE);
    let request = request.header("idempotency-key", key).json(body);
    world.send(request).await
}

async fn patch(world: &World, id: &str, if_match: &str, body: Value) -> Reply {
    let request = world.request("PATCH", &format!("/v1/campaigns/{id}"), WRITE);
    world
        .send(request.header("if-match", if_match).json(&body))
        .await
}

async fn log(world: &World, id: &str) -> Vec<CampaignEvent> {
    let page: LogPage = world
        .get(&format!("/v1/campaigns/{id}/log"), &[])
        .await
        .json();
    page.entries.into_iter().map(|entry| entry.event).collect()
}

#[tokio::test]
async fn a_campaign_is_registered_once_and_its_log_tells_its_story() {
    let Some(world) = World::start().await else {
        return;
    };
    for slug in ["a", "b"] {
        world.store.put(&draft(slug), NOW).await.unwrap();
    }
    let first = register(&world, "k", &request(&["a"])).await;
    assert_eq!(
        (first.status.as_u16(), first.header("etag")),
        (201, "\"1\"")
    );
    let campaign: Campaign = first.json();
    let slug = campaign.id.as_str();
    assert!(slug.starts_with("verano-2027-"), "{slug}");
    assert_eq!(first.header("location"), format!("/v1/campaigns/{slug}"));
    let again = register(&world, "k", &request(&["a"])).await;
    assert_eq!((again.status.as_u16(), &again.body), (201, &first.body));
    let other = register(&world, "k", &request(&["b"])).await;
    other.problem(422, "idempotency-key-reused");

    let reply = patch(&world, slug, "\"1\"", json!({"status": "active"})).await;
    assert_eq!(reply.header("etag"), "\"2\"");
    patch(&world, slug, "\"1\"", json!({"status": "paused"}))
        .await
        .problem(412, "revision-changed");
    let reply = patch(
        &world,
        slug,
        "*",
        json!({"content_ids": ["b"], "name": "Otro"}),
    )
    .await;
    assert_eq!(reply.json::<Campaign>().content_ids, [id("b")]);
    let approve = [Scope::ContentApprove];
    let retire = world.request("POST", "/v1/content/b/retire", &approve);
    assert_eq!(world.send(retire).await.status, 200);
    let deleted = world.request("DELETE", "/v1/content/b", &[Scope::ContentWrite]);
    assert_eq!(world.send(deleted).await.status, 204);
    let content_id = id("b");
    assert_eq!(
        log(&world, slug).await,
        [
            CampaignEvent::Registered,
            CampaignEvent::ContentAttached {
                content_id: id("a")
            },
            CampaignEvent::StatusChanged {
                from: CampaignStatus::Planned,
                to: CampaignStatus::Active,
            },
            CampaignEvent::Changed {
                fields: vec!["name".to_owned()]
            },
            CampaignEvent::ContentAttached {
                content_id: content_id.clone()
            },
            CampaignEvent::ContentDetached {
                content_id: id("a")
            },
            CampaignEvent::ContentStatusChanged {
                content_id: content_id.clone(),
                to: Status::Retired,
            },
            CampaignEvent::ContentDeleted { content_id },
        ]
    );
    let path = format!("/v1/campaigns/{slug}/log?limit=3");
    let page: LogPage = world.get(&path, &[]).await.json();
    let next = page.next.unwrap();
    let rest: LogPage = world
        .get(&format!("{path}&cursor={next}"), &[])
        .await
        .json();
    assert_eq!(page.entries.len() + rest.entries.len(), 6);
    let page: CampaignPage = world.get("/v1/campaigns?status=active", &[]).await.json();
    assert_eq!(page.campaigns.len(), 1);
    let page: CampaignPage = world.get("/v1/campaigns?status=planned", &[]).await.json();
    assert_eq!(page.campaigns.len(), 0);
}

#[tokio::test]
async fn a_dry_run_says_what_a_registration_would_and_writes_nothing() {
    let Some(world) = World::start().await else {
        return;
    };
    world.store.put(&draft("a"), NOW).await.unwrap();
    let dry = async |body: &Value, query: &str, scopes: &[Scope]| {
        let request = world.request("POST", &format!("/v1/campaigns?{query}"), scopes);
        world.send(request.json(body)).await
    };
    let reply = dry(&request(&["a"]), "dry_run=true", WRITE).await;
    assert_eq!((reply.status.as_u16(), reply.body.len()), (204, 0));
    dry(&request(&["ghost"]), "dry_run=true", WRITE)
        .await
        .problem(422, "unknown-content");
    let mut wrong = request(&[]);
    wrong["markets"] = json!(["Peru"]);
    dry(&wrong, "dry_run=true", WRITE)
        .await
        .problem(422, "invalid-campaign");
    dry(&request(&[]), "dry_run=true", &[Scope::ContentRead])
        .await
        .problem(403, "insufficient-scope");
    for query in ["dry_run=perhaps", "dryrun=true"] {
        dry(&request(&[]), query, WRITE)
            .await
            .problem(400, "invalid-query");
    }
    let page: CampaignPage = world.get("/v1/campaigns", &[]).await.json();
    assert!(page.campaigns.is_empty(), "{page:?}");
    let mut taken = request(&[]);
    taken["id"] = json!("mine");
    assert_eq!(register(&world, "k", &taken).await.status, 201);
    dry(&taken, "dry_run=true", WRITE)
        .await
        .problem(409, "id-taken");
}

#[tokio::test]
async fn the_log_is_silent_after_ninety_days() {
    let Some(world) = World::start().await else {
        return;
    };
    let campaign: Campaign = register(&world, "k", &request(&[])).await.json();
    let slug = campaign.id.as_str();
    for (days, left) in [(90, 1), (91, 0)] {
        sqlx::query("update content.campaign_log set at = $1")
            .bind(NOW - time::Duration::days(days))
            .execute(&world.database.pool)
            .await
            .unwrap();
        assert_eq!(log(&world, slug).await.len(), left, "{days} days");
        let dropped = world.housekeeping.once().await.unwrap();
        assert_eq!(dropped, (1 - left as u64, 0), "{days} days");
    }
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day_and_the_campaign_stays() {
    let Some(world) = World::start().await else {
        return;
    };
    let first = register(&world, "k", &request(&[])).await;
    let claimed = async |ago: time::Duration| {
        sqlx::query("update content.request_keys set claimed_at = $1")
            .bind(NOW - ago)
            .execute(&world.database.pool)
            .await
            .unwrap();
        world.housekeeping.once().await.unwrap()
    };
    assert_eq!(claimed(time::Duration::hours(24)).await, (0, 0));
    let again = register(&world, "k", &request(&[])).await;
    assert_eq!(again.body, first.body);
    let day = time::Duration::hours(24) + time::Duration::SECOND;
    assert_eq!(claimed(day).await, (0, 1));
    // The name and the key give the same id, whose campaign is the request's own.
    let after = register(&world, "k", &request(&[])).await;
    assert_eq!(after.json::<Campaign>(), first.json::<Campaign>());
    let page: CampaignPage = world.get("/v1/campaigns", &[]).await.json();
    assert_eq!(page.campaigns.len(), 1);
}

#[tokio::test]
async fn what_is_no_campaign_is_refused_and_named() {
    let Some(world) = World::start().await else {
        return;
    };
    let mut retired = draft("retired");
    retired.status = Status::Retired;
    world.store.put(&retired, NOW).await.unwrap();
    let with = |field: &str, value: Value| {
        let mut body = request(&[]);
        body[field] = value;
        body
    };
    let money = |amount: &str, currency: &str| json!({"amount": amount, "currency": currency});
    for (n, (body, slug, says)) in [
        (with("name", json!(" ")), "invalid-campaign", "name has 1"),
        (
            with("objective", json!("x".repeat(2_001))),
            "invalid-campaign",
            "2001",
        ),
        (
            with("audience", json!(["nobody"])),
            "invalid-campaign",
            "'nobody'",
        ),
        (
            with("markets", json!([])),
            "invalid-campaign",
            "markets has 0",
        ),
        (
            with("markets", json!(["CR", "CR"])),
            "invalid-campaign",
            "twice",
        ),
        (
            with("channels", json!([])),
            "invalid-campaign",
            "channels is empty",
        ),
        (
            with("budget", money("-1", "USD")),
            "invalid-campaign",
            "budget.amount",
        ),
        (
            with("budget", money("1.234", "USD")),
            "invalid-campaign",
            "budget.amount",
        ),
        (
            with("budget", money("1e3", "USD")),
            "invalid-campaign",
            "budget.amount",
        ),
        (
            with("budget", money(&"9".repeat(13), "USD")),
            "invalid-campaign",
            "budget.amount",
        ),
        (
            with("budget", money("1", "usd")),
            "invalid-campaign",
            "budget.currency",
        ),
        (
            with("ends_on", json!("2026-12-31")),
            "invalid-campaign",
            "before it starts",
        ),
        (
            with("starts_on", json!("1/1/27")),
            "invalid-campaign",
            "starts_on",
        ),
        (
            with("content_ids", json!(["none"])),
            "unknown-content",
            "none",
        ),
        (
            with("content_ids", json!(["retired"])),
            "unknown-content",
            "retired",
        ),
        (with("status", json!("lost")), "invalid-body", "status"),
        (with("colour", json!("red")), "invalid-body", "colour"),
    ]
    .into_iter()
    .enumerate()
    {
        let problem = register(&world, &format!("k{n}"), &body)
            .await
            .problem(422, slug);
        assert!(problem.detail.contains(says), "{says}: {}", problem.detail);
    }
    let campaign: Campaign = register(&world, "k", &request(&[])).await.json();
    let slug = campaign.id.as_str();
    for body in [
        json!({"id": "other"}),
        json!({"name": null}),
        json!({"revision": 3}),
        json!(1),
    ] {
        patch(&world, slug, "*", body)
            .await
            .problem(422, "invalid-patch");
    }
    patch(&world, slug, "*", json!({"status": "cancelled"})).await;
    let back = patch(&world, slug, "*", json!({"status": "active"})).await;
    let problem = back.problem(422, "invalid-patch");
    assert!(
        problem.detail.contains("cannot become active"),
        "{}",
        problem.detail
    );
    let unknown = world.get("/v1/campaigns/unknown", &[]).await;
    unknown.problem(404, "no-such-campaign");
    let path = format!("/v1/campaigns/{slug}");
    let without = world.request("PATCH", &path, WRITE).json(&json!({}));
    world.send(without).await.problem(428, "missing-if-match");
}

#[tokio::test]
async fn the_feed_is_read_from_cursor_to_cursor() {
    let Some(world) = World::start().await else {
        return;
    };
    world.store.put(&draft("a"), NOW).await.unwrap();
    let campaign: Campaign = register(&world, "k", &request(&["a"])).await.json();
    let mut path = "/v1/changes?limit=2".to_owned();
    let mut items = Vec::new();
    let cursor = loop {
        let answer: ChangesAnswer = world.get(&path, &[]).await.json();
        items.extend(answer.changes.into_iter().map(|change| change.item));
        if !answer.more {
            break answer.next;
        }
        path = format!("/v1/changes?limit=2&after={}", answer.next);
    };
    let [
        ChangedItem::Content { document },
        ChangedItem::Campaign { campaign: fed },
        ChangedItem::ContentUse { content_id, .. },
    ] = items.as_slice()
    else {
        panic!("{items:?}")
    };
    assert_eq!((document.id.as_str(), content_id.as_str()), ("a", "a"));
    assert_eq!(**fed, campaign);
    world
        .store
        .delete(&id("a"), None, &crate::sample::stamp())
        .await
        .unwrap();
    let path = format!("/v1/changes?after={cursor}");
    let answer: ChangesAnswer = world.get(&path, &[]).await.json();
    let [change] = answer.changes.as_slice() else {
        panic!("{answer:?}")
    };
    assert_eq!(
        change.item,
        ChangedItem::ContentDeleted {
            id: id("a"),
            revision: 2
        }
    );
    for (query, slug) in [
        ("limit=0", "invalid-limit"),
        ("limit=1001", "invalid-limit"),
        ("after=1", "invalid-cursor"),
        ("after=p.-1", "invalid-cursor"),
        ("cursor=p.1", "invalid-query"),
    ] {
        let reply = world.get(&format!("/v1/changes?{query}"), &[]).await;
        reply.problem(400, slug);
    }
}
