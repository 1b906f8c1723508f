//! Metrics: what each is counted over, or made of.

use super::{
    super::{
        Column, Expression, Formula, Interval, Kind, Metric, Source, document, expression,
        extension,
    },
    Builder, is_name,
};

impl Builder {
    pub(super) fn all_metrics(&mut self, read: &[&document::Metric]) {
        let names: Vec<&str> = read.iter().map(|one| one.name.as_str()).collect();
        for (number, one) in read.iter().enumerate() {
            let of = format!("metric {}", one.name);
            if names[..number].contains(&&*one.name) {
                self.faults.add(&of, "stands twice");
            }
            if !is_name(&one.name) {
                self.faults
                    .add(&of, "its name is not of small letters, digits and _");
            }
            if self.dimensions.iter().any(|other| other.name == one.name) {
                self.faults.add(&of, "a dimension has the same name");
            }
            let extension = extension::read(&one.custom_extensions);
            let extension: Option<extension::Metric> = self.faults.note(&of, extension);
            let formula = extension
                .as_ref()
                .and_then(|extension| self.formula(&of, one, extension, &names));
            let Some((extension, formula)) = extension.zip(formula) else {
                continue;
            };
            let description = extension::Label {
                en: one.description.clone().unwrap_or_default(),
                es: extension.description.es,
            };
            self.metrics.push(Metric {
                name: one.name.clone(),
                label: extension.label,
                synonyms: one.ai_context.synonyms.clone(),
                description,
                unit: extension.unit,
                kind: extension.kind,
                better: extension.better,
                formula,
            });
        }
    }

    fn formula(
        &mut self,
        of: &str,
        read: &document::Metric,
        extension: &extension::Metric,
        metrics: &[&str],
    ) -> Option<Formula> {
        let own = self.sql(of, read.expression.ansi().unwrap_or_default());
        let metric = |name: &str| {
            let found = metrics.iter().position(|one| *one == name);
            found.ok_or_else(|| format!("{name} is no metric"))
        };
        let mut arithmetic = |part: &str, text: &Option<String>| {
            let Some(text) = text else {
                self.faults.add(of, format!("has no {part}"));
                return None;
            };
            let read = expression::arithmetic(text, metric);
            self.faults.note_all(of, read)
        };
        match extension.kind {
            Kind::Ratio => {
                let numerator = arithmetic("numerator", &extension.numerator);
                let denominator = arithmetic("denominator", &extension.denominator);
                Some(Formula::Ratio {
                    numerator: numerator?,
                    denominator: denominator?,
                })
            }
            Kind::Derived => arithmetic("of", &extension.of).map(Formula::Derived),
            Kind::Cumulative => {
                let of_metric = arithmetic("of", &extension.of)?;
                of_metric.names().next().map(Formula::Cumulative)
            }
            Kind::Sum | Kind::Count | Kind::CountDistinct | Kind::Average => {
                self.base(of, own?, extension)
            }
        }
    }

    fn base(
        &mut self,
        of: &str,
        own: Expression<Column>,
        extension: &extension::Metric,
    ) -> Option<Formula> {
        let time = extension.time.clone();
        let first = self.source(of, own, extension.dataset.as_deref(), time.as_deref());
        let mut sources = vec![first?];
        for other in &extension.alternatives {
            let expression = self.sql(of, &other.expression)?;
            sources.push(self.source(of, expression, None, other.time.as_deref())?);
        }
        let interval = match &extension.interval {
            None => None,
            Some(read) => {
                let from = self.time_column(of, &read.from);
                let to = self.time_column(of, &read.to);
                let interval = Interval {
                    from: from?,
                    to: to?,
                    expression: self.sql(of, &read.expression)?,
                };
                let needed = interval
                    .expression
                    .names()
                    .chain([interval.from, interval.to]);
                for (column, source) in needed.flat_map(|one| sources.iter().map(move |s| (one, s)))
                {
                    if self.paths.get(source.dataset, column.dataset).is_none() {
                        let from = &self.datasets[source.dataset].name;
                        let to = &self.datasets[column.dataset].name;
                        self.faults.add(
                            of,
                            format!("its interval: no join path from {from} to {to}"),
                        );
                    }
                }
                Some(interval)
            }
        };
        Some(Formula::Base { sources, interval })
    }

    /// Finds the dataset whose rows are counted: the stated one, else the one that reaches all others.
    fn source(
        &mut self,
        of: &str,
        expression: Expression<Column>,
        dataset: Option<&str>,
        time: Option<&str>,
    ) -> Option<Source> {
        let mut named: Vec<usize> = expression.names().map(|one| one.dataset).collect();
        if let Some(name) = dataset {
            let Some(found) = self.datasets.iter().position(|one| one.name == name) else {
                self.faults.add(of, format!("{name} is no dataset"));
                return None;
            };
            named.insert(0, found);
        }
        let candidates = if dataset.is_some() {
            &named[..1]
        } else {
            &named[..]
        };
        let reaches_all = |from: &&usize| {
            let mut all = named.iter();
            all.all(|to| self.paths.get(**from, *to).is_some())
        };
        let Some(dataset) = candidates.iter().find(reaches_all).copied() else {
            let names: Vec<&str> = named.iter().map(|one| &*self.datasets[*one].name).collect();
            let fault = if names.is_empty() {
                "has no column: state its dataset".to_owned()
            } else {
                format!("no join path between {}", names.join(", "))
            };
            self.faults.add(of, fault);
            return None;
        };
        let time = match time {
            Some(name) => Some(self.time_column(of, name)?),
            None => self.datasets[dataset]
                .time
                .map(|field| Column { dataset, field }),
        };
        if time.is_some_and(|time| self.paths.get(dataset, time.dataset).is_none()) {
            self.faults.add(of, "no join path to its time");
        }
        Some(Source {
            dataset,
            expression,
            time,
        })
    }

    fn sql(&mut self, of: &str, text: &str) -> Option<Expression<Column>> {
        let read = expression::sql(text, |dataset, field| self.column(dataset, field));
        self.faults.note_all(of, read)
    }

    fn column(&self, dataset: &str, field: &str) -> Result<Column, String> {
        let number = self.datasets.iter().position(|one| one.name == dataset);
        let number = number.ok_or_else(|| format!("{dataset} is no dataset"))?;
        let fields = &self.datasets[number].fields;
        let found = fields.iter().position(|one| one.name == field);
        found
            .map(|field| Column {
                dataset: number,
                field,
            })
            .ok_or_else(|| format!("{field} is no field of {dataset}"))
    }

    fn time_column(&mut self, of: &str, name: &str) -> Option<Column> {
        let (dataset, field) = name.split_once('.').unwrap_or((name, ""));
        let found = self.column(dataset, field).and_then(|column| {
            let is_time = self.datasets[column.dataset].fields[column.field].is_time;
            is_time
                .then_some(column)
                .ok_or_else(|| format!("{name} is no field that is_time"))
        });
        self.faults.note(of, found)
    }
}
