//! The semantic model: what the numbers mean, read from `sales-warehouse/semantic/*.yaml`.

mod build;
mod document;
mod expression;
mod extension;
mod fault;
mod paths;
mod words;

use std::{collections::BTreeMap, sync::LazyLock};

use contracts::Language;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use extension::Label;
pub use fault::Faults;

pub(crate) use expression::{Column, Expression};

use extension::{Better, Display};
use paths::Paths;

/// The files that the model is made of.
const BUILTIN: [(&str, &str); 4] = [
    (
        "dimensions.yaml",
        include_str!("../../semantic/dimensions.yaml"),
    ),
    (
        "advertising.yaml",
        include_str!("../../semantic/advertising.yaml"),
    ),
    ("leads.yaml", include_str!("../../semantic/leads.yaml")),
    ("sales.yaml", include_str!("../../semantic/sales.yaml")),
];

/// Metrics, dimensions, and how they hang together.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    metrics: Vec<Metric>,
    dimensions: Vec<Dimension>,
    datasets: Vec<Dataset>,
    relationships: Vec<Relationship>,
    paths: Paths,
}

/// A number that can be asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// As queries name it.
    pub name: String,
    label: Label,
    /// What it is called, in both languages.
    pub synonyms: Vec<String>,
    description: Label,
    /// What one of it is.
    pub unit: Unit,
    /// How it adds up.
    pub kind: Kind,
    better: Better,
    pub(crate) formula: Formula,
}

impl Metric {
    /// What people read.
    pub fn label(&self, language: Language) -> &str {
        self.label.get(language)
    }

    /// What is counted, in a sentence.
    pub fn description(&self, language: Language) -> &str {
        self.description.get(language)
    }

    /// Whether less of it is better, as of costs.
    pub fn lower_is_better(&self) -> bool {
        self.better == Better::Lower
    }
}

/// What facts are grouped and filtered by.
#[derive(Clone, Debug, PartialEq)]
pub struct Dimension {
    /// As queries name it.
    pub name: String,
    label: Label,
    /// What it is called, in both languages.
    pub synonyms: Vec<String>,
    /// What a member is, in a sentence.
    pub description: String,
    /// Has members that only the database names, as campaigns.
    pub entity: bool,
    /// The words for members, by code as the database has it.
    pub values: BTreeMap<String, Vec<String>>,
    /// Members that stand for none: they are broken down by, and win no ranking.
    pub missing: Vec<String>,
    /// The dimension that tells its members apart further, as countries do a region.
    pub drill: Option<String>,
    /// Why some metrics cannot be told apart by it.
    unreached: Option<Label>,
    display: Option<Display>,
    pub(crate) column: Column,
}

impl Dimension {
    /// What people read.
    pub fn label(&self, language: Language) -> &str {
        self.label.get(language)
    }

    /// Why a metric that cannot be told apart by it cannot, where there is more to say than that its data has it not.
    pub fn unreached(&self, language: Language) -> Option<&str> {
        self.unreached.as_ref().map(|why| why.get(language))
    }

    /// The column of its table that has a member's name.
    pub(crate) fn display(&self, language: Language) -> Option<&str> {
        self.display
            .as_ref()
            .map(|display| display.column(language))
    }
}

/// What one of a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Things.
    Count,
    /// US dollars.
    #[serde(rename = "USD")]
    Usd,
    /// A part of a whole: 0.02 is 2 %.
    Fraction,
    /// So many for one.
    Ratio,
    /// Of 100.
    Points,
    /// Seconds.
    Seconds,
}

/// How a metric adds up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MetricKind)]
pub enum Kind {
    /// Over everything.
    Sum,
    /// Rows.
    Count,
    /// Different ones: those of two groups may be the same.
    CountDistinct,
    /// Never; it is made of rows.
    Average,
    /// Never; it is made of two metrics.
    Ratio,
    /// Of other metrics, by arithmetic.
    Derived,
    /// From the beginning of the time up to each of its parts.
    Cumulative,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Formula {
    /// Counted over a dataset: the first that reaches what is asked.
    Base {
        sources: Vec<Source>,
        interval: Option<Interval>,
    },
    /// One by the other; null where that is 0.
    Ratio {
        numerator: Expression<usize>,
        denominator: Expression<usize>,
    },
    /// Of other metrics.
    Derived(Expression<usize>),
    /// Added up over time.
    Cumulative(usize),
}

/// Where a metric can be counted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Source {
    pub dataset: usize,
    pub expression: Expression<Column>,
    /// The business date of a row.
    pub time: Option<Column>,
}

/// How a metric is counted in a time: what holds from a day to a day, both included.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Interval {
    pub from: Column,
    pub to: Column,
    pub expression: Expression<Column>,
}

/// A table or view.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dataset {
    pub name: String,
    /// `schema.table`.
    pub source: String,
    pub fields: Vec<Field>,
    pub time: Option<usize>,
    /// The smallest first.
    pub rollups: Vec<Rollup>,
    keys: Vec<Vec<String>>,
    paths: BTreeMap<String, Vec<String>>,
    /// Has several rows for one of what leads to it: a join to it multiplies rows.
    pub bridge: bool,
}

/// A dataset's rows added up, to be read in its place where that comes to the same. Numbers are those of fields.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rollup {
    /// `schema.table`.
    pub source: String,
    pub sums: Vec<usize>,
    pub without: Vec<usize>,
    /// Its rows are those of a month, and have its first day.
    pub by_month: bool,
    /// No two rows have the same.
    pub key: Option<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub name: String,
    /// The column of the source.
    pub column: String,
    is_time: bool,
}

/// A join from many to one; to a bridge, from many to many.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Relationship {
    name: String,
    pub from: usize,
    pub to: usize,
    pub from_columns: Vec<String>,
    pub to_columns: Vec<String>,
}

impl Model {
    /// Reads a model from its files, each a name and YAML; or lists every fault.
    pub fn load(documents: &[(&str, &str)]) -> Result<Self, Faults> {
        build::build(documents)
    }

    /// The model that comes with the product.
    ///
    /// # Panics
    /// Never in a build that passed its tests, which load it.
    pub fn builtin() -> &'static Self {
        static MODEL: LazyLock<Model> = LazyLock::new(|| match Model::load(&BUILTIN) {
            Ok(model) => model,
            Err(faults) => panic!("{faults}"),
        });
        &MODEL
    }

    /// Every metric, in the order of the files.
    pub fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    /// A metric by its name.
    pub fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.name == name)
    }

    /// Every dimension, in the order of the files.
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// A dimension by its name.
    pub fn dimension(&self, name: &str) -> Option<&Dimension> {
        self.dimensions.iter().find(|one| one.name == name)
    }

    /// Whether a metric can be grouped and filtered by a dimension; no if either does not exist.
    pub fn reaches(&self, metric: &str, dimension: &str) -> bool {
        let (Some(metric), Some(dimension)) = (self.metric(metric), self.dimension(dimension))
        else {
            return false;
        };
        self.metric_reaches(metric, dimension.column.dataset)
    }

    /// The tables and columns that it reads, for a check against the database.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &str)> {
        let of_fields = self.datasets.iter().flat_map(|dataset| {
            let fields = dataset.fields.iter();
            fields.map(|field| (dataset.source.as_str(), field.column.as_str()))
        });
        let of_rollups = self.datasets.iter().flat_map(|dataset| {
            dataset.rollups.iter().flat_map(|rollup| {
                let fields = dataset.fields.iter().enumerate();
                fields
                    .filter(|(number, _)| !rollup.without.contains(number))
                    .map(|(_, field)| (rollup.source.as_str(), field.column.as_str()))
            })
        });
        let of_joins = self.relationships.iter().flat_map(|one| {
            let source = |dataset: usize| self.datasets[dataset].source.as_str();
            let from = one
                .from_columns
                .iter()
                .map(move |c| (source(one.from), &**c));
            from.chain(one.to_columns.iter().map(move |c| (source(one.to), &**c)))
        });
        let of_names = self.dimensions.iter().flat_map(|one| {
            let source = self.datasets[one.column.dataset].source.as_str();
            let columns = Language::ALL
                .into_iter()
                .filter_map(|lang| one.display(lang));
            columns.map(move |column| (source, column))
        });
        of_fields.chain(of_rollups).chain(of_joins).chain(of_names)
    }

    fn metric_reaches(&self, metric: &Metric, dataset: usize) -> bool {
        let all = |expression: &Expression<usize>| {
            let mut parts = expression.names();
            parts.all(|part| self.metric_reaches(&self.metrics[part], dataset))
        };
        match &metric.formula {
            Formula::Base { sources, .. } => sources
                .iter()
                .any(|source| self.path(source.dataset, dataset).is_some()),
            Formula::Ratio {
                numerator,
                denominator,
            } => all(numerator) && all(denominator),
            Formula::Derived(expression) => all(expression),
            Formula::Cumulative(of) => self.metric_reaches(&self.metrics[*of], dataset),
        }
    }

    /// Whether amounts of money go into a metric, as they do into a ROAS.
    pub fn is_money(&self, metric: &str) -> bool {
        self.metric(metric).is_some_and(|one| self.has_money(one))
    }

    fn has_money(&self, metric: &Metric) -> bool {
        let any = |expression: &Expression<usize>| {
            let mut parts = expression.names();
            parts.any(|part| self.has_money(&self.metrics[part]))
        };
        match &metric.formula {
            Formula::Base { .. } => metric.unit == Unit::Usd,
            Formula::Ratio {
                numerator,
                denominator,
            } => any(numerator) || any(denominator),
            Formula::Derived(expression) => any(expression),
            Formula::Cumulative(of) => self.has_money(&self.metrics[*of]),
        }
    }

    pub(crate) fn path(&self, from: usize, to: usize) -> Option<&[usize]> {
        self.paths.get(from, to)
    }

    /// Whether a row may have several members of a dimension, as an image has hashtags: what is told apart by it
    /// counts under each of them.
    pub fn is_bridged(&self, dimension: &Dimension) -> bool {
        self.datasets[dimension.column.dataset].bridge
    }

    pub(crate) fn dataset(&self, number: usize) -> &Dataset {
        &self.datasets[number]
    }

    pub(crate) fn datasets(&self) -> &[Dataset] {
        &self.datasets
    }

    pub(crate) fn relationship(&self, number: usize) -> &Relationship {
        &self.relationships[number]
    }

    pub(crate) fn field(&self, column: Column) -> &Field {
        &self.datasets[column.dataset].fields[column.field]
    }
}
