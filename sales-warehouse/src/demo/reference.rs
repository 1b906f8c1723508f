//! What there is only a little of: channels, markets, audiences, themes, products.

use std::sync::LazyLock;

/// A channel with its usual rates. Costs are US dollars for 1,000 impressions.
pub(super) struct Channel {
    pub code: &'static str,
    pub en: &'static str,
    pub es: &'static str,
    /// How many of all ads use it.
    pub weight: f64,
    pub cpm: f64,
    /// Clicks for one impression.
    pub click_rate: f64,
    /// Conversions for one click.
    pub conversion_rate: f64,
    /// Days of a week on which it runs.
    pub days_a_week: u8,
    /// How many leads from it qualify, and how many of these buy.
    pub qualifies: f64,
    pub buys: f64,
    /// What a weekend does to it.
    pub weekend: f64,
}

#[rustfmt::skip]
pub(super) static CHANNELS: [Channel; 6] = [
    Channel { code: "social", en: "Social media", es: "Redes sociales", weight: 0.32, cpm: 6.0, click_rate: 0.011, conversion_rate: 0.030, days_a_week: 7, qualifies: 0.55, buys: 0.52, weekend: 1.20 },
    Channel { code: "email", en: "Email", es: "Correo electrónico", weight: 0.16, cpm: 1.5, click_rate: 0.028, conversion_rate: 0.060, days_a_week: 3, qualifies: 0.68, buys: 0.64, weekend: 0.70 },
    Channel { code: "sms", en: "SMS", es: "SMS", weight: 0.08, cpm: 35.0, click_rate: 0.045, conversion_rate: 0.050, days_a_week: 2, qualifies: 0.60, buys: 0.58, weekend: 0.80 },
    Channel { code: "linkedin", en: "LinkedIn", es: "LinkedIn", weight: 0.12, cpm: 28.0, click_rate: 0.006, conversion_rate: 0.070, days_a_week: 7, qualifies: 0.72, buys: 0.50, weekend: 0.35 },
    Channel { code: "influencers", en: "Influencers", es: "Influencers", weight: 0.10, cpm: 12.0, click_rate: 0.018, conversion_rate: 0.025, days_a_week: 7, qualifies: 0.48, buys: 0.55, weekend: 1.35 },
    Channel { code: "search", en: "Search", es: "Buscadores", weight: 0.22, cpm: 22.0, click_rate: 0.042, conversion_rate: 0.080, days_a_week: 7, qualifies: 0.70, buys: 0.66, weekend: 0.90 },
];

/// A country. `fx` is US dollars for a unit of its currency today; `drift` how that grows in a year.
pub(super) struct Market {
    pub code: &'static str,
    pub en: &'static str,
    pub es: &'static str,
    pub region: &'static str,
    pub currency: &'static str,
    pub language: &'static str,
    pub weight: f64,
    /// Prices and costs against the United States'.
    pub price_level: f64,
    /// How willingly leads buy, against the others.
    pub appetite: f64,
    pub fx: f64,
    pub drift: f64,
    pub phone: &'static str,
    pub cities: &'static [&'static str],
}

#[rustfmt::skip]
pub(super) static MARKETS: [Market; 12] = [
    Market { code: "ES", en: "Spain", es: "España", region: "europe", currency: "EUR", language: "es", weight: 20.0, price_level: 0.85, appetite: 1.00, fx: 1.09, drift: 0.01, phone: "+34", cities: &["Madrid", "Sevilla", "Bilbao", "València", "A Coruña"] },
    Market { code: "MX", en: "Mexico", es: "México", region: "latin-america", currency: "MXN", language: "es", weight: 18.0, price_level: 0.60, appetite: 1.08, fx: 0.055, drift: -0.03, phone: "+52", cities: &["Ciudad de México", "Guadalajara", "Monterrey", "Mérida"] },
    Market { code: "US", en: "United States", es: "Estados Unidos", region: "north-america", currency: "USD", language: "en", weight: 17.0, price_level: 1.00, appetite: 1.05, fx: 1.0, drift: 0.0, phone: "+1", cities: &["Austin", "Chicago", "Portland", "Miami", "Denver"] },
    Market { code: "GB", en: "United Kingdom", es: "Reino Unido", region: "europe", currency: "GBP", language: "en", weight: 9.0, price_level: 0.95, appetite: 0.97, fx: 1.27, drift: 0.01, phone: "+44", cities: &["London", "Leeds", "Bristol", "Glasgow"] },
    Market { code: "CO", en: "Colombia", es: "Colombia", region: "latin-america", currency: "COP", language: "es", weight: 8.0, price_level: 0.52, appetite: 1.02, fx: 0.000_24, drift: -0.04, phone: "+57", cities: &["Bogotá", "Medellín", "Cali", "Barranquilla"] },
    Market { code: "AR", en: "Argentina", es: "Argentina", region: "latin-america", currency: "ARS", language: "es", weight: 6.0, price_level: 0.48, appetite: 0.86, fx: 0.000_9, drift: -0.35, phone: "+54", cities: &["Buenos Aires", "Córdoba", "Rosario", "Mendoza"] },
    Market { code: "CL", en: "Chile", es: "Chile", region: "latin-america", currency: "CLP", language: "es", weight: 5.0, price_level: 0.62, appetite: 0.98, fx: 0.001_05, drift: -0.03, phone: "+56", cities: &["Santiago", "Valparaíso", "Concepción"] },
    Market { code: "PE", en: "Peru", es: "Perú", region: "latin-america", currency: "PEN", language: "es", weight: 4.0, price_level: 0.50, appetite: 0.95, fx: 0.27, drift: -0.01, phone: "+51", cities: &["Lima", "Arequipa", "Cusco"] },
    Market { code: "CR", en: "Costa Rica", es: "Costa Rica", region: "latin-america", currency: "CRC", language: "es", weight: 3.0, price_level: 0.66, appetite: 1.10, fx: 0.001_95, drift: 0.02, phone: "+506", cities: &["San José", "Heredia", "Cartago"] },
    Market { code: "EC", en: "Ecuador", es: "Ecuador", region: "latin-america", currency: "USD", language: "es", weight: 2.0, price_level: 0.55, appetite: 0.90, fx: 1.0, drift: 0.0, phone: "+593", cities: &["Quito", "Guayaquil", "Cuenca"] },
    Market { code: "CA", en: "Canada", es: "Canadá", region: "north-america", currency: "CAD", language: "en", weight: 5.0, price_level: 0.92, appetite: 1.00, fx: 0.74, drift: -0.01, phone: "+1", cities: &["Toronto", "Vancouver", "Calgary", "Halifax"] },
    Market { code: "IE", en: "Ireland", es: "Irlanda", region: "europe", currency: "EUR", language: "en", weight: 3.0, price_level: 0.98, appetite: 1.03, fx: 1.09, drift: 0.01, phone: "+353", cities: &["Dublin", "Cork", "Galway"] },
];

/// Code, names, age band, kind.
#[rustfmt::skip]
pub(super) static AUDIENCES: [(&str, &str, &str, Option<&str>, &str); 12] = [
    ("young-adults", "Young adults", "Jóvenes adultos", Some("18-24"), "b2c"),
    ("students", "Students", "Estudiantes", Some("18-24"), "b2c"),
    ("parents", "Parents", "Madres y padres", Some("35-44"), "b2c"),
    ("families", "Families", "Familias", None, "b2c"),
    ("travellers", "Travellers", "Viajeros", None, "b2c"),
    ("foodies", "Food lovers", "Amantes de la comida", Some("25-34"), "b2c"),
    ("homeowners", "Homeowners", "Propietarios", Some("45-54"), "b2c"),
    ("seniors", "Seniors", "Personas mayores", Some("65+"), "b2c"),
    ("professionals", "Professionals", "Profesionales", None, "b2b"),
    ("entrepreneurs", "Entrepreneurs", "Emprendedores", None, "b2b"),
    ("marketing-leads", "Marketing leads", "Responsables de marketing", None, "b2b"),
    ("it-managers", "IT managers", "Responsables de TI", None, "b2b"),
];

/// A campaign theme of the image catalogue, with its names and the month where it peaks (0: none).
#[rustfmt::skip]
pub(super) static THEMES: [(&str, &str, &str, u8); 16] = [
    ("brand-awareness", "Here we are", "Aquí estamos", 0),
    ("local-community", "Close to you", "Cerca de ti", 0),
    ("product-launch", "New arrival", "Lanzamiento", 0),
    ("loyalty", "Thank you for staying", "Gracias por seguir", 0),
    ("event-invitation", "You are invited", "Te invitamos", 0),
    ("seasonal-greetings", "Season's greetings", "Felices fiestas", 12),
    ("new-collection", "New collection", "Nueva colección", 9),
    ("lead-generation", "Ask us", "Pregúntanos", 0),
    ("travel-season", "Time to travel", "Temporada de viajes", 6),
    ("sustainability-pledge", "Our green pledge", "Compromiso verde", 4),
    ("summer-sale", "Summer sale", "Rebajas de verano", 7),
    ("app-download", "Get the app", "Descarga la app", 0),
    ("black-friday", "Black Friday", "Viernes negro", 11),
    ("back-to-school", "Back to school", "Vuelta al cole", 8),
    ("winter-sale", "Winter sale", "Rebajas de invierno", 1),
    ("financial-wellbeing", "Money matters", "Tus finanzas al día", 1),
];

/// What is sold. Prices are US dollars.
pub(super) struct Product {
    pub sku: &'static str,
    pub en: &'static str,
    pub es: &'static str,
    pub category: &'static str,
    pub price: f64,
    pub cost: f64,
    pub recurring: bool,
    pub b2b: bool,
    pub weight: f64,
}

#[rustfmt::skip]
pub(super) static PRODUCTS: [Product; 20] = [
    Product { sku: "PLAN-START", en: "Start plan", es: "Plan Inicio", category: "plans", price: 29.0, cost: 6.0, recurring: true, b2b: true, weight: 9.0 },
    Product { sku: "PLAN-TEAM", en: "Team plan", es: "Plan Equipo", category: "plans", price: 99.0, cost: 21.0, recurring: true, b2b: true, weight: 7.0 },
    Product { sku: "PLAN-BUSINESS", en: "Business plan", es: "Plan Empresa", category: "plans", price: 349.0, cost: 80.0, recurring: true, b2b: true, weight: 3.0 },
    Product { sku: "SRV-SETUP", en: "Campaign set-up", es: "Puesta en marcha de campaña", category: "services", price: 480.0, cost: 260.0, recurring: false, b2b: true, weight: 5.0 },
    Product { sku: "SRV-WORKSHOP", en: "Marketing workshop", es: "Taller de marketing", category: "services", price: 750.0, cost: 390.0, recurring: false, b2b: true, weight: 2.0 },
    Product { sku: "SRV-AUDIT", en: "Brand audit", es: "Auditoría de marca", category: "services", price: 1_900.0, cost: 1_050.0, recurring: false, b2b: true, weight: 1.0 },
    Product { sku: "PACK-IMAGES", en: "Image pack", es: "Paquete de imágenes", category: "content", price: 120.0, cost: 34.0, recurring: false, b2b: true, weight: 6.0 },
    Product { sku: "PACK-VIDEO", en: "Video pack", es: "Paquete de vídeo", category: "content", price: 390.0, cost: 170.0, recurring: false, b2b: true, weight: 2.0 },
    Product { sku: "CLUB-PLUS", en: "Plus club", es: "Club Plus", category: "plans", price: 7.9, cost: 2.1, recurring: true, b2b: false, weight: 6.0 },
    Product { sku: "HOME-LAMP", en: "Night lamp", es: "Lámpara de noche", category: "home", price: 39.0, cost: 17.0, recurring: false, b2b: false, weight: 7.0 },
    Product { sku: "HOME-SPEAKER", en: "Smart speaker", es: "Altavoz inteligente", category: "home", price: 89.0, cost: 51.0, recurring: false, b2b: false, weight: 4.0 },
    Product { sku: "SPORT-SHOES", en: "Running shoes", es: "Zapatillas de correr", category: "sport", price: 110.0, cost: 46.0, recurring: false, b2b: false, weight: 8.0 },
    Product { sku: "SPORT-MAT", en: "Yoga mat", es: "Esterilla de yoga", category: "sport", price: 32.0, cost: 11.0, recurring: false, b2b: false, weight: 7.0 },
    Product { sku: "TRAVEL-BACKPACK", en: "Hiking backpack", es: "Mochila de montaña", category: "travel", price: 95.0, cost: 41.0, recurring: false, b2b: false, weight: 5.0 },
    Product { sku: "TRAVEL-TENT", en: "Two-person tent", es: "Tienda para dos", category: "travel", price: 210.0, cost: 118.0, recurring: false, b2b: false, weight: 2.0 },
    Product { sku: "FOOD-COFFEE", en: "Coffee, 1 kg", es: "Café, 1 kg", category: "food", price: 24.0, cost: 12.5, recurring: false, b2b: false, weight: 12.0 },
    Product { sku: "FOOD-CHOCOLATE", en: "Chocolate box", es: "Caja de bombones", category: "food", price: 18.5, cost: 7.4, recurring: false, b2b: false, weight: 9.0 },
    Product { sku: "BEAUTY-SERUM", en: "Skin serum", es: "Sérum facial", category: "beauty", price: 44.0, cost: 13.0, recurring: false, b2b: false, weight: 6.0 },
    Product { sku: "FASHION-DENIM", en: "Denim jacket", es: "Chaqueta vaquera", category: "fashion", price: 79.0, cost: 31.0, recurring: false, b2b: false, weight: 6.0 },
    Product { sku: "FASHION-WATCH", en: "Wristwatch", es: "Reloj de pulsera", category: "fashion", price: 260.0, cost: 120.0, recurring: false, b2b: false, weight: 1.5 },
];

/// An approved image of the catalogue, and the campaign themes that it fits.
pub(super) struct Content {
    pub id: &'static str,
    /// Title and hashtags, in English and in Spanish.
    pub texts: [(&'static str, Vec<&'static str>); 2],
    themes: Vec<&'static str>,
}

impl Content {
    pub fn fits(&self, theme: &str) -> bool {
        self.themes.contains(&theme)
    }
}

/// A copy of what the catalogue says, since services know each other by HTTP only; a test compares.
pub(super) static CONTENT: LazyLock<Vec<Content>> = LazyLock::new(|| {
    include_str!("content.txt")
        .lines()
        .filter_map(|line| {
            let mut parts = line.split('\t');
            let (id, themes) = parts.next()?.split_once(' ')?;
            let [en, es, en_tags, es_tags] = [(); 4].map(|()| parts.next().unwrap_or_default());
            let tags = |text: &'static str| text.split(' ').collect();
            Some(Content {
                id,
                texts: [(en, tags(en_tags)), (es, tags(es_tags))],
                themes: themes.split(',').collect(),
            })
        })
        .collect()
});

/// How much a month is worth against an average one, January first: north of the equator, and south.
const NORTH: [f64; 12] = [
    0.88, 0.84, 0.92, 0.96, 1.0, 1.0, 0.92, 0.86, 1.0, 1.06, 1.32, 1.24,
];
const SOUTH: [f64; 12] = [
    0.86, 0.84, 0.98, 0.96, 1.06, 1.02, 0.96, 0.96, 0.98, 1.08, 1.1, 1.2,
];

/// How much is shown and sold on a day, against an average one of the year.
pub(super) fn season(market: &Market, day: time::Date) -> f64 {
    let months = match market.code {
        "AR" | "CL" | "PE" => SOUTH,
        _ => NORTH,
    };
    months[usize::from(u8::from(day.month())) - 1]
}
