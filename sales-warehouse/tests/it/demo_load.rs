//! The generator: the same again, consistent, plausible.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use sales_warehouse::{
    demo::{self, DemoError, Existing, LoadPlan, Loaded},
    pii::{CustomerColumn, Keyring},
};
use secrecy::ExposeSecret as _;
use sqlx::{PgPool, Row as _};
use time::macros::{date, datetime};

use crate::world::{World, keyring};

pub fn plan() -> LoadPlan {
    LoadPlan::small(7, date!(2026 - 03 - 15))
}

async fn load(world: &World, plan: LoadPlan, keyring: &Arc<Keyring>) -> Loaded {
    demo::load(&world.sources, keyring, &plan, Existing::Refuse, &|_| {})
        .await
        .unwrap()
}

/// A world with the small load; `None` without PostgreSQL.
pub async fn loaded() -> Option<(World, Arc<Keyring>, Loaded)> {
    let world = World::start().await?;
    let keyring = keyring();
    let loaded = load(&world, plan(), &keyring).await;
    Some((world, keyring, loaded))
}

/// Asserts that a query counts nothing.
pub async fn none(pool: &PgPool, what: &str) {
    let query = sqlx::AssertSqlSafe(format!("select count(*) from {what}"));
    let count: i64 = sqlx::query_scalar(query).fetch_one(pool).await.unwrap();
    assert_eq!(count, 0, "{what}");
}

pub async fn number(pool: &PgPool, query: &str) -> f64 {
    let query = sqlx::AssertSqlSafe(query.to_owned());
    sqlx::query_scalar(query).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn the_same_plan_gives_the_same_rows_and_another_seed_others() {
    let Some((one, keyring, loaded)) = loaded().await else {
        return;
    };
    let Some(two) = World::start().await else {
        return;
    };
    assert_eq!(load(&two, plan(), &keyring).await, loaded);
    let first = demo::checksum(&one.sources).await.unwrap();
    assert_eq!(demo::checksum(&two.sources).await.unwrap(), first);
    let counted: Vec<_> = first
        .iter()
        .map(|sum| (sum.table, sum.rows as u64))
        .collect();
    assert_eq!(counted, loaded.tables);

    let other = LoadPlan { seed: 8, ..plan() };
    demo::load(&two.sources, &keyring, &other, Existing::Replace, &|_| {})
        .await
        .unwrap();
    let second = demo::checksum(&two.sources).await.unwrap();
    for (first, second) in first.iter().zip(&second) {
        let constant = [
            "ads.channels",
            "ads.markets",
            "ads.audiences",
            "crm.products",
        ];
        assert_eq!(
            first.checksum == second.checksum,
            constant.contains(&first.table),
            "{}",
            first.table
        );
    }
}

#[tokio::test]
async fn a_larger_plan_begins_with_the_same_customers_and_campaigns() {
    let Some((one, keyring, _)) = loaded().await else {
        return;
    };
    let Some(two) = World::start().await else {
        return;
    };
    let larger = LoadPlan {
        campaigns_active: 45,
        customers: 2_050,
        ..plan()
    };
    load(&two, larger, &keyring).await;
    let days = "select md5(string_agg(d::text, ',' order by ad_id, day)) from
        (select ad_id, day, impressions, clicks, cost from ads.ad_daily where ad_id < 53 * 16) d";
    let mut sums = Vec::new();
    for world in [&one, &two] {
        let sum: String = sqlx::query_scalar(days)
            .fetch_one(&world.sources.ads)
            .await
            .unwrap();
        sums.push(sum);
    }
    assert_eq!(sums[0], sums[1]);

    // More campaigns lead some customers to other campaigns, and so to other countries, but the
    // people are the same.
    let mut same = 0;
    let (before, after) = (people(&one).await, people(&two).await);
    for (id, (kind, country, email, age)) in &before {
        let (other_kind, other_country, other_email, other_age) = &after[id];
        if (kind, country) == (other_kind, other_country) {
            same += 1;
            assert_eq!((email, age), (other_email, other_age), "{id}");
        }
    }
    assert!(same > 1_000, "{same}");
}

type Person = (String, String, Vec<u8>, Option<String>);

/// Who the customers are, by number.
async fn people(world: &World) -> BTreeMap<i64, Person> {
    sqlx::query_as::<_, (i64, String, String, Vec<u8>, Option<String>)>(
        "select customer_id, kind, country, email_hash, age_band from crm.customers",
    )
    .fetch_all(&world.sources.crm)
    .await
    .unwrap()
    .into_iter()
    .map(|(id, kind, country, email, age)| (id, (kind, country, email, age)))
    .collect()
}

#[tokio::test]
async fn what_refers_to_something_finds_it() {
    let Some((world, ..)) = loaded().await else {
        return;
    };
    let (ads, crm) = (&world.sources.ads, &world.sources.crm);
    let campaigns: Vec<(String, String)> =
        sqlx::query_as("select distinct c.code, a.channel_code from ads.campaigns c join ads.ads a using (campaign_id)")
            .fetch_all(ads)
            .await
            .unwrap();
    let named: Vec<(String, String)> = sqlx::query_as(
        "select distinct campaign_code, channel_code from crm.leads where source = 'campaign'",
    )
    .fetch_all(crm)
    .await
    .unwrap();
    assert!(named.len() > 50, "{}", named.len());
    for pair in named {
        assert!(campaigns.contains(&pair), "{pair:?}");
    }
    for nothing in [
        "crm.leads where (source = 'campaign') <> (campaign_code is not null)",
        "crm.leads where qualified_at < created_at or converted_at < qualified_at",
        "crm.leads where (status = 'converted') <> (converted_at is not null)",
        "crm.leads l where converted_at is not null
            and not exists (select from crm.sales s where s.lead_id = l.lead_id and s.sold_at = l.converted_at)",
        "crm.sales s join crm.leads l using (lead_id) where s.customer_id <> l.customer_id or s.sold_at < l.created_at",
        "crm.sales s join crm.opportunities o using (opportunity_id) where o.stage <> 'won' or o.amount <> s.total",
        "crm.sales s where total <> (select sum(quantity * unit_price - discount) from crm.sale_lines l
            where l.sale_id = s.sale_id and l.currency = s.currency)",
        "crm.sales where recorded_at < sold_at",
        "crm.subscriptions s left join crm.products p on p.sku = s.plan and p.recurring where p.sku is null",
        "crm.customers where lifecycle = 'prospect' and customer_id in (select customer_id from crm.sales)",
        "crm.customers c join crm.leads l using (customer_id) where l.created_at < c.created_at",
    ] {
        none(crm, nothing).await;
    }
    for nothing in [
        "ads.campaigns c join ads.markets m using (market_code) where c.currency <> m.currency",
        "ads.ad_daily d join ads.ads using (ad_id) join ads.campaigns c using (campaign_id)
            where d.currency <> c.currency or d.day not between c.start_date and c.end_date",
        "ads.reactions r left join ads.ad_daily d using (ad_id, day) where d.ad_id is null",
        "ads.ads a where content_id is not null and not exists (select from ads.campaign_content c
            where c.campaign_id = a.campaign_id and c.content_id = a.content_id)",
    ] {
        none(ads, nothing).await;
    }
}

#[tokio::test]
async fn sums_are_plausible() {
    let Some((world, _, loaded)) = loaded().await else {
        return;
    };
    let (ads, crm) = (&world.sources.ads, &world.sources.crm);
    for nothing in [
        "ads.ad_daily where clicks > impressions or conversions > clicks or cost < 0 or impressions < 0",
        "ads.ad_daily where reported_at >= '2026-03-15' or day >= '2026-03-15' or corrected_at < reported_at",
        "(select 1 from ads.campaigns c join ads.ads using (campaign_id) join ads.ad_daily d using (ad_id)
            group by c.campaign_id having sum(d.cost) > c.budget * 1.05) over",
    ] {
        none(ads, nothing).await;
    }
    none(crm, "crm.sale_lines where unit_price <= 0 or quantity < 1 or discount < 0 or discount > quantity * unit_price").await;
    none(
        crm,
        "crm.sales where sold_at >= '2026-03-15' or recorded_at >= '2026-03-15'",
    )
    .await;

    let within = |name: &str, value: f64, low: f64, high: f64| {
        assert!((low..=high).contains(&value), "{name}: {value}");
    };
    let rows: BTreeMap<_, _> = loaded.tables.iter().copied().collect();
    within("ad days", rows["ads.ad_daily"] as f64, 12_000.0, 25_000.0);
    within("spent of finished budgets", number(ads, "select avg(spent)::float8 from (select sum(d.cost) / min(c.budget) spent from ads.campaigns c
            join ads.ads using (campaign_id) join ads.ad_daily d using (ad_id)
            where c.status = 'finished' group by c.campaign_id) finished").await, 0.75, 1.05);
    within(
        "late reports",
        number(
            ads,
            "select avg((reported_at::date > day + 1)::int)::float8 from ads.ad_daily",
        )
        .await,
        0.01,
        0.05,
    );
    within(
        "corrected",
        number(
            ads,
            "select avg((corrected_at is not null)::int)::float8 from ads.ad_daily",
        )
        .await,
        0.005,
        0.03,
    );
    within(
        "click rate",
        number(
            ads,
            "select (sum(clicks) / sum(impressions))::float8 from ads.ad_daily",
        )
        .await,
        0.005,
        0.06,
    );
    within(
        "leads that convert",
        number(
            crm,
            "select avg((status = 'converted')::int)::float8 from crm.leads",
        )
        .await,
        0.2,
        0.5,
    );
    within(
        "late sales",
        number(
            crm,
            "select avg((recorded_at > sold_at + interval '1 hour')::int)::float8 from crm.sales",
        )
        .await,
        0.02,
        0.06,
    );
    within("sales of the best tenth of buyers", number(crm, "select (sum(n) filter (where place <= 0.1) / sum(n))::float8 from (select count(*) n, percent_rank() over (order by count(*) desc) place from crm.sales group by customer_id) b").await, 0.25, 0.8);
    within(
        "currencies",
        number(
            crm,
            "select count(distinct currency)::float8 from crm.sales",
        )
        .await,
        6.0,
        12.0,
    );
}

#[tokio::test]
async fn personal_data_stands_sealed_and_joins_by_its_hash() {
    let Some((world, keyring, _)) = loaded().await else {
        return;
    };
    let rows = sqlx::query(
        "select customer_id, kind, email_hash, email_enc, contact_name_enc, company_name_enc
         from crm.customers order by 1 limit 100",
    )
    .fetch_all(&world.sources.crm)
    .await
    .unwrap();
    assert_eq!(rows.len(), 100);
    for row in rows {
        let id: i64 = row.get("customer_id");
        let open = |column: CustomerColumn| {
            let envelope: Option<Vec<u8>> = row.get(column.as_str());
            envelope.map(|envelope| keyring.open(column.of(id), &envelope).unwrap())
        };
        let email = open(CustomerColumn::Email).unwrap();
        let hash: Vec<u8> = row.get("email_hash");
        assert_eq!(keyring.join_hash(email.expose_secret()).to_vec(), hash);
        let name = open(CustomerColumn::ContactName).unwrap();
        assert!(name.expose_secret().contains(' '));
        let company = open(CustomerColumn::CompanyName);
        assert_eq!(company.is_some(), row.get::<String, _>("kind") == "b2b");
    }
}

#[tokio::test]
async fn sources_that_hold_something_are_refused_or_replaced() {
    let Some((world, keyring, _)) = loaded().await else {
        return;
    };
    let before = demo::checksum(&world.sources).await.unwrap();
    let seen = Mutex::new(Vec::new());
    let note = |progress: demo::LoadProgress| seen.lock().unwrap().push(progress);
    let error = demo::load(&world.sources, &keyring, &plan(), Existing::Refuse, &note)
        .await
        .unwrap_err();
    assert!(matches!(error, DemoError::NotEmpty { .. }), "{error:?}");
    assert!(error.to_string().contains("--replace"), "{error}");
    assert_eq!(demo::checksum(&world.sources).await.unwrap(), before);

    demo::load(&world.sources, &keyring, &plan(), Existing::Replace, &note)
        .await
        .unwrap();
    assert_eq!(demo::checksum(&world.sources).await.unwrap(), before);
    let seen = seen.into_inner().unwrap();
    for (database, total) in [("promptads", 52), ("promptcrm", 2_000)] {
        let last = seen
            .iter()
            .rfind(|progress| progress.database == database)
            .unwrap();
        assert_eq!((last.done, last.total), (total, total));
    }
}

#[tokio::test]
async fn nothing_at_all_can_be_loaded_too() {
    let Some(world) = World::start().await else {
        return;
    };
    let plan = LoadPlan {
        campaigns_finished: 0,
        campaigns_active: 0,
        customers: 20,
        ..plan()
    };
    let loaded = load(&world, plan, &keyring()).await;
    let rows: BTreeMap<_, _> = loaded.tables.iter().copied().collect();
    assert_eq!(rows["crm.customers"], 20);
    none(&world.sources.crm, "crm.leads where source = 'campaign'").await;
}

#[test]
fn images_are_those_that_the_catalogue_has_approved() {
    let catalogue = Path::new(env!("CARGO_MANIFEST_DIR")).join("../images/catalogue");
    let mut expected: Vec<String> = fs::read_dir(catalogue)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .map(|path| {
            fs::read_to_string(path)
                .unwrap()
                .parse::<toml::Table>()
                .unwrap()
        })
        .filter(|image| image["status"].as_str() == Some("approved"))
        .map(|image| {
            let themes = image["campaign_themes"].as_array().unwrap();
            let themes: Vec<_> = themes.iter().map(|theme| theme.as_str().unwrap()).collect();
            let of = |language: &str, field: &str| image[language][field].clone();
            let title = |language| of(language, "title").as_str().unwrap().to_owned();
            let hashtags = |language| {
                let tags = of(language, "hashtags").as_array().unwrap().clone();
                let tags: Vec<_> = tags.iter().map(|tag| tag.as_str().unwrap()).collect();
                tags.join(" ")
            };
            let id = format!("{} {}", image["id"].as_str().unwrap(), themes.join(","));
            let [en, es] = ["en", "es"];
            [id, title(en), title(es), hashtags(en), hashtags(es)].join("\t")
        })
        .collect();
    expected.sort();
    let ours = include_str!("../../src/demo/content.txt");
    assert_eq!(ours.lines().collect::<Vec<_>>(), expected);
}

/// `cargo test -p sales-warehouse --test it -- --ignored --nocapture the_full_plan`
#[tokio::test]
#[ignore = "some minutes and 3 GB of disk"]
async fn the_full_plan_has_the_size_that_the_product_is_made_for() {
    let Some(world) = World::start().await else {
        return;
    };
    let plan = LoadPlan::full(7, date!(2026 - 03 - 15));
    let started = std::time::Instant::now();
    let loaded = load(&world, plan, &keyring()).await;
    println!(
        "{loaded:#?}\n{} rows in {:?}",
        loaded.rows(),
        started.elapsed()
    );
    let now = datetime!(2026-03-15 10:00 UTC);
    for (seed, changes) in [(1, loaded.rows() / 100), (2, 1_000)] {
        let started = std::time::Instant::now();
        let ticked = demo::tick(&world.sources, &keyring(), changes, seed, now)
            .await
            .unwrap();
        let elapsed = started.elapsed();
        println!("{} changes in {elapsed:?}: {ticked:?}", ticked.rows());
        let about = changes * 4 / 5..=changes * 6 / 5;
        assert!(about.contains(&ticked.rows()), "{changes}");
    }
    let rows: BTreeMap<_, _> = loaded.tables.iter().copied().collect();
    assert_eq!(
        (rows["ads.campaigns"], rows["crm.customers"]),
        (6_000, 500_000)
    );
    assert!(
        (1_800_000..2_200_000).contains(&rows["ads.ad_daily"]),
        "{rows:?}"
    );
}
