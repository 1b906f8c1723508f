//! Why a query has no answer.

use contracts::Language;
use thiserror::Error;

/// A query that asks for what the model does not have, or in a way that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CompileError {
    /// Nothing was asked.
    #[error("the query names neither a metric nor a dimension")]
    Empty,
    /// No such metric.
    #[error("there is no metric '{0}': GET /v1/metrics lists them")]
    UnknownMetric(String),
    /// No such dimension.
    #[error("there is no dimension '{0}': GET /v1/metrics lists them")]
    UnknownDimension(String),
    /// A filter or an order by something that is neither.
    #[error("'{0}' is neither a metric nor a dimension: GET /v1/metrics lists them")]
    UnknownField(String),
    /// The same name twice.
    #[error("'{0}' is asked for twice")]
    Twice(String),
    /// More than is sensible of something.
    #[error("{what}: {count} are too many; at most {most} are allowed")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// As asked.
        count: usize,
        /// Allowed.
        most: usize,
    },
    /// The rows of a metric do not know the dimension.
    #[error("{metric} cannot be told apart by {dimension}: its data does not have it")]
    NotReachable {
        /// The metric asked for, or the part of it that does not.
        metric: String,
        /// The dimension that is grouped or filtered by.
        dimension: String,
    },
    /// Each of the dimensions could be had, but not at once.
    #[error("{metric} cannot be told apart by {dimensions} at once")]
    NotTogether {
        /// The metric.
        metric: String,
        /// The dimensions.
        dimensions: String,
    },
    /// A list of members of dimensions that nothing connects.
    #[error("nothing connects {0}: ask with a metric")]
    NothingConnects(String),
    /// What is asked about has no date.
    #[error("{0} has no date: ask without a time and a grain")]
    NoDate(String),
    /// An operation that the field does not have.
    #[error("{op} does not go with {field}: {expected}")]
    BadOperation {
        /// The filter's field.
        field: String,
        /// The filter's operation.
        op: &'static str,
        /// What would do.
        expected: &'static str,
    },
    /// A value that does not fit its operation.
    #[error("the value for {field} must be {expected}")]
    BadValue {
        /// The filter's field.
        field: String,
        /// What would do.
        expected: &'static str,
    },
    /// A range that has no day.
    #[error("the time from {from} up to {to} has no day in it")]
    EmptyTime {
        /// Its first day.
        from: String,
        /// The day after its last.
        to: String,
    },
    /// An order that cannot be.
    #[error("the order by {by} makes no sense: {why}")]
    BadOrder {
        /// As asked.
        by: String,
        /// What is wrong.
        why: &'static str,
    },
    /// Out of bounds.
    #[error("a limit is from 1 to {most}, not {limit}")]
    BadLimit {
        /// As asked.
        limit: u32,
        /// Allowed.
        most: u32,
    },
    /// A comparison that cannot be.
    #[error("the comparison makes no sense: {0}")]
    BadCompare(&'static str),
}

impl CompileError {
    /// The message, for whoever asked.
    pub fn message(&self, language: Language) -> String {
        match language {
            Language::En => self.to_string(),
            Language::Es => self.spanish(),
        }
    }

    fn spanish(&self) -> String {
        const LISTED: &str = "GET /v1/metrics las enumera";
        match self {
            Self::Empty => "la consulta no nombra ni métrica ni dimensión".to_owned(),
            Self::UnknownMetric(name) => format!("no hay ninguna métrica «{name}»: {LISTED}"),
            Self::UnknownDimension(name) => format!("no hay ninguna dimensión «{name}»: {LISTED}"),
            Self::UnknownField(name) => {
                format!("«{name}» no es ni métrica ni dimensión: {LISTED}")
            }
            Self::Twice(name) => format!("«{name}» se pide dos veces"),
            Self::TooMany { what, count, most } => {
                let what = in_spanish(what);
                format!("{what}: {count} son demasiados; se admiten {most} como máximo")
            }
            Self::NotReachable { metric, dimension } => {
                format!("{metric} no se puede desglosar por {dimension}: sus datos no la tienen")
            }
            Self::NotTogether { metric, dimensions } => {
                format!("{metric} no se puede desglosar por {dimensions} a la vez")
            }
            Self::NothingConnects(dimensions) => {
                format!("nada relaciona {dimensions}: pregunta con una métrica")
            }
            Self::NoDate(what) => {
                let what = what.replace("a list of", "una lista de");
                format!("{what} no tiene fecha: pregunta sin periodo")
            }
            Self::BadOperation {
                field,
                op,
                expected,
            } => {
                let expected = in_spanish(expected);
                format!("{op} no sirve para {field}: {expected}")
            }
            Self::BadValue { field, expected } => {
                let expected = in_spanish(expected);
                format!("el valor de {field} debe ser {expected}")
            }
            Self::EmptyTime { from, to } => {
                format!("el periodo desde {from} hasta antes de {to} no contiene ningún día")
            }
            Self::BadOrder { by, why } => {
                let why = in_spanish(why);
                format!("ordenar por {by} no tiene sentido: {why}")
            }
            Self::BadLimit { limit, most } => {
                format!("el límite va de 1 a {most}, y no es {limit}")
            }
            Self::BadCompare(why) => {
                let why = in_spanish(why);
                format!("la comparación no tiene sentido: {why}")
            }
        }
    }
}

/// What messages are put together from.
const TEXTS: [(&str, &str); 23] = [
    ("metrics", "métricas"),
    ("dimensions", "dimensiones"),
    ("filters", "filtros"),
    ("orders", "órdenes"),
    ("members", "miembros"),
    (
        "a share needs a dimension or a grain to be a share of",
        "una cuota necesita una dimensión o una unidad de tiempo de la que serlo",
    ),
    ("it needs a metric", "necesita una métrica"),
    (
        "a share needs the comparison share_of_total",
        "una cuota necesita la comparación share_of_total",
    ),
    (
        "it needs a comparison with another time",
        "necesita una comparación con otro periodo",
    ),
    (
        "only a metric has a measure",
        "solo una métrica tiene medida",
    ),
    ("time needs a grain", "el tiempo necesita una unidad"),
    (
        "within must be one of the dimensions",
        "within debe ser una de las dimensiones",
    ),
    ("within needs a limit", "within necesita un límite"),
    ("one member, as text", "un miembro, como texto"),
    (
        "a list of members, as text, with at least one",
        "una lista de miembros, como texto, con uno al menos",
    ),
    (
        "a dimension takes =, !=, in, not_in",
        "una dimensión admite =, !=, in, not_in",
    ),
    (
        "a metric takes =, !=, >, >=, <, <=, between",
        "una métrica admite =, !=, >, >=, <, <=, between",
    ),
    (
        "two numbers, the smaller first",
        "dos números, primero el menor",
    ),
    ("one number", "un número"),
    (
        "it is none of the dimensions asked for",
        "no es ninguna de las dimensiones pedidas",
    ),
    (
        "a share needs metrics that add up, not ratios, averages or running totals",
        "una cuota necesita métricas que se sumen, y no ratios, medias ni acumulados",
    ),
    (
        "it needs a time with a first and a last day",
        "necesita un periodo con primer y último día",
    ),
    (
        "a year earlier than all time has no meaning; state a time",
        "un año antes de todos los datos no significa nada: indica un periodo",
    ),
];

fn in_spanish(text: &'static str) -> &'static str {
    let found = TEXTS.iter().find(|(english, _)| *english == text);
    found.map_or(text, |(_, spanish)| spanish)
}
