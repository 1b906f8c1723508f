//! Sales with their lines, and the subscriptions that begin with them.

use super::{
    copy::Cents,
    crm_rows::{CrmChunks, Customer, Outcome},
    moments::{Seconds, date},
    random::Dice,
    reference::{Market, PRODUCTS, Product, season},
};

const DAY: f64 = 86_400.0;
const YEAR: f64 = 365.25 * DAY;
/// By how much list prices were lower a year before.
const PRICE_RISE: f64 = 0.035;
/// How long a subscription lasts in the mean, in days.
const SUBSCRIBED: f64 = 430.0;

impl CrmChunks {
    /// Writes one sale at a time, and returns its total.
    pub fn sell(
        &mut self,
        customer: &Customer,
        at: Seconds,
        lead: Option<i64>,
        opportunity: Option<i64>,
        outcome: &mut Outcome,
        dice: &mut Dice,
    ) -> Cents {
        self.ids.sale += 1;
        let sale = self.ids.sale;
        let market = customer.market;
        let lines = 1 + dice.exponential(0.7).min(5.0) as i64;
        let years = (at - self.plan.now()) as f64 / YEAR;
        let mut total = 0;
        let mut plan = None;
        for line in 1..=lines {
            let product = dice.weighted(&PRODUCTS, |product| {
                if product.b2b == customer.b2b {
                    product.weight
                } else {
                    0.0
                }
            });
            let price = local(product.price * (1.0 + PRICE_RISE).powf(years), market);
            let cost = local(product.cost, market);
            let quantity = quantity(customer, product, dice);
            let discount = discount(market, at, price * quantity, dice);
            total += price * quantity - discount;
            if product.recurring && plan.is_none() {
                plan = Some((product, price));
            }
            let id = 1 + PRODUCTS
                .iter()
                .take_while(|other| other.sku != product.sku)
                .count();
            self.lines
                .row()
                .int(sale)
                .int(line)
                .int(id as i64)
                .int(quantity)
                .money(price)
                .money(discount)
                .money(cost)
                .text(market.currency);
        }
        let late = dice
            .chance(0.04)
            .then(|| dice.uniform(DAY, 21.0 * DAY) as Seconds);
        let recorded = [late.unwrap_or_default(), 40]
            .map(|after| at + after)
            .into_iter()
            .find(|recorded| *recorded < self.plan.now())
            .unwrap_or(at);
        let fate = dice.unit();
        let status = match fate {
            fate if fate < 0.030 => "refunded",
            fate if fate < 0.045 => "cancelled",
            _ => "completed",
        };
        self.sales
            .row()
            .int(sale)
            .int(customer.id)
            .maybe(lead, |row, id| row.int(id))
            .maybe(opportunity, |row, id| row.int(id))
            .text(market.code)
            .text(status)
            .text(market.currency)
            .money(total)
            .time(at)
            .time(recorded);
        outcome.last_sale = outcome.last_sale.max(Some(at));
        if let Some((product, price)) = plan.filter(|_| status == "completed") {
            self.subscribe(customer, sale, product, price, at, outcome, dice);
        }
        total
    }

    #[allow(clippy::too_many_arguments)] // They are the columns.
    fn subscribe(
        &mut self,
        customer: &Customer,
        sale: i64,
        product: &Product,
        price: Cents,
        at: Seconds,
        outcome: &mut Outcome,
        dice: &mut Dice,
    ) {
        self.ids.subscription += 1;
        let end = at + dice.exponential(SUBSCRIBED * DAY) as Seconds + DAY as Seconds;
        let cancelled = (end < self.plan.now()).then(|| date(end));
        outcome.subscribed |= cancelled.is_none();
        self.subscriptions
            .row()
            .int(self.ids.subscription)
            .int(customer.id)
            .int(sale)
            .text(product.sku)
            .money(price)
            .text(customer.market.currency)
            .date(date(at))
            .maybe(cancelled, |row, day| row.date(day));
    }
}

/// US dollars in hundredths of the market's currency, at the market's level of prices.
fn local(dollars: f64, market: &Market) -> Cents {
    (dollars * market.price_level / market.fx * 100.0).round() as Cents
}

fn quantity(customer: &Customer, product: &Product, dice: &mut Dice) -> i64 {
    let usual = if customer.b2b && product.category != "services" {
        customer.scale
    } else {
        1.0
    };
    (usual * dice.pareto(2.6)).min(500.0) as i64
}

/// Off a line: more in the weeks when everybody buys.
fn discount(market: &Market, at: Seconds, amount: Cents, dice: &mut Dice) -> Cents {
    let often = 0.15 * season(market, date(at)).powi(3);
    if !dice.chance(often) {
        return 0;
    }
    let percent = *dice.pick(&[5, 10, 10, 15, 20, 30]);
    amount * percent / 100
}
