//! A load that was broken off, and what completes it.

use sales_warehouse::demo::{self, Existing, LoadPlan};
use time::macros::date;

use crate::demo_load::{loaded, plan};

/// A load commits its two databases one after the other: killed in between, it leaves one empty.
#[tokio::test]
async fn a_load_killed_between_its_databases_is_made_whole() {
    let Some((one, keyring, _)) = loaded().await else {
        return;
    };
    let whole = demo::checksum(&one.sources).await.unwrap();
    for (pool, truncate, first) in [
        (
            &one.sources.crm,
            "truncate crm.customers, crm.products, crm.exchange_rates restart identity cascade",
            "crm.products",
        ),
        (
            &one.sources.ads,
            "truncate ads.campaigns, ads.channels, ads.markets, ads.audiences restart identity cascade",
            "ads.channels",
        ),
    ] {
        sqlx::raw_sql(truncate).execute(pool).await.unwrap();
        assert!(!demo::loaded(&one.sources).await.unwrap());
        // As if the half that is there had been loaded on the plan's day, and this were weeks later.
        for (pool, backdate) in [
            (&one.sources.ads, BACKDATE_ADS),
            (&one.sources.crm, BACKDATE_CRM),
        ] {
            sqlx::raw_sql(backdate).execute(pool).await.unwrap();
        }
        let later = LoadPlan {
            today: date!(2026 - 04 - 20),
            ..plan()
        };
        let completed = demo::load(&one.sources, &keyring, &later, Existing::Keep, &|_| {})
            .await
            .unwrap();
        assert!(completed.tables.iter().any(|(table, _)| *table == first));
        assert!(
            completed
                .tables
                .iter()
                .all(|(table, _)| table[..3] == first[..3]),
            "{completed:?}"
        );
        assert_eq!(demo::checksum(&one.sources).await.unwrap(), whole);
        assert!(demo::loaded(&one.sources).await.unwrap());
    }
    let nothing = demo::load(&one.sources, &keyring, &plan(), Existing::Keep, &|_| {})
        .await
        .unwrap();
    assert_eq!(nothing.rows(), 0);
}

const BACKDATE_ADS: &str = "alter table ads.channels disable trigger all;
    update ads.channels set changed_at = '2026-03-15T12:00:00Z';
    alter table ads.channels enable trigger all";
const BACKDATE_CRM: &str = "alter table crm.products disable trigger all;
    update crm.products set changed_at = '2026-03-15T12:00:00Z';
    alter table crm.products enable trigger all";
