//! What the tool says, in both languages.

use contracts::Language;

use super::answer::Status;

/// What has come of it.
pub(super) fn of(status: Status, language: Language) -> &'static str {
    match (status, language) {
        (Status::ConfirmationRequired, Language::Es) => {
            "¿Registramos esta campaña? Todavía no se ha guardado nada."
        }
        (Status::ConfirmationRequired, Language::En) => {
            "Shall this campaign be registered? Nothing has been written yet."
        }
        (Status::Registered, Language::Es) => {
            "La campaña está registrada. Las respuestas sobre ventas la conocen tras la próxima carga, en \
             unos cuatro minutos."
        }
        (Status::Registered, Language::En) => {
            "The campaign is registered. Answers about sales know it after the next load, in about four \
             minutes."
        }
        (Status::NotRegistered, Language::Es) => "No se ha registrado nada: no se confirmó.",
        (Status::NotRegistered, Language::En) => "Nothing was registered: it was not confirmed.",
    }
}

/// The form's one field.
pub(super) fn register(language: Language) -> &'static str {
    match language {
        Language::Es => "Registrar la campaña",
        Language::En => "Register the campaign",
    }
}
