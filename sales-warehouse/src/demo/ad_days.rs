//! Campaigns with their ads, daily metrics and reactions, a few campaigns at a time.

use time::{Date, Duration};

use super::{
    campaign::{Campaign, activity},
    copy::{Cents, Rows},
    moments::{Seconds, midnight},
    plan::LoadPlan,
    random::{Dice, Topic},
    reference::{AUDIENCES, Channel},
    tables,
};

/// How far above its budget a campaign may spend.
const TOLERANCE: f64 = 1.05;
/// One ad in so many has its reactions collected.
const REACTIONS_EVERY: f64 = 3.0;
const DAY: Seconds = 86_400;

/// Rows of PromptAds, parents before children.
pub(super) struct AdsChunk {
    campaigns: Rows,
    content: Rows,
    ads: Rows,
    days: Rows,
    reactions: Rows,
}

impl AdsChunk {
    /// The campaigns of these numbers.
    pub fn of(plan: &LoadPlan, ids: std::ops::RangeInclusive<u32>) -> Vec<Rows> {
        let mut chunk = Self {
            campaigns: Rows::of(&tables::CAMPAIGNS),
            content: Rows::of(&tables::CAMPAIGN_CONTENT),
            ads: Rows::of(&tables::ADS),
            days: Rows::of(&tables::AD_DAILY),
            reactions: Rows::of(&tables::REACTIONS),
        };
        for id in ids {
            let campaign = Campaign::of(plan, id);
            chunk.add_campaign(&campaign);
            chunk.add_ads(plan, &campaign);
        }
        let Self {
            campaigns,
            content,
            ads,
            days,
            reactions,
        } = chunk;
        vec![campaigns, content, ads, days, reactions]
    }

    fn add_campaign(&mut self, campaign: &Campaign) {
        self.campaigns
            .row()
            .int(campaign.id)
            .text(&campaign.code())
            .text(&campaign.name)
            .text(campaign.objective)
            .text(campaign.theme)
            .text(if campaign.active {
                "active"
            } else {
                "finished"
            })
            .text(campaign.market.code)
            .money(campaign.budget)
            .text(campaign.market.currency)
            .date(campaign.start)
            .date(campaign.end)
            .time(campaign.created);
        for (place, content) in campaign.content.iter().enumerate() {
            self.content
                .row()
                .int(campaign.id)
                .text(content.id)
                .text(if place == 0 { "hero" } else { "support" })
                .date(campaign.start)
                .maybe((!campaign.active).then_some(campaign.end), |row, end| {
                    row.date(end)
                });
        }
    }

    fn add_ads(&mut self, plan: &LoadPlan, campaign: &Campaign) {
        let mut dice: Vec<Dice> = (0..campaign.channels.len())
            .map(|ad| Dice::new(plan.seed, Topic::Ad, campaign.ad_entity(ad)))
            .collect();
        let shares: Vec<f64> = dice.iter_mut().map(|dice| dice.uniform(0.5, 1.5)).collect();
        let all: f64 = shares.iter().sum();
        let mut left = (campaign.budget as f64 * TOLERANCE) as Cents;
        for (ad, (channel, mut dice)) in campaign.channels.iter().zip(dice).enumerate() {
            let content = dice.pick(&campaign.content).id;
            let audience = dice.between(1, AUDIENCES.len() as i64);
            self.ads
                .row()
                .int(campaign.ad_id(ad))
                .int(campaign.id)
                .text(channel.code)
                .int(audience)
                .maybe((channel.code != "sms").then_some(content), |row, id| {
                    row.text(id)
                })
                .text(&format!("{} {} {}", campaign.code(), channel.code, ad + 1))
                .text(campaign.market.language)
                .text(if campaign.active { "active" } else { "ended" })
                .time(campaign.created + DAY);
            let budget = campaign.budget as f64 * campaign.spends * shares[ad] / all;
            self.add_days(plan, campaign, ad, channel, budget, &mut dice, &mut left);
        }
    }

    #[allow(clippy::too_many_arguments)] // They are what one ad's days depend on.
    fn add_days(
        &mut self,
        plan: &LoadPlan,
        campaign: &Campaign,
        ad: usize,
        channel: &Channel,
        budget: f64,
        dice: &mut Dice,
        left: &mut Cents,
    ) {
        let ad_id = campaign.ad_id(ad);
        let market = campaign.market;
        let weight = |day| activity(channel, market, ad_id, day);
        let whole: f64 = days(campaign.start, campaign.end).map(weight).sum();
        let rates = Rates::of(campaign, channel, dice);
        let reacts = matches!(channel.code, "social" | "linkedin" | "influencers")
            && dice.chance(1.0 / REACTIONS_EVERY);
        for day in days(campaign.start, campaign.last_day(plan)) {
            let weight = weight(day);
            if weight == 0.0 {
                continue;
            }
            let cost = dice.around(budget * weight / whole, 0.3).min(*left);
            *left -= cost;
            let metrics = rates.metrics(cost, dice);
            let reported = midnight(day) + DAY - dice.between(1, 3_600);
            let late = dice.chance(0.03).then(|| dice.between(2, 9) * DAY);
            let corrected = dice.chance(0.02).then(|| dice.between(1, 20) * DAY);
            let reported = reported + late.unwrap_or_default();
            if reported >= plan.now() {
                continue;
            }
            self.days
                .row()
                .int(ad_id)
                .date(day)
                .int(metrics.impressions)
                .int(metrics.clicks)
                .int(metrics.conversions)
                .money(cost)
                .text(market.currency)
                .time(reported)
                .maybe(
                    corrected
                        .map(|after| reported + after)
                        .filter(|at| *at < plan.now()),
                    |row, at| row.time(at),
                );
            if reacts {
                self.add_reactions(ad_id, day, metrics, dice);
            }
        }
    }

    fn add_reactions(&mut self, ad_id: i64, day: Date, metrics: Metrics, dice: &mut Dice) {
        let clicks = metrics.clicks as f64;
        let kinds = [
            ("like", 0.8),
            ("comment", 0.09),
            ("share", 0.06),
            ("hide", 0.03),
        ];
        for (kind, rate) in kinds {
            let count = dice.around(clicks * rate, 0.5);
            if count > 0 {
                self.reactions
                    .row()
                    .int(ad_id)
                    .date(day)
                    .text(kind)
                    .int(count);
            }
        }
    }
}

fn days(first: Date, last: Date) -> impl Iterator<Item = Date> {
    (0..=(last - first).whole_days()).map(move |after| first + Duration::days(after))
}

#[derive(Clone, Copy)]
struct Metrics {
    impressions: i64,
    clicks: i64,
    conversions: i64,
}

/// How well one ad does.
struct Rates {
    /// Hundredths of the market's currency for one impression.
    impression: f64,
    click: f64,
    conversion: f64,
}

impl Rates {
    fn of(campaign: &Campaign, channel: &Channel, dice: &mut Dice) -> Self {
        let market = campaign.market;
        let focus = match campaign.objective {
            "sales" | "leads" => 1.25,
            "awareness" => 0.7,
            _ => 1.0,
        };
        Self {
            impression: dice.log_normal(channel.cpm, 0.2) * market.price_level / market.fx / 10.0,
            click: dice.log_normal(channel.click_rate, 0.3).min(0.5),
            conversion: (dice.log_normal(channel.conversion_rate, 0.3) * focus * market.appetite)
                .min(0.6),
        }
    }

    fn metrics(&self, cost: Cents, dice: &mut Dice) -> Metrics {
        let impressions = dice.around(cost as f64 / self.impression, 0.15);
        let clicks = dice
            .around(impressions as f64 * self.click, 0.4)
            .min(impressions);
        let conversions = dice
            .around(clicks as f64 * self.conversion, 0.6)
            .min(clicks);
        Metrics {
            impressions,
            clicks,
            conversions,
        }
    }
}
