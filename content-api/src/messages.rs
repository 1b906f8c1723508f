//! The sentence that comes with an answer.

use contracts::Language;

/// Says how many images fit, and what to do when none does.
pub fn found(count: usize, language: Language) -> String {
    match (count, language) {
        (0, Language::Es) => "Ninguna imagen encaja con esa descripción. Pruebe con otras \
                              palabras, quite algún filtro o baje min_score."
            .to_owned(),
        (0, Language::En) => "No image fits that description. Try other words, drop a filter or \
                              lower min_score."
            .to_owned(),
        (1, Language::Es) => "Una imagen encaja con la descripción.".to_owned(),
        (1, Language::En) => "One image fits the description.".to_owned(),
        (count, Language::Es) => {
            format!("{count} imágenes encajan con la descripción; la mejor va primero.")
        }
        (count, Language::En) => format!("{count} images fit the description, best first."),
    }
}
