//! What is said where there is no answer, in the language of the question.

use contracts::Language;

use super::{ClarifyReason, RefusalReason, time::TimeFault};

/// Fills the two texts' `{}` with `what`.
fn say(language: Language, es: &str, en: &str, what: &str) -> String {
    let text = if language == Language::Es { es } else { en };
    text.replace("{}", what)
}

/// Why a question is refused, and what can be asked instead.
pub(crate) fn refusal(language: Language, reason: RefusalReason) -> String {
    let (es, en) = match reason {
        RefusalReason::Empty => ("La pregunta está vacía.", "The question is empty."),
        RefusalReason::TooLong => (
            "La pregunta es demasiado larga: admite hasta 2.000 caracteres.",
            "The question is too long: it can have up to 2,000 characters.",
        ),
        RefusalReason::Injection => (
            "Solo respondo a preguntas; no ejecuto código ni instrucciones.",
            "I only answer questions; I run no code and follow no instructions.",
        ),
        RefusalReason::PersonalData => (
            "No doy datos personales; solo cifras de grupos de clientes.",
            "I give no personal data; only figures about groups of customers.",
        ),
        RefusalReason::Forecast => (
            "No hago previsiones; solo respondo sobre lo que ya ha pasado.",
            "I make no forecasts; I only answer about what has happened.",
        ),
        RefusalReason::Advice => (
            "No doy consejos ni explico causas; respondo con cifras.",
            "I give no advice and explain no causes; I answer with figures.",
        ),
        RefusalReason::Command => (
            "Solo consulto datos; no cambio nada.",
            "I only read data; I change nothing.",
        ),
        RefusalReason::Images => (
            "Aquí no busco imágenes; para eso está la búsqueda de contenido.",
            "I don't look for images here; content search does.",
        ),
        RefusalReason::NoSuchMetric => ("No tengo datos de eso.", "I have no data about that."),
        RefusalReason::OutOfScope => ("Eso no lo puedo responder.", "I can't answer that."),
    };
    let offer = match reason {
        RefusalReason::Empty | RefusalReason::NoSuchMetric | RefusalReason::OutOfScope => say(
            language,
            " Puedo responder sobre campañas, anuncios, leads, oportunidades, ventas, clientes y suscripciones.",
            " I can answer about campaigns, ads, leads, deals, sales, customers and subscriptions.",
            "",
        ),
        _ => String::new(),
    };
    say(language, es, en, "") + &offer
}

/// What a clarification asks; `what` is the word or name in question.
pub(crate) fn clarification(language: Language, reason: ClarifyReason, what: &str) -> String {
    let (es, en) = match reason {
        ClarifyReason::MissingMeasure => (
            "¿Qué medida te interesa?",
            "Which measure are you interested in?",
        ),
        ClarifyReason::AmbiguousWord => {
            ("¿Qué quieres decir con «{}»?", "What do you mean by “{}”?")
        }
        ClarifyReason::UnknownWord => (
            "No entiendo «{}». ¿Qué quieres decir?",
            "I don't understand “{}”. What do you mean?",
        ),
        ClarifyReason::UnknownName => (
            "No encuentro «{}». ¿Es alguno de estos?",
            "I can't find “{}”. Is it one of these?",
        ),
        ClarifyReason::SeveralNames => (
            "«{}» es el nombre de varios. ¿Cuál?",
            "Several are called “{}”. Which one?",
        ),
        ClarifyReason::TwoQuestions => (
            "Ahí hay más de una pregunta. ¿Cuál respondo primero?",
            "There is more than one question there. Which one first?",
        ),
        ClarifyReason::TwoTimes => (
            "Hay dos periodos en la pregunta. ¿Los comparo, o quieres uno?",
            "There are two periods in the question. Compare them, or take one?",
        ),
        ClarifyReason::Contradiction => (
            "Las condiciones sobre «{}» se contradicen.",
            "The conditions on “{}” contradict each other.",
        ),
        ClarifyReason::Unreachable => (
            "Ese dato no se puede dividir así: {}.",
            "That figure can't be broken down that way: {}.",
        ),
        ClarifyReason::AverageOverTime => (
            "No calculo medias de {}. ¿Te sirve el desglose?",
            "I don't average {}. Would the breakdown do?",
        ),
        ClarifyReason::CountOrList => (
            "¿Quieres cuántas son, o la lista?",
            "Do you want how many there are, or the list?",
        ),
        ClarifyReason::NotCounted => (
            "No cuento «{}». ¿Quieres la lista?",
            "I don't count “{}”. Do you want the list?",
        ),
        ClarifyReason::Comparison => ("¿Con qué lo comparo?", "Compared with what?"),
        ClarifyReason::Time(fault) => return time_fault(language, fault),
    };
    say(language, es, en, what)
}

fn time_fault(language: Language, fault: TimeFault) -> String {
    let (es, en) = match fault {
        TimeFault::Impossible => (
            "Esa fecha no existe. ¿Cuál quieres decir?",
            "There is no such date. Which one do you mean?",
        ),
        TimeFault::Reversed => (
            "Ese periodo termina antes de empezar. ¿De cuándo a cuándo?",
            "That period ends before it begins. From when to when?",
        ),
        TimeFault::Future => (
            "Eso aún no ha pasado. ¿Qué periodo quieres?",
            "That has not happened yet. Which period do you want?",
        ),
        TimeFault::Recurring => (
            "Respondo sobre un periodo seguido de días. ¿De cuándo a cuándo?",
            "I answer about one stretch of days. From when to when?",
        ),
        TimeFault::Vague => (
            "¿De qué fecha a qué fecha, exactamente?",
            "From which day to which, exactly?",
        ),
    };
    say(language, es, en, "")
}

/// The label of a choice that leaves words out.
pub(crate) fn without(language: Language, what: &str) -> String {
    say(language, "Sin «{}»", "Without “{}”", what)
}

/// The label of a choice that counts.
pub(crate) fn count_or_list(language: Language) -> [String; 2] {
    [
        say(language, "Cuántas son", "How many there are", ""),
        say(language, "La lista", "The list", ""),
    ]
}

/// The label of the choice that takes a word for a day.
pub(crate) fn holiday(language: Language) -> String {
    say(language, "La fecha", "The date", "")
}

/// The label of a choice that breaks down.
pub(crate) fn breakdown(language: Language) -> String {
    say(language, "El desglose", "The breakdown", "")
}
