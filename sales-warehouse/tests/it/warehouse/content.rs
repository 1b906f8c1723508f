//! PromptContent as the third source: what becomes of its change feed.

mod faults;

use sales_warehouse::{
    etl::{RunReport, RunStatus, SourceReport},
    freshness::freshness,
    source::System,
};
use serde_json::json;
use service_kit::Clock;

use super::fixture::Fixture;
use crate::feed::Feed;

const CONTENT: &str = System::PromptContent.name();
/// Everything that came, in one line.
const ALL: &str = "select string_agg(line, '; ' order by line) from (
    select content_id || ' v' || revision || ' ' || array_to_string(hashtags, ' ') from core.content_document
    union all select campaign_slug || ' v' || revision from core.content_campaign
    union all select campaign_slug || ' uses ' || content_id from core.campaign_content) as t (line)";
const BRIDGE: &str = "select string_agg(hashtag || ' ' || content_id, '; ' order by 1)
    from (select hashtag, content_id from core.content_hashtag order by 1, 2) as t";

struct Three {
    fixture: Fixture,
    feed: Feed,
}

impl Three {
    /// All three sources with a few rows, none of them read; `None` where there is no PostgreSQL.
    async fn filled() -> Option<Self> {
        let mut fixture = Fixture::filled().await?;
        let feed = Feed::filled().await;
        fixture.configs.push(feed.config());
        Some(Self { fixture, feed })
    }

    async fn loaded() -> Option<Self> {
        let three = Self::filled().await?;
        three.fixture.run().await;
        three.feed.asked();
        Some(three)
    }

    async fn content_of(&self, report: &RunReport) -> SourceReport {
        let all = report.sources.iter();
        all.clone()
            .find(|one| one.source == CONTENT)
            .unwrap()
            .clone()
    }

    async fn run(&self) -> SourceReport {
        let report = self.fixture.run().await;
        self.content_of(&report).await
    }

    async fn try_run(&self) -> SourceReport {
        let report = self.fixture.try_run().await;
        for other in report.sources.iter().filter(|one| one.source != CONTENT) {
            assert_eq!(other.status, RunStatus::Succeeded, "{other:?}");
        }
        self.content_of(&report).await
    }

    async fn all(&self) -> String {
        self.fixture.value(ALL).await
    }
}

#[tokio::test]
async fn a_first_read_takes_everything_in_and_says_so() {
    let Some(three) = Three::filled().await else {
        return;
    };
    let report = three.run().await;
    assert_eq!((report.rows_read, report.inserted), (5, 5));
    assert_eq!(report.reconciled, Some(true));
    assert!(report.read_all);
    assert_eq!(
        three.all().await,
        "old-town v2 #summer #travel; spring-fair uses old-town; spring-fair uses sunny-beach; \
         spring-fair v1; sunny-beach v1 #summer #sun"
    );
    assert_eq!(
        three.fixture.value(BRIDGE).await,
        "#summer old-town; #summer sunny-beach; #sun sunny-beach; #travel old-town"
    );
    let ledger =
        "select string_agg(target || ' ' || source_rows || ' ' || core_sum, ', ' order by target)
        from etl.table_runs where source = 'promptcontent'";
    assert_eq!(
        three.fixture.value(ledger).await,
        "campaign_content 2 0, content_campaign 1 1, content_document 2 3"
    );
    let fresh = freshness(&three.fixture.warehouse, Clock::system().now())
        .await
        .unwrap();
    assert_eq!(fresh.len(), 3);
    assert_eq!((fresh[2].source, fresh[2].stale), (CONTENT, false));
    three.fixture.verify().await;
}

#[tokio::test]
async fn a_quiet_feed_costs_two_questions_and_changes_nothing() {
    let Some(three) = Three::loaded().await else {
        return;
    };
    let report = three.run().await;
    assert_eq!((report.rows_read, report.changed()), (0, 0));
    assert_eq!((report.read_all, report.reconciled), (false, None));
    assert_eq!(three.feed.asked(), ["p.4", "p.5"]);
}

#[tokio::test]
async fn changes_deletions_and_erasures_come_and_nothing_else_does() {
    let Some(three) = Three::loaded().await else {
        return;
    };
    three
        .feed
        .content("sunny-beach", "Sunny beach", 2, &["#Sun", "#Sand"]);
    three.feed.delete("old-town", 3);
    three.feed.detach("spring-fair", "old-town");
    three.feed.campaign("spring-fair", 2);
    let report = three.run().await;
    assert_eq!(
        (report.rows_read, report.updated, report.deleted),
        (2, 2, 2)
    );
    assert_eq!(report.reconciled, Some(true));
    assert_eq!(
        three.all().await,
        "spring-fair uses sunny-beach; spring-fair v2; sunny-beach v2 #sand #sun"
    );
    assert_eq!(
        three.fixture.value(BRIDGE).await,
        "#sand sunny-beach; #sun sunny-beach"
    );
    three.fixture.verify().await;
    // Somebody takes the id again; what was never seen is deleted without harm.
    three.feed.content("old-town", "Another town", 4, &[]);
    three.feed.delete("never-seen", 1);
    let report = three.run().await;
    assert_eq!((report.inserted, report.deleted), (1, 0));
    three.fixture.verify().await;
}

#[tokio::test]
async fn texts_may_be_in_one_language_or_hold_what_postgresql_does_not() {
    let Some(three) = Three::loaded().await else {
        return;
    };
    let es = json!({"title": "Pue\u{0}blo", "hashtags": ["#ÑANDÚ", " #ñandú ", ""]});
    three
        .feed
        .content_in("only-es", &json!({"es": es, "en": null}));
    three.run().await;
    let row = "select coalesce(title_en, '-') || ' ' || title_es || ' ' || hashtags::text || ' ' || status
        from core.content_document where content_id = 'only-es'";
    assert_eq!(
        three.fixture.value(row).await,
        "- Pue\u{fffd}blo {#ñandú} draft"
    );
}

#[tokio::test]
async fn what_breaks_a_rule_is_set_aside_and_comes_back_when_it_is_mended() {
    let Some(three) = Three::loaded().await else {
        return;
    };
    let long = format!("#{}", "x".repeat(300));
    three.feed.content("long-tag", "Title", 1, &[&long]);
    three
        .feed
        .campaign_from("old-fair", 1, "1999-01-01", &["MX"]);
    three
        .feed
        .attach_at("old-fair", "long-tag", "1999-01-01T00:00:00Z");
    three.feed.attach("nowhere", "long-tag");
    let report = three.run().await;
    assert_eq!((report.quarantined, report.reconciled), (4, Some(true)));
    let mut reader = three.fixture.pool.begin().await.unwrap();
    sqlx::query("set local role warehouse_reader")
        .execute(&mut *reader)
        .await
        .unwrap();
    let seen: i64 = sqlx::query_scalar("select count(*) from etl.quarantine")
        .fetch_one(&mut *reader)
        .await
        .unwrap();
    assert_eq!(seen, 4, "nobody is named there");
    reader.rollback().await.unwrap();
    let reasons =
        "select string_agg(target || ' ' || array_to_string(reasons, ' ') || ' ' || rejected, ', '
        order by target, rejected, reasons) from etl.quarantine";
    assert_eq!(
        three.fixture.value(reasons).await,
        "campaign_content date-out-of-range true, campaign_content missing-parent true, \
         content_campaign date-out-of-range false, content_document text-too-long false"
    );
    three.feed.content("long-tag", "Title", 2, &["#short"]);
    three
        .feed
        .campaign_from("old-fair", 2, "2026-01-01", &["MX"]);
    three.feed.attach("old-fair", "long-tag");
    three.feed.campaign("nowhere", 1);
    let report = three.run().await;
    assert_eq!((report.quarantined, report.reconciled), (0, Some(true)));
    let left = "select count(*) from etl.quarantine";
    assert_eq!(three.fixture.value(left).await, "0");
    three.fixture.verify().await;
}

/// The fixture's campaigns have codes of PromptAds; PromptContent has them as slugs.
#[tokio::test]
async fn a_use_that_both_systems_know_is_one_and_a_campaign_that_was_given_up_uses_nothing() {
    let Some(three) = Three::loaded().await else {
        return;
    };
    let uses = "select string_agg(k.campaign_code || ' ' || content_id || ' ' || first_used_on || ' ' || u.market_code
            || ' ' || role, '; ' order by campaign_id, content_id, role)
        from marts.content_uses as u join marts.campaigns as k using (campaign_id)";
    let (code, used): (String, String) = (
        three
            .fixture
            .value("select lower(campaign_code) from core.dim_campaign where campaign_id = 1")
            .await,
        three
            .fixture
            .value("select content_id from core.fact_content_use where campaign_id = 1 limit 1")
            .await,
    );
    three.feed.campaign_from(&code, 1, "2026-02-01", &["ES"]);
    three.feed.attach(&code, &used);
    three.feed.attach(&code, "sunny-beach");
    three
        .feed
        .campaign_from("two-markets", 1, "2026-04-01", &["ES", "MX"]);
    three.feed.attach("two-markets", "old-town");
    three.feed.cancelled("given-up");
    three.feed.attach("given-up", "old-town");
    three.run().await;
    let all = three.fixture.value(uses).await;
    let registered: Vec<&str> = all
        .split("; ")
        .filter(|one| one.ends_with("registered"))
        .collect();
    let home = "select market_code from core.dim_campaign where campaign_id = 1";
    let home = three.fixture.value(home).await;
    let expected = [
        "spring-fair old-town 2026-04-01 US registered".to_owned(),
        "two-markets old-town 2026-04-01 ?? registered".to_owned(),
        "spring-fair sunny-beach 2026-04-01 US registered".to_owned(),
        // Attached after its campaign had begun.
        format!(
            "{} sunny-beach 2026-03-01 {home} registered",
            code.to_uppercase()
        ),
    ];
    let mut found: Vec<String> = registered.iter().map(|one| (*one).to_owned()).collect();
    let mut wanted = expected.to_vec();
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted, "{all}");
    let known = format!("{} {used} ", code.to_uppercase());
    assert!(all.contains(&known), "{all}");
    // Two from PromptAds' own rows at most, none of them twice.
    let twice = "select count(*) - count(distinct (campaign_id, content_id, market_code)) from marts.content_uses";
    assert_eq!(three.fixture.value(twice).await, "0");
}

#[tokio::test]
async fn a_registered_campaign_is_one_until_promptads_knows_it() {
    let Some(three) = Three::loaded().await else {
        return;
    };
    let value = async |statement: &str| three.fixture.value(statement).await;
    let registered = "select string_agg(campaign_code || ', ' || campaign_name || ', ' || status || ', ' || market_code
            || ', ' || start_date || ', ' || end_date || ', ' || objective || ', ' || coalesce(budget_usd::text, '-'), '; ')
        from marts.campaigns where campaign_id < 0";
    assert_eq!(
        value(registered).await,
        "spring-fair, Campaign spring-fair, draft, US, 2026-04-01, 2026-04-30, unknown, -"
    );
    let all = "select count(*) || ' ' || count(distinct campaign_id) || ' ' || count(distinct campaign_code)
        from marts.campaigns";
    let theirs = "select count(*) from core.dim_campaign where campaign_id > 0";
    let theirs: u64 = value(theirs).await.parse().unwrap();
    let more = theirs + 1;
    assert_eq!(value(all).await, format!("{more} {more} {more}"));

    // One with a code of PromptAds' is that campaign, and one that was given up is none.
    let code =
        value("select lower(campaign_code) from core.dim_campaign where campaign_id = 1").await;
    three.feed.campaign(&code, 1);
    three.feed.cancelled("given-up");
    three.run().await;
    assert_eq!(value(all).await, format!("{more} {more} {more}"));
    three.feed.cancelled("spring-fair");
    three.run().await;
    assert_eq!(value(all).await, format!("{theirs} {theirs} {theirs}"));
    three.fixture.verify().await;
}

/// The key is worked out from the slug, so it has to be told apart from the two members that stand for
/// no campaign, and from every other slug's.
#[tokio::test]
async fn keys_of_registered_campaigns_are_no_others() {
    let Some(three) = Three::loaded().await else {
        return;
    };
    let keys = "select count(distinct k) || ' ' || (max(k) < -1) || ' ' || (min(k) > -2::bigint ^ 61)
        from (select etl.registered_campaign_id('campaign-' || n) as k from generate_series(1, 20000) as n) as t";
    assert_eq!(three.fixture.value(keys).await, "20000 true true");
}
