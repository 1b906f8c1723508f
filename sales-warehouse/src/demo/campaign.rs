//! A campaign, worked out from its number alone.

use time::{Date, Duration};

use super::{
    copy::Cents,
    moments::{Seconds, midnight},
    plan::LoadPlan,
    random::{Dice, Topic},
    reference::{CHANNELS, CONTENT, Channel, Content, MARKETS, Market, THEMES, season},
};

/// Ads of one campaign have ids of this many times its id and up.
const AD_IDS: i64 = 16;
/// Usual budget in US dollars, before the market's price level.
const MEDIAN_BUDGET: f64 = 9_000.0;
/// Tells the dice of running campaigns from those of finished ones.
const ACTIVE: u64 = 1 << 32;

/// A campaign and everything that its ads share.
pub(super) struct Campaign {
    pub id: i64,
    /// Names its dice, and those of its ads.
    pub entity: u64,
    pub active: bool,
    pub market: &'static Market,
    pub theme: &'static str,
    pub name: String,
    pub objective: &'static str,
    pub budget: Cents,
    pub start: Date,
    pub end: Date,
    pub created: Seconds,
    pub content: Vec<&'static Content>,
    /// One for each ad.
    pub channels: Vec<&'static Channel>,
    /// How much of its budget it means to spend.
    pub spends: f64,
}

impl Campaign {
    /// Campaigns are numbered from 1, finished ones first.
    pub fn of(plan: &LoadPlan, id: u32) -> Self {
        let active = id > plan.campaigns_finished;
        let entity = if active {
            ACTIVE + u64::from(id - plan.campaigns_finished)
        } else {
            u64::from(id)
        };
        let mut dice = Dice::new(plan.seed, Topic::Campaign, entity);
        let market = dice.weighted(&MARKETS, |market| market.weight);
        let (start, end) = if active {
            let start = plan.today - Duration::days(dice.between(5, 95));
            (start, plan.today + Duration::days(dice.between(3, 80)))
        } else {
            let end = plan.today - Duration::days(dice.between(2, 730));
            (end - Duration::days(dice.between(30, 149)), end)
        };
        let middle = u8::from((start + (end - start) / 2_i32).month());
        let (theme, en, es, _) = *dice.weighted(&THEMES, |(.., peak)| popularity(*peak, middle));
        let title = if market.language == "es" { es } else { en };
        let place = if market.language == "es" {
            market.es
        } else {
            market.en
        };
        let price = market.price_level / market.fx;
        let budget = dice.log_normal(MEDIAN_BUDGET, 0.9).clamp(600.0, 400_000.0) * price;
        let objective = dice.pick(&["awareness", "traffic", "leads", "sales", "loyalty"]);
        let mix = mix(&mut dice);
        let ads = dice.between(4, 10) as usize;
        Self {
            id: i64::from(id),
            entity,
            active,
            market,
            theme,
            name: format!(
                "{title} · {place} · {:04}-{:02}",
                start.year(),
                u8::from(start.month())
            ),
            objective,
            // Nobody budgets to the cent.
            budget: (budget / (10.0 * price)).round() as i64 * (1_000.0 * price).max(1.0) as i64,
            start,
            end,
            created: midnight(start) - dice.between(2 * 86_400, 40 * 86_400),
            content: content(&mut dice, theme),
            channels: (0..ads).map(|ad| mix[ad % mix.len()]).collect(),
            spends: dice.uniform(0.82, 0.99),
        }
    }

    /// What other systems know it by.
    pub fn code(&self) -> String {
        format!("CMP-{:06}", self.id)
    }

    pub fn ad_id(&self, ad: usize) -> i64 {
        self.id * AD_IDS + ad as i64
    }

    /// Whose dice an ad throws: the same, however many campaigns come before.
    pub fn ad_entity(&self, ad: usize) -> u64 {
        self.entity * AD_IDS as u64 + ad as u64
    }

    /// The last day on which it has run so far.
    pub fn last_day(&self, plan: &LoadPlan) -> Date {
        self.end.min(plan.today - Duration::DAY)
    }
}

/// How much runs on a day: the week by the channel, the year by the market; 0 where nothing does.
pub(super) fn activity(channel: &Channel, market: &Market, ad_id: i64, day: Date) -> f64 {
    let weekday = day.weekday().number_days_from_monday();
    // Ads that are sent and not shown have their days.
    if (i64::from(weekday) * 3 + ad_id) % 7 >= i64::from(channel.days_a_week) {
        return 0.0;
    }
    let week = if weekday >= 5 { channel.weekend } else { 1.0 };
    week * season(market, day)
}

fn popularity(peak: u8, month: u8) -> f64 {
    if peak == 0 {
        return 1.0;
    }
    let apart = (peak + 12 - month) % 12;
    if apart <= 1 || apart >= 11 { 3.0 } else { 0.05 }
}

/// Two to four different channels.
fn mix(dice: &mut Dice) -> Vec<&'static Channel> {
    let wanted = dice.between(2, 4) as usize;
    let mut mix: Vec<&Channel> = Vec::with_capacity(wanted);
    while mix.len() < wanted {
        let channel = dice.weighted(&CHANNELS, |channel| channel.weight);
        if mix.iter().all(|other| other.code != channel.code) {
            mix.push(channel);
        }
    }
    mix
}

/// One to four images that fit the theme; any, where none does.
fn content(dice: &mut Dice, theme: &str) -> Vec<&'static Content> {
    let fitting: Vec<&Content> = CONTENT
        .iter()
        .filter(|content| content.fits(theme))
        .collect();
    let wanted = dice.between(1, 4);
    let mut chosen: Vec<&'static Content> = Vec::new();
    for _ in 0..wanted {
        let content = if fitting.is_empty() {
            dice.pick(&CONTENT)
        } else {
            *dice.pick(&fitting)
        };
        if chosen.iter().all(|other| other.id != content.id) {
            chosen.push(content);
        }
    }
    chosen
}
