//! Names of people, companies and streets that nobody has, by language.

/// What names are made of in one language.
pub(super) struct Names {
    pub first: &'static [&'static str],
    pub last: &'static [&'static str],
    /// Before or after which `{}` stands for a family name.
    pub companies: &'static [&'static str],
    pub streets: &'static [&'static str],
}

#[rustfmt::skip]
static SPANISH: Names = Names {
    first: &["Ana", "Lucía", "María", "Sofía", "Valentina", "Camila", "Elena", "Carmen", "Ximena", "Julia", "Irene", "Paula", "Mateo", "Santiago", "Diego", "Hugo", "Javier", "Andrés", "Álvaro", "José", "Luis", "Martín", "Nicolás", "Íñigo"],
    last: &["García", "Martínez", "López", "Hernández", "González", "Rodríguez", "Pérez", "Sánchez", "Ramírez", "Torres", "Flores", "Rivera", "Gómez", "Díaz", "Vargas", "Castro", "Ortiz", "Núñez", "Peña", "Ibáñez", "Quesada", "Araya", "Muñoz", "Aguirre"],
    companies: &["{} e Hijos", "Grupo {}", "Comercial {}", "Talleres {}", "{} Consultores", "Panadería {}"],
    streets: &["Calle Mayor", "Avenida de la Paz", "Calle del Sol", "Paseo del Río", "Calle Libertad", "Avenida Central"],
};

#[rustfmt::skip]
static ENGLISH: Names = Names {
    first: &["Olivia", "Emma", "Amelia", "Grace", "Chloe", "Hannah", "Zoë", "Ruby", "Sarah", "Maeve", "Alice", "Lily", "Noah", "Liam", "Oliver", "Jack", "Ethan", "Harry", "George", "Finn", "Daniel", "Samuel", "Owen", "Theo"],
    last: &["Smith", "Jones", "Taylor", "Brown", "Wilson", "Johnson", "Walker", "Wright", "Robinson", "Thompson", "O'Brien", "Murphy", "Kelly", "Davies", "Evans", "Hughes", "Miller", "Anderson", "Clark", "Baker", "Campbell", "Stewart", "Byrne", "Young"],
    companies: &["{} & Sons", "{} Group", "{} Partners", "{} Bakery", "{} Logistics", "The {} Company"],
    streets: &["High Street", "Station Road", "Main Street", "Park Avenue", "Mill Lane", "Church Road"],
};

pub(super) fn names(language: &str) -> &'static Names {
    if language == "es" { &SPANISH } else { &ENGLISH }
}

pub(super) static INDUSTRIES: [&str; 8] = [
    "retail",
    "hospitality",
    "manufacturing",
    "technology",
    "education",
    "health",
    "construction",
    "finance",
];

/// Band, weight, segment, how many units they buy against the smallest.
pub(super) static COMPANY_SIZES: [(&str, f64, &str, f64); 5] = [
    ("1-9", 46.0, "small-business", 1.0),
    ("10-49", 30.0, "small-business", 2.0),
    ("50-249", 15.0, "mid-market", 5.0),
    ("250-999", 6.0, "enterprise", 12.0),
    ("1000+", 3.0, "enterprise", 25.0),
];

pub(super) static AGE_BANDS: [(&str, f64); 6] = [
    ("18-24", 15.0),
    ("25-34", 26.0),
    ("35-44", 23.0),
    ("45-54", 17.0),
    ("55-64", 12.0),
    ("65+", 7.0),
];
