//! Customers, their personal data sealed as they stream by, and the tables that follow from them.

use std::sync::Arc;

use super::{
    DemoError,
    copy::Rows,
    crm_rows::{CrmChunks, Customer, Ids, Outcome},
    journey::{Lead, leads},
    moments::Seconds,
    people::{AGE_BANDS, COMPANY_SIZES, INDUSTRIES, names},
    plan::LoadPlan,
    random::{Dice, Topic},
    reference::{MARKETS, Market},
    tables,
};
use crate::pii::{CustomerColumn, Keyring, PiiError};

/// A customer without a sale in this time has left.
const CHURNED_AFTER: Seconds = 365 * 86_400;

impl CrmChunks {
    pub fn new(plan: LoadPlan, keyring: Arc<Keyring>) -> Self {
        Self {
            plan,
            keyring,
            ids: Ids::default(),
            customers: Rows::of(&tables::CUSTOMERS),
            leads: Rows::of(&tables::LEADS),
            interactions: Rows::of(&tables::INTERACTIONS),
            opportunities: Rows::of(&tables::OPPORTUNITIES),
            sales: Rows::of(&tables::SALES),
            lines: Rows::of(&tables::SALE_LINES),
            subscriptions: Rows::of(&tables::SUBSCRIPTIONS),
        }
    }

    /// The customers of these numbers, and what follows from them; parents before children.
    pub fn next(
        &mut self,
        customers: std::ops::RangeInclusive<u32>,
    ) -> Result<Vec<Rows>, DemoError> {
        for id in customers {
            let mut person = Dice::new(self.plan.seed, Topic::Person, u64::from(id));
            let mut journey = Dice::new(self.plan.seed, Topic::Journey, u64::from(id));
            let (market, found) = leads(&self.plan, &mut journey);
            let customer = Customer::of(i64::from(id), market, &found, &mut person);
            let outcome = self.follow(&customer, &found, &mut journey);
            let since = found.iter().map(|lead| lead.created).min();
            self.add(
                &customer,
                &outcome,
                since.unwrap_or(self.plan.now() - 1),
                &mut person,
            )?;
        }
        let taken = |rows: &mut Rows| std::mem::replace(rows, Rows::of(rows.table));
        Ok(vec![
            taken(&mut self.customers),
            taken(&mut self.leads),
            taken(&mut self.interactions),
            taken(&mut self.opportunities),
            taken(&mut self.sales),
            taken(&mut self.lines),
            taken(&mut self.subscriptions),
        ])
    }

    /// Customers of these ids who have shown no interest yet.
    pub fn prospects(&mut self, ids: &[i64], since: Seconds) -> Result<Rows, PiiError> {
        for id in ids {
            let mut dice = Dice::new(self.plan.seed, Topic::Person, id.unsigned_abs());
            let market = dice.weighted(&MARKETS, |market| market.weight);
            let customer = Customer::of(*id, market, &[], &mut dice);
            self.add(&customer, &Outcome::default(), since, &mut dice)?;
        }
        Ok(std::mem::replace(
            &mut self.customers,
            Rows::of(&tables::CUSTOMERS),
        ))
    }

    fn add(
        &mut self,
        customer: &Customer,
        outcome: &Outcome,
        since: Seconds,
        dice: &mut Dice,
    ) -> Result<(), PiiError> {
        let lifecycle = match outcome.last_sale {
            None => "prospect",
            Some(last) if !outcome.subscribed && last + CHURNED_AFTER < self.plan.now() => {
                "churned"
            }
            Some(_) => "customer",
        };
        let industry = *dice.pick(&INDUSTRIES);
        let (age, _) = *dice.weighted(&AGE_BANDS, |(_, weight)| *weight);
        let consent = dice.chance(0.78);
        let contact = Contact::of(customer, dice);
        let seal =
            |column: CustomerColumn, value: &str| self.keyring.seal(column.of(customer.id), value);
        let company = contact.company.as_deref();
        self.customers
            .row()
            .int(customer.id)
            .text(if customer.b2b { "b2b" } else { "b2c" })
            .text(lifecycle)
            .text(customer.segment)
            .text(customer.market.code)
            .text(customer.market.language)
            .maybe(customer.size, |row, size| row.text(size))
            .maybe(customer.b2b.then_some(industry), |row, text| row.text(text))
            .maybe((!customer.b2b).then_some(age), |row, age| row.text(age))
            .bool(consent)
            .bytes(&self.keyring.join_hash(&contact.email))
            .bytes(&seal(CustomerColumn::ContactName, &contact.name)?)
            .bytes(&seal(CustomerColumn::Email, &contact.email)?)
            .bytes(&seal(CustomerColumn::Phone, &contact.phone)?)
            .bytes(&seal(CustomerColumn::Address, &contact.address)?)
            .maybe(
                company
                    .map(|name| seal(CustomerColumn::CompanyName, name))
                    .transpose()?,
                |row, sealed| row.bytes(&sealed),
            )
            .time(since);
        Ok(())
    }
}

impl Customer {
    fn of(id: i64, market: &'static Market, leads: &[Lead], dice: &mut Dice) -> Self {
        let at_work = leads
            .first()
            .and_then(|lead| lead.from.as_ref())
            .is_some_and(|(_, channel)| channel.code == "linkedin");
        let b2b = dice.chance(if at_work { 0.8 } else { 0.18 });
        let (size, _, segment, scale) = *dice.weighted(&COMPANY_SIZES, |(_, weight, ..)| *weight);
        Self {
            id,
            market,
            b2b,
            scale: if b2b { scale } else { 1.0 },
            size: b2b.then_some(size),
            segment: if b2b { segment } else { "consumer" },
        }
    }
}

/// What is personal.
struct Contact {
    name: String,
    email: String,
    phone: String,
    address: String,
    company: Option<String>,
}

impl Contact {
    fn of(customer: &Customer, dice: &mut Dice) -> Self {
        let market = customer.market;
        let names = names(market.language);
        let (first, last) = (*dice.pick(names.first), *dice.pick(names.last));
        let second = *dice.pick(names.last);
        let third = *dice.pick(names.last);
        let company = dice.pick(names.companies).replace("{}", third);
        let name = if market.language == "es" {
            format!("{first} {last} {second}")
        } else {
            format!("{first} {last}")
        };
        let host = dice.pick(&["example.com", "example.org", "example.net"]);
        let street = dice.pick(names.streets);
        let number = dice.between(1, 180);
        let city = dice.pick(market.cities);
        let address = if market.language == "es" {
            format!("{street} {number}, {city}")
        } else {
            format!("{number} {street}, {city}")
        };
        Self {
            email: format!("{first}.{last}.{}@{host}", customer.id)
                .replace('\'', "")
                .to_lowercase(),
            // No number begins so: nobody is called by mistake.
            phone: format!("{} 000 {:06}", market.phone, dice.between(0, 999_999)),
            name,
            address,
            company: customer.b2b.then_some(company),
        }
    }
}
