//! Names as a warehouse has them: industries, images and their hashtags, and campaigns of sixteen themes in twelve countries.

use sales_questions::{Members, Model};

const TITLES: [(&str, &str); 16] = [
    ("Here we are", "Aquí estamos"),
    ("Close to you", "Cerca de ti"),
    ("New arrival", "Lanzamiento"),
    ("Thank you for staying", "Gracias por seguir"),
    ("You are invited", "Te invitamos"),
    ("Season's greetings", "Felices fiestas"),
    ("New collection", "Nueva colección"),
    ("Ask us", "Pregúntanos"),
    ("Time to travel", "Temporada de viajes"),
    ("Our green pledge", "Compromiso verde"),
    ("Summer sale", "Rebajas de verano"),
    ("Get the app", "Descarga la app"),
    ("Black Friday", "Viernes negro"),
    ("Back to school", "Vuelta al cole"),
    ("Winter sale", "Rebajas de invierno"),
    ("Money matters", "Tus finanzas al día"),
];

const PLACES: [(&str, bool); 12] = [
    ("España", true),
    ("México", true),
    ("United States", false),
    ("United Kingdom", false),
    ("Colombia", true),
    ("Argentina", true),
    ("Chile", true),
    ("Perú", true),
    ("Costa Rica", true),
    ("Ecuador", true),
    ("Canada", false),
    ("Ireland", false),
];

const INDUSTRIES: [&str; 8] = [
    "retail",
    "hospitality",
    "manufacturing",
    "technology",
    "education",
    "health",
    "construction",
    "finance",
];

/// The model's own words and `campaigns` campaigns.
pub fn members(campaigns: usize) -> Members {
    let mut members = Members::of(Model::builtin());
    for industry in INDUSTRIES {
        members.add("industry", industry, &[industry]);
    }
    // Slug and themes, titles, hashtags, as the demonstration has them.
    for line in include_str!("../../../../src/demo/content.txt").lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let (slug, _) = fields[0].split_once(' ').unwrap_or((fields[0], ""));
        members.add("content", slug, &[fields[1], fields[2]]);
        for tag in fields[3..].iter().flat_map(|tags| tags.split(' ')) {
            members.add("hashtag", &tag.to_lowercase(), &[]);
        }
    }
    for number in 1..=campaigns {
        let (en, es) = TITLES[number * 7 % TITLES.len()];
        let (place, spanish) = PLACES[number * 5 % PLACES.len()];
        let title = if spanish { es } else { en };
        let month = number % 30;
        let name = format!(
            "{title} · {place} · {:04}-{:02}",
            2024 + month / 12,
            month % 12 + 1
        );
        members.add("campaign", &format!("CMP-{number:06}"), &[&name]);
    }
    members
}
