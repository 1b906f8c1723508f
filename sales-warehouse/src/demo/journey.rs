//! From a lead to a sale, and what is said on the way.

use super::{
    campaign::Campaign,
    crm_rows::{CrmChunks, Customer, Outcome},
    moments::{Seconds, date, midnight},
    plan::LoadPlan,
    random::Dice,
    reference::{Channel, MARKETS, Market},
};

const HOUR: f64 = 3_600.0;
const DAY: f64 = 24.0 * HOUR;
/// Repeated sales count for the last lead for so long.
const ATTRIBUTED: Seconds = 90 * 86_400;
/// Most sales of one customer that no lead of their own leads to.
const MOST_REPEATS: i64 = 60;
/// How few customers have most of the sales.
const SKEW: f64 = 1.25;

/// Interest shown once.
pub(super) struct Lead {
    pub created: Seconds,
    /// Campaign and channel that it came by.
    pub from: Option<(Campaign, &'static Channel)>,
}

/// What becomes of a lead by now.
struct Funnel {
    score: i64,
    status: &'static str,
    contacted: Option<Seconds>,
    qualified: Option<Seconds>,
    converted: Option<Seconds>,
    lost: Option<Seconds>,
}

/// A customer's leads, oldest first, and the market that the first came from.
pub(super) fn leads(plan: &LoadPlan, dice: &mut Dice) -> (&'static Market, Vec<Lead>) {
    let mut leads = vec![lead(plan, dice, 0.84)];
    while leads.len() < 5 && dice.chance(0.24) {
        leads.push(lead(plan, dice, 0.6));
    }
    let elsewhere = dice.weighted(&MARKETS, |market| market.weight);
    let stays = dice.chance(0.95);
    let market = match &leads[0].from {
        Some((campaign, _)) if stays => campaign.market,
        _ => elsewhere,
    };
    // Later ones come from the same country.
    let at_home = |lead: &Lead| {
        lead.from
            .as_ref()
            .is_none_or(|(from, _)| from.market.code == market.code)
    };
    let mut place = 0;
    leads.retain(|lead| {
        place += 1;
        place == 1 || at_home(lead)
    });
    leads.sort_by_key(|lead| lead.created);
    (market, leads)
}

fn lead(plan: &LoadPlan, dice: &mut Dice, from_campaign: f64) -> Lead {
    let campaign = dice.chance(from_campaign) && plan.campaigns() > 0;
    if !campaign {
        let created = plan.now() - dice.uniform(1.0, 900.0 * DAY) as Seconds;
        return Lead {
            created,
            from: None,
        };
    }
    let campaign = campaign_of(plan, dice);
    let channel = *dice.pick(&campaign.channels);
    let days = (campaign.last_day(plan) - campaign.start)
        .whole_days()
        .max(0);
    let day = midnight(campaign.start) + dice.between(0, days) * DAY as Seconds;
    // People are awake.
    let created = day + dice.uniform(7.0 * HOUR, 23.0 * HOUR) as Seconds;
    Lead {
        created,
        from: Some((campaign, channel)),
    }
}

/// Of two, the one with more to spend: large campaigns bring more leads.
fn campaign_of(plan: &LoadPlan, dice: &mut Dice) -> Campaign {
    let finished = dice.chance(0.6) || plan.campaigns_active == 0;
    let (first, last) = if finished && plan.campaigns_finished > 0 {
        (1, plan.campaigns_finished)
    } else {
        (plan.campaigns_finished + 1, plan.campaigns())
    };
    let mut any = || {
        let id = dice.between(i64::from(first), i64::from(last));
        Campaign::of(plan, id as u32)
    };
    let (one, other) = (any(), any());
    let dollars = |campaign: &Campaign| campaign.budget as f64 * campaign.market.fx;
    if dollars(&one) >= dollars(&other) {
        one
    } else {
        other
    }
}

impl CrmChunks {
    /// Writes what follows from a customer's leads.
    pub fn follow(&mut self, customer: &Customer, leads: &[Lead], dice: &mut Dice) -> Outcome {
        let mut outcome = Outcome::default();
        let mut last_lead = None;
        for lead in leads {
            let funnel = Funnel::of(customer, lead, self.plan.now(), dice);
            self.ids.lead += 1;
            let id = self.ids.lead;
            self.add_lead(customer, id, lead, &funnel, dice);
            self.add_talk(customer, id, lead, &funnel, dice);
            let opportunity = (customer.b2b && funnel.qualified.is_some()).then(|| {
                self.ids.opportunity += 1;
                self.ids.opportunity
            });
            let agreed = funnel.converted.map(|at| {
                last_lead = Some((id, at));
                self.sell(customer, at, Some(id), opportunity, &mut outcome, dice)
            });
            if let Some(opportunity) = opportunity {
                self.add_opportunity(customer, opportunity, id, &funnel, agreed, dice);
            }
        }
        if let Some((lead, first)) = last_lead {
            self.repeat(customer, lead, first, &mut outcome, dice);
        }
        outcome
    }

    fn repeat(
        &mut self,
        customer: &Customer,
        lead: i64,
        first: Seconds,
        outcome: &mut Outcome,
        dice: &mut Dice,
    ) {
        let times = (dice.pareto(SKEW) - 1.0).min(MOST_REPEATS as f64) as i64;
        let gap = if customer.b2b { 34.0 } else { 48.0 };
        let mut at = first;
        for _ in 0..times {
            at += dice.exponential(gap * DAY) as Seconds + 3_600;
            if at >= self.plan.now() {
                return;
            }
            let lead = (at - first <= ATTRIBUTED).then_some(lead);
            self.sell(customer, at, lead, None, outcome, dice);
            if dice.chance(0.12) {
                self.ids.interaction += 1;
                let answered = dice.log_normal(5.0 * HOUR, 0.9) as i64;
                let asked = at + dice.uniform(HOUR, 9.0 * DAY) as Seconds;
                self.interactions
                    .row()
                    .int(self.ids.interaction)
                    .int(customer.id)
                    .maybe(None::<i64>, |row, id| row.int(id))
                    .text("ticket")
                    .text("inbound")
                    .time(asked.min(self.plan.now() - 1))
                    .maybe(
                        (asked + answered < self.plan.now()).then_some(answered),
                        |row, seconds| row.int(seconds),
                    );
            }
        }
    }

    fn add_lead(
        &mut self,
        customer: &Customer,
        id: i64,
        lead: &Lead,
        funnel: &Funnel,
        dice: &mut Dice,
    ) {
        let source = if lead.from.is_some() {
            "campaign"
        } else {
            dice.pick(&[
                "website", "website", "referral", "event", "partner", "import",
            ])
        };
        let from = lead.from.as_ref();
        self.leads
            .row()
            .int(id)
            .int(customer.id)
            .text(source)
            .maybe(from, |row, (_, channel)| row.text(channel.code))
            .maybe(from, |row, (campaign, _)| row.text(&campaign.code()))
            .text(customer.market.code)
            .int(funnel.score)
            .text(funnel.status)
            .time(lead.created)
            .maybe(funnel.qualified, |row, at| row.time(at))
            .maybe(funnel.converted, |row, at| row.time(at));
    }

    /// What is said before the sale.
    fn add_talk(
        &mut self,
        customer: &Customer,
        id: i64,
        lead: &Lead,
        funnel: &Funnel,
        dice: &mut Dice,
    ) {
        let Some(contacted) = funnel.contacted else {
            return;
        };
        let end = funnel
            .converted
            .or(funnel.lost)
            .unwrap_or(self.plan.now() - 1);
        let times = dice.between(1, if customer.b2b { 4 } else { 2 });
        for time in 0..times {
            let at = if time == 0 {
                contacted
            } else {
                contacted + dice.uniform(0.0, (end - contacted).max(1) as f64) as Seconds
            };
            let outbound = dice.chance(0.6);
            let kinds: &[&str] = if customer.b2b {
                &["call", "email", "meeting"]
            } else {
                &["email", "chat"]
            };
            let kind = *dice.pick(kinds);
            // The first answer is ours, and its time is counted from the lead.
            let answered = if time == 0 {
                (at - lead.created).max(1)
            } else {
                dice.log_normal(3.0 * HOUR, 1.1) as i64
            };
            let heard =
                (time == 0 || at + answered < self.plan.now()) && !(outbound && dice.chance(0.2));
            self.ids.interaction += 1;
            self.interactions
                .row()
                .int(self.ids.interaction)
                .int(customer.id)
                .int(id)
                .text(kind)
                .text(if outbound { "outbound" } else { "inbound" })
                .time(at)
                .maybe(heard.then_some(answered), |row, seconds| row.int(seconds));
        }
    }

    fn add_opportunity(
        &mut self,
        customer: &Customer,
        id: i64,
        lead: i64,
        funnel: &Funnel,
        agreed: Option<i64>,
        dice: &mut Dice,
    ) {
        let Some(created) = funnel.qualified else {
            return;
        };
        let hoped = dice.log_normal(900.0, 0.8) * customer.scale.sqrt() * 100.0;
        let hoped = (hoped * customer.market.price_level / customer.market.fx) as i64;
        let closed = funnel.converted.or(funnel.lost);
        let stage = match (funnel.converted, funnel.lost) {
            (Some(_), _) => "won",
            (None, Some(_)) => "lost",
            _ => *dice.pick(&["prospecting", "prospecting", "proposal", "negotiation"]),
        };
        let expected = created + dice.uniform(10.0 * DAY, 70.0 * DAY) as Seconds;
        self.opportunities
            .row()
            .int(id)
            .int(customer.id)
            .int(lead)
            .text(stage)
            .money(agreed.unwrap_or(hoped))
            .text(customer.market.currency)
            .time(created)
            .date(date(expected))
            .maybe(closed, |row, at| row.time(at))
            .maybe(closed.map(|_| funnel.converted.is_some()), |row, won| {
                row.bool(won)
            });
    }
}

impl Funnel {
    fn of(customer: &Customer, lead: &Lead, now: Seconds, dice: &mut Dice) -> Self {
        let (qualifies, buys) = match &lead.from {
            Some((_, channel)) => (channel.qualifies, channel.buys),
            None => (0.6, 0.6),
        };
        let will_qualify = dice.chance(qualifies);
        let will_buy = dice.chance((buys * customer.market.appetite).min(0.95));
        let after = |from: Seconds, days: f64, dice: &mut Dice| {
            from + 60 + dice.exponential(days * DAY) as Seconds
        };
        let contacted = after(lead.created, 0.8, dice);
        let qualified = after(contacted, 3.0, dice);
        let deciding = if customer.b2b { 18.0 } else { 4.0 };
        let converted = after(qualified, deciding, dice);
        let given_up = after(if will_qualify { qualified } else { contacted }, 20.0, dice);
        let noise = dice.between(-14, 14);
        let until = |at: Seconds, does: bool| (does && at < now).then_some(at);
        let contacted = until(contacted, true);
        let qualified = until(qualified, will_qualify);
        let converted = until(converted, will_qualify && will_buy);
        let lost = until(given_up, !(will_qualify && will_buy));
        let hot = 22 + 30 * i64::from(will_qualify) + 26 * i64::from(will_qualify && will_buy);
        Self {
            score: (hot + noise).clamp(0, 100),
            status: match (contacted, qualified, converted, lost) {
                (_, _, Some(_), _) => "converted",
                (.., Some(_)) => "lost",
                (_, Some(_), ..) => "qualified",
                (Some(_), ..) => "contacted",
                _ => "new",
            },
            contacted,
            qualified,
            converted,
            lost,
        }
    }
}
