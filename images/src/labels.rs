//! What the labels of the [vocabulary](crate::vocabulary) are called in Spanish and English: words
//! that people search by, though no description says them.

use contracts::Language;

/// Label, Spanish, English.
const NAMES: &[(&str, &str, &str)] = &[
    // Subjects.
    ("beauty", "belleza", "beauty"),
    ("drink", "bebida", "drink"),
    ("education", "educación", "education"),
    ("events", "eventos", "events"),
    ("family", "familia", "family"),
    ("fashion", "moda", "fashion"),
    ("finance", "finanzas", "finance"),
    ("food", "comida", "food"),
    ("health", "salud", "health"),
    ("holidays", "fiestas", "holidays"),
    ("home", "hogar", "home"),
    ("mobility", "movilidad", "mobility"),
    ("nature", "naturaleza", "nature"),
    ("pets", "mascotas", "pets"),
    ("product", "producto", "product"),
    ("sport", "deporte", "sport"),
    ("sustainability", "sostenibilidad", "sustainability"),
    ("technology", "tecnología", "technology"),
    ("travel", "viajes", "travel"),
    ("work", "trabajo", "work"),
    // Kinds of campaign.
    ("app-download", "descarga de la app", "app download"),
    ("back-to-school", "regreso a clases", "back to school"),
    ("black-friday", "Black Friday ofertas", "Black Friday"),
    ("brand-awareness", "imagen de marca", "brand awareness"),
    (
        "event-invitation",
        "invitación a un evento",
        "event invitation",
    ),
    (
        "financial-wellbeing",
        "bienestar financiero y ahorro",
        "financial wellbeing",
    ),
    ("healthy-living", "vida sana", "healthy living"),
    (
        "lead-generation",
        "captación de clientes",
        "lead generation",
    ),
    ("local-community", "comunidad local", "local community"),
    ("loyalty", "fidelización de clientes", "loyalty"),
    ("mothers-day", "Día de la Madre", "mothers day"),
    ("new-collection", "nueva colección", "new collection"),
    (
        "product-launch",
        "lanzamiento de producto",
        "product launch",
    ),
    ("recruitment", "reclutamiento de personal", "recruitment"),
    (
        "seasonal-greetings",
        "felicitaciones de temporada",
        "seasonal greetings",
    ),
    ("summer-sale", "rebajas de verano", "summer sale"),
    (
        "sustainability-pledge",
        "compromiso con la sostenibilidad",
        "sustainability pledge",
    ),
    ("travel-season", "temporada de viajes", "travel season"),
    ("valentines", "San Valentín", "valentines"),
    ("winter-sale", "rebajas de invierno", "winter sale"),
];

/// The name of a subject or a kind of campaign; `None` for a label outside the vocabulary.
pub fn name(label: &str, language: Language) -> Option<&'static str> {
    let (_, es, en) = NAMES.iter().find(|(known, ..)| *known == label)?;
    Some(match language {
        Language::Es => es,
        Language::En => en,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::{CAMPAIGN_THEMES, THEMES};

    #[test]
    fn every_label_has_a_name_in_both_languages() {
        for label in THEMES.iter().chain(CAMPAIGN_THEMES) {
            for language in Language::ALL {
                assert!(name(label, language).is_some(), "{label} in {language}");
            }
        }
        assert_eq!(name("unknown", Language::Es), None);
    }
}
