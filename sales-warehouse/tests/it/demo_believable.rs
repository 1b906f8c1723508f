//! What makes generated data worth asking about: seasons, channels and markets that differ, names in both languages.

use crate::demo_load::{loaded, none, number};

fn within(name: &str, value: f64, low: f64, high: f64) {
    assert!((low..=high).contains(&value), "{name}: {value}");
}

#[tokio::test]
async fn seasons_channels_and_markets_differ_and_names_speak_their_market_s_language() {
    let Some((world, ..)) = loaded().await else {
        return;
    };
    let (ads, crm) = (&world.sources.ads, &world.sources.crm);
    // The same ads on their days of December and of January, north of the equator.
    let winter = number(
        ads,
        "select (avg(january) / avg(december))::float8 from (
            select avg(impressions) filter (where extract(month from day) = 1) as january,
                avg(impressions) filter (where extract(month from day) = 12) as december
            from ads.ad_daily join ads.ads using (ad_id) join ads.campaigns using (campaign_id)
            where market_code not in ('AR', 'CL', 'PE') group by ad_id) as ad
         where january is not null and december is not null",
    );
    within("January beside December", winter.await, 0.5, 0.9);
    let weekend = "select (avg(impressions) filter (where extract(isodow from day) > 5)
            / avg(impressions) filter (where extract(isodow from day) <= 5))::float8
        from ads.ad_daily join ads.ads using (ad_id) where channel_code = ";
    let on = |channel: &'static str| {
        let query = format!("{weekend}'{channel}'");
        let ads = ads.clone();
        async move {
            let ratio = sqlx::query_scalar(sqlx::AssertSqlSafe(query));
            ratio.fetch_one(&ads).await.unwrap()
        }
    };
    within("weekends on LinkedIn", on("linkedin").await, 0.2, 0.6);
    within("weekends on social media", on("social").await, 1.0, 1.5);
    let clicks = number(
        ads,
        "select (max(rate) / min(rate))::float8 from (select sum(clicks)::numeric / sum(impressions) as rate
            from ads.ad_daily join ads.ads using (ad_id) group by channel_code) as channel",
    );
    within(
        "click rate of the best channel beside the worst",
        clicks.await,
        3.0,
        15.0,
    );
    let prices = number(
        crm,
        "select (max(price) / min(price))::float8 from (
            select avg(l.unit_price * x.usd_per_unit) as price
            from crm.sale_lines as l join crm.sales as s using (sale_id)
            join crm.exchange_rates as x on x.currency = s.currency and x.month = date_trunc('month', s.sold_at)::date
            where l.product_id = (select product_id from crm.sale_lines group by 1 order by count(*) desc limit 1)
            group by s.currency having count(*) > 5) as market",
    );
    within(
        "a product's price in the dearest market",
        prices.await,
        1.2,
        4.0,
    );
    let names = "ads.campaigns join ads.markets using (market_code) where language";
    for (own, words) in [
        ("es", "(Rebajas|Lanzamiento|Pregúntanos|Vuelta|Viernes)"),
        ("en", "(sale|arrival|Ask us|Back to|Black Friday)"),
    ] {
        none(ads, &format!("{names} <> '{own}' and name ~ '{words}'")).await;
        let query = format!("select count(*)::float8 from {names} = '{own}' and name ~ '{words}'");
        within(words, number(ads, &query).await, 1.0, f64::MAX);
    }
    let spanish = number(
        ads,
        "select avg((name ~ '[áéíóúñ]|\\m(de|tu|te)\\M')::int)::float8
         from ads.campaigns join ads.markets using (market_code) where language = 'es'",
    );
    within(
        "Spanish names in Spanish-speaking markets",
        spanish.await,
        0.3,
        1.0,
    );
}
