//! Rows that every load begins with.

use time::Date;

use super::LoadPlan;
use crate::demo::{
    copy::Rows,
    random::{Dice, Topic},
    reference::{AUDIENCES, CHANNELS, MARKETS, PRODUCTS},
    tables,
};

/// Months of exchange rates before the current one.
const RATE_MONTHS: i32 = 48;

pub(in crate::demo) fn ads() -> Vec<Rows> {
    let mut channels = Rows::of(&tables::CHANNELS);
    for channel in &CHANNELS {
        channels
            .row()
            .text(channel.code)
            .text(channel.en)
            .text(channel.es);
    }
    let mut markets = Rows::of(&tables::MARKETS);
    for market in &MARKETS {
        markets
            .row()
            .text(market.code)
            .text(market.en)
            .text(market.es)
            .text(market.region)
            .text(market.currency)
            .text(market.language);
    }
    let mut audiences = Rows::of(&tables::AUDIENCES);
    for (id, (code, en, es, age, kind)) in (1..).zip(&AUDIENCES) {
        audiences
            .row()
            .int(id)
            .text(code)
            .text(en)
            .text(es)
            .maybe(*age, |row, age| row.text(age))
            .text(kind);
    }
    vec![channels, markets, audiences]
}

pub(in crate::demo) fn crm(plan: &LoadPlan) -> Vec<Rows> {
    let mut products = Rows::of(&tables::PRODUCTS);
    for (id, product) in (1..).zip(&PRODUCTS) {
        products
            .row()
            .int(id)
            .text(product.sku)
            .text(product.en)
            .text(product.es)
            .text(product.category)
            .money((product.price * 100.0).round() as i64)
            .money((product.cost * 100.0).round() as i64)
            .text("USD")
            .bool(product.recurring)
            .bool(true)
            .time(plan.now() - 1_500 * 86_400);
    }
    let mut rates = Rows::of(&tables::EXCHANGE_RATES);
    for (entity, market) in (0..).zip(&MARKETS) {
        if MARKETS[..entity as usize]
            .iter()
            .any(|other| other.currency == market.currency)
        {
            continue;
        }
        let mut dice = Dice::new(plan.seed, Topic::Rates, entity);
        for back in 0..=RATE_MONTHS {
            let years = f64::from(back) / 12.0;
            let noise = if market.currency == "USD" {
                1.0
            } else {
                dice.uniform(0.985, 1.015)
            };
            rates
                .row()
                .text(market.currency)
                .date(months_before(plan.today, back))
                .decimal(market.fx * (1.0 + market.drift).powf(-years) * noise);
        }
    }
    vec![products, rates]
}

/// The first day of the month that was so many months before.
fn months_before(day: Date, months: i32) -> Date {
    let month = day.year() * 12 + i32::from(u8::from(day.month())) - 1 - months;
    let name = time::Month::try_from((month.rem_euclid(12) + 1) as u8).expect("1 to 12");
    Date::from_calendar_date(month.div_euclid(12), name, 1).expect("a year that calendars know")
}
