//! What the gateway itself says, in both languages.

use contracts::Language;

/// One of two texts.
fn either(language: Language, es: &'static str, en: &'static str) -> &'static str {
    match language {
        Language::Es => es,
        Language::En => en,
    }
}

pub(crate) fn warehouse_says(language: Language) -> &'static str {
    either(
        language,
        "El almacén de ventas dice:",
        "The sales warehouse says:",
    )
}

pub(crate) fn neither(language: Language) -> &'static str {
    either(
        language,
        "Eso no es algo que PromptSales sepa o pueda hacer. Puede encontrar imágenes del catálogo por su \
         descripción, responder sobre campañas, publicidad, leads y ventas, y unir ambas cosas; por \
         ejemplo: \"una playa al atardecer\", \"ingresos por canal este trimestre\", \"las imágenes de las \
         campañas con mejor ROAS\".",
        "That is nothing that PromptSales knows or can do. It can find images of the catalogue by their \
         description, answer about campaigns, advertising, leads and sales, and join the two; for \
         example: \"a beach at sunset\", \"revenue by channel this quarter\", \"the images of the campaigns \
         with the best ROAS\".",
    )
}

pub(crate) fn ambiguous(language: Language) -> &'static str {
    either(
        language,
        "¿Quieres las imágenes o las cifras?",
        "Do you want the images or the figures?",
    )
}

pub(crate) fn images(language: Language) -> &'static str {
    either(language, "Las imágenes", "The images")
}

pub(crate) fn figures(language: Language) -> &'static str {
    either(language, "Las cifras", "The figures")
}

pub(crate) fn images_and_figures(language: Language) -> &'static str {
    either(
        language,
        "Las imágenes y sus cifras",
        "The images and their figures",
    )
}

pub(crate) fn images_of_campaigns(language: Language, images: usize) -> String {
    match language {
        Language::Es => format!("Imágenes que usan esas campañas: {images}."),
        Language::En => format!("Images that these campaigns use: {images}."),
    }
}

pub(crate) fn campaigns_with_images(language: Language, images: usize, campaigns: usize) -> String {
    match language {
        Language::Es => format!("{images} imágenes encajan; las usan {campaigns} campañas."),
        Language::En => format!("{images} images fit; {campaigns} campaigns use them."),
    }
}

pub(crate) fn no_image_fits(language: Language) -> &'static str {
    either(
        language,
        "Ninguna imagen del catálogo encaja, así que no hay campañas que la usen.",
        "No image of the catalogue fits, so there are no campaigns that use it.",
    )
}

pub(crate) fn side_by_side(language: Language) -> &'static str {
    either(
        language,
        "Lo que sabe el almacén de ventas y las imágenes que encajan, por separado.",
        "What the sales warehouse knows and the images that fit, side by side.",
    )
}

pub(crate) fn figures_alone(language: Language) -> &'static str {
    either(
        language,
        "Solo las cifras: no se pudieron obtener sus imágenes.",
        "The figures alone: their images could not be had.",
    )
}

pub(crate) fn images_alone(language: Language) -> &'static str {
    either(
        language,
        "Solo las imágenes: no se pudieron obtener sus cifras.",
        "The images alone: their figures could not be had.",
    )
}

pub(crate) fn no_figures(language: Language) -> &'static str {
    either(
        language,
        "No se pudieron obtener sus cifras.",
        "Their figures could not be had.",
    )
}

pub(crate) fn not_linked(language: Language) -> &'static str {
    either(
        language,
        "La pregunta no se pudo dividir en campañas e imágenes: ambas respuestas están sin unir.",
        "The question could not be divided into campaigns and images: the two answers are not joined.",
    )
}

pub(crate) fn default_metrics(language: Language) -> &'static str {
    either(
        language,
        "La pregunta no nombra una métrica; se muestran ROAS, ingresos y gasto.",
        "The question names no metric; ROAS, revenue and spend are shown.",
    )
}

pub(crate) fn cut_campaigns(language: Language, most: usize) -> String {
    match language {
        Language::Es => format!("Hay más campañas; solo cuentan las primeras {most}."),
        Language::En => format!("There are more campaigns; only the first {most} count."),
    }
}

pub(crate) fn unusable(language: Language, ids: &str) -> String {
    match language {
        Language::Es => {
            format!("Imágenes que ya no están en el catálogo o no se pueden usar: {ids}.")
        }
        Language::En => {
            format!("Images that are no longer in the catalogue or not to be used: {ids}.")
        }
    }
}

pub(crate) fn not_fetched(language: Language, count: usize, ids: &str) -> String {
    match language {
        Language::Es => format!("{count} imágenes no se pudieron obtener ahora: {ids}."),
        Language::En => format!("{count} images could not be fetched just now: {ids}."),
    }
}

pub(crate) fn more_images(language: Language, left: usize) -> String {
    match language {
        Language::Es => format!("{left} imágenes más no se muestran."),
        Language::En => format!("{left} more images are not shown."),
    }
}

pub(crate) fn no_evidence(language: Language, services: &str) -> String {
    match language {
        Language::Es => format!("La ruta se eligió sin lo que dice {services}."),
        Language::En => format!("The route was chosen without what {services} says."),
    }
}

pub(crate) fn too_slow(language: Language, service: &str) -> String {
    match language {
        Language::Es => format!("{service} no respondió a tiempo."),
        Language::En => format!("{service} did not answer in time."),
    }
}

pub(crate) fn not_chosen(language: Language) -> &'static str {
    either(language, "No se eligió nada.", "Nothing was chosen.")
}
