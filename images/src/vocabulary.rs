//! The closed lists from which an entry's labels are taken, each sorted.
//!
//! They are filters of search too: a label outside these lists would never be found.

/// Subjects of a picture.
pub const THEMES: &[&str] = &[
    "beauty",
    "drink",
    "education",
    "events",
    "family",
    "fashion",
    "finance",
    "food",
    "health",
    "holidays",
    "home",
    "mobility",
    "nature",
    "pets",
    "product",
    "sport",
    "sustainability",
    "technology",
    "travel",
    "work",
];

/// Kinds of campaign that a picture fits.
pub const CAMPAIGN_THEMES: &[&str] = &[
    "app-download",
    "back-to-school",
    "black-friday",
    "brand-awareness",
    "event-invitation",
    "financial-wellbeing",
    "healthy-living",
    "lead-generation",
    "local-community",
    "loyalty",
    "mothers-day",
    "new-collection",
    "product-launch",
    "recruitment",
    "seasonal-greetings",
    "summer-sale",
    "sustainability-pledge",
    "travel-season",
    "valentines",
    "winter-sale",
];

/// Channels that a picture fits.
pub const CHANNELS: &[&str] = &[
    "email",
    "influencers",
    "linkedin",
    "search",
    "sms",
    "social",
];

/// Whom a picture speaks to.
pub const AUDIENCES: &[&str] = &[
    "athletes",
    "commuters",
    "entrepreneurs",
    "families",
    "foodies",
    "homeowners",
    "parents",
    "pet-owners",
    "professionals",
    "seniors",
    "shoppers",
    "students",
    "travellers",
    "young-adults",
];
