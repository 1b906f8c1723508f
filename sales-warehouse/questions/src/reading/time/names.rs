//! Words for units, months, weekdays, holidays and places in a row.

use time::Weekday;

use super::calendar::{Holiday, Unit};
use crate::reading::text::{Kind, Token};

pub(super) fn unit(word: &str) -> Option<Unit> {
    Some(match word {
        "day" | "days" | "dia" | "dias" => Unit::Day,
        "week" | "weeks" | "semana" | "semanas" | "wk" | "wks" => Unit::Week,
        "fortnight" | "fortnights" | "quincena" | "quincenas" => Unit::Fortnight,
        "month" | "months" | "mes" | "meses" | "mth" | "mths" => Unit::Month,
        "quarter" | "quarters" | "trimestre" | "trimestres" | "trim" | "qtr" => Unit::Quarter,
        "semester" | "semesters" | "semestre" | "semestres" => Unit::Half,
        "year" | "years" | "ano" | "anos" | "yr" | "yrs" | "ejercicio" => Unit::Year,
        _ => return None,
    })
}

pub(super) fn month(word: &str) -> Option<u8> {
    Some(match word {
        "january" | "jan" | "enero" | "ene" => 1,
        "february" | "feb" | "febrero" => 2,
        "march" | "mar" | "marzo" => 3,
        "april" | "apr" | "abril" | "abr" => 4,
        "may" | "mayo" => 5,
        "june" | "jun" | "junio" => 6,
        "july" | "jul" | "julio" => 7,
        "august" | "aug" | "agosto" | "ago" => 8,
        "september" | "sept" | "sep" | "septiembre" | "setiembre" => 9,
        "october" | "oct" | "octubre" => 10,
        "november" | "nov" | "noviembre" => 11,
        "december" | "dec" | "diciembre" | "dic" => 12,
        _ => return None,
    })
}

/// With whether the word is a plural: "on Mondays".
pub(super) fn weekday(word: &str) -> Option<(Weekday, bool)> {
    let plural = matches!(
        word,
        "mondays"
            | "tuesdays"
            | "wednesdays"
            | "thursdays"
            | "fridays"
            | "saturdays"
            | "sundays"
            | "sabados"
            | "domingos"
    );
    let day = match word.trim_end_matches('s') {
        "monday" | "lune" => Weekday::Monday,
        "tuesday" | "marte" => Weekday::Tuesday,
        "wednesday" | "miercole" => Weekday::Wednesday,
        "thursday" | "jueve" => Weekday::Thursday,
        "friday" | "vierne" => Weekday::Friday,
        "saturday" | "sabado" => Weekday::Saturday,
        "sunday" | "domingo" => Weekday::Sunday,
        _ => return None,
    };
    Some((day, plural))
}

/// First is 1.
pub(super) fn ordinal(tokens: &[Token], at: usize) -> Option<(u8, usize)> {
    let token = tokens.get(at)?;
    if token.kind == Kind::Number {
        let suffix = tokens.get(at + 1)?;
        let is_one = suffix.joined
            && suffix.is(&[
                "st", "nd", "rd", "th", "er", "ro", "ra", "do", "da", "to", "ta", "o", "a",
            ]);
        return is_one.then(|| Some((token.text.parse().ok()?, at + 2)))?;
    }
    let nth = match token.text.as_str() {
        "first" | "primer" | "primero" | "primera" => 1,
        "second" | "segundo" | "segunda" => 2,
        "third" | "tercer" | "tercero" | "tercera" => 3,
        "fourth" | "cuarto" | "cuarta" => 4,
        _ => return None,
    };
    Some((nth, at + 1))
}

/// Names of one to four words.
pub(super) const HOLIDAYS: &[(&str, Holiday)] = &[
    ("black friday week", Holiday::BlackFridayWeek),
    ("semana de black friday", Holiday::BlackFridayWeek),
    ("semana del black friday", Holiday::BlackFridayWeek),
    ("week of black friday", Holiday::BlackFridayWeek),
    ("black friday weekend", Holiday::BlackFridayWeekend),
    ("fin de semana de black friday", Holiday::BlackFridayWeekend),
    (
        "fin de semana del black friday",
        Holiday::BlackFridayWeekend,
    ),
    ("black friday", Holiday::Thanksgiving { days_after: 1 }),
    ("blackfriday", Holiday::Thanksgiving { days_after: 1 }),
    ("viernes negro", Holiday::Thanksgiving { days_after: 1 }),
    ("cyber monday", Holiday::Thanksgiving { days_after: 4 }),
    ("cybermonday", Holiday::Thanksgiving { days_after: 4 }),
    ("ciberlunes", Holiday::Thanksgiving { days_after: 4 }),
    ("lunes cibernetico", Holiday::Thanksgiving { days_after: 4 }),
    ("thanksgiving day", Holiday::Thanksgiving { days_after: 0 }),
    ("thanksgiving", Holiday::Thanksgiving { days_after: 0 }),
    (
        "dia de accion de gracias",
        Holiday::Thanksgiving { days_after: 0 },
    ),
    ("accion de gracias", Holiday::Thanksgiving { days_after: 0 }),
    ("christmas day", Holiday::Fixed { month: 12, day: 25 }),
    ("christmas eve", Holiday::Fixed { month: 12, day: 24 }),
    ("christmas", Holiday::Fixed { month: 12, day: 25 }),
    ("xmas", Holiday::Fixed { month: 12, day: 25 }),
    ("dia de navidad", Holiday::Fixed { month: 12, day: 25 }),
    ("navidad", Holiday::Fixed { month: 12, day: 25 }),
    ("nochebuena", Holiday::Fixed { month: 12, day: 24 }),
    ("nochevieja", Holiday::Fixed { month: 12, day: 31 }),
    ("fin de ano", Holiday::Fixed { month: 12, day: 31 }),
    ("new year eve", Holiday::Fixed { month: 12, day: 31 }),
    ("new years eve", Holiday::Fixed { month: 12, day: 31 }),
    ("new year day", Holiday::Fixed { month: 1, day: 1 }),
    ("new years day", Holiday::Fixed { month: 1, day: 1 }),
    ("ano nuevo", Holiday::Fixed { month: 1, day: 1 }),
    ("dia de reyes", Holiday::Fixed { month: 1, day: 6 }),
    ("reyes magos", Holiday::Fixed { month: 1, day: 6 }),
    ("epiphany", Holiday::Fixed { month: 1, day: 6 }),
    ("valentine day", Holiday::Fixed { month: 2, day: 14 }),
    ("valentines day", Holiday::Fixed { month: 2, day: 14 }),
    ("valentines", Holiday::Fixed { month: 2, day: 14 }),
    ("valentine", Holiday::Fixed { month: 2, day: 14 }),
    ("dia de san valentin", Holiday::Fixed { month: 2, day: 14 }),
    ("san valentin", Holiday::Fixed { month: 2, day: 14 }),
    (
        "dia de los enamorados",
        Holiday::Fixed { month: 2, day: 14 },
    ),
    ("halloween", Holiday::Fixed { month: 10, day: 31 }),
    ("dia de los muertos", Holiday::Fixed { month: 11, day: 2 }),
    ("dia de muertos", Holiday::Fixed { month: 11, day: 2 }),
    ("day of the dead", Holiday::Fixed { month: 11, day: 2 }),
    ("singles day", Holiday::Fixed { month: 11, day: 11 }),
    ("dia del soltero", Holiday::Fixed { month: 11, day: 11 }),
    ("boxing day", Holiday::Fixed { month: 12, day: 26 }),
    ("saint patrick day", Holiday::Fixed { month: 3, day: 17 }),
    ("st patrick day", Holiday::Fixed { month: 3, day: 17 }),
    ("san patricio", Holiday::Fixed { month: 3, day: 17 }),
    ("semana santa", Holiday::HolyWeek),
    ("holy week", Holiday::HolyWeek),
    ("easter week", Holiday::HolyWeek),
    ("good friday", Holiday::Easter { days_after: -2 }),
    ("viernes santo", Holiday::Easter { days_after: -2 }),
    ("easter sunday", Holiday::Easter { days_after: 0 }),
    ("easter monday", Holiday::Easter { days_after: 1 }),
    ("domingo de pascua", Holiday::Easter { days_after: 0 }),
    ("easter", Holiday::Easter { days_after: 0 }),
    ("pascua", Holiday::Easter { days_after: 0 }),
];
