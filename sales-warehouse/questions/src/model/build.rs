//! From documents to a model. Goes on after a fault, to find the others.

use contracts::Language;

use super::{
    Column, Dataset, Dimension, Expression, Faults, Field, Formula, Interval, Kind, Metric, Model,
    Relationship, Source, document, expression, extension, paths::Paths, words,
};

pub fn build(documents: &[(&str, &str)]) -> Result<Model, Faults> {
    let mut faults = Faults(Vec::new());
    let mut parts = Vec::new();
    for (file, yaml) in documents {
        let read = serde_saphyr::from_str::<document::Document>(yaml);
        let Some(read) = faults.note(file, read) else {
            continue;
        };
        if read.version != document::VERSION {
            let expected = document::VERSION;
            faults.add(
                file,
                format!("version {}: expected {expected}", read.version),
            );
        }
        parts.extend(read.semantic_model);
    }
    let mut builder = Builder {
        faults,
        datasets: Vec::new(),
        relationships: Vec::new(),
        dimensions: Vec::new(),
        metrics: Vec::new(),
        paths: Paths::default(),
    };
    for part in &parts {
        part.datasets.iter().for_each(|one| builder.dataset(one));
    }
    for part in &parts {
        part.relationships
            .iter()
            .for_each(|one| builder.relationship(one));
    }
    let of_dimensions: Vec<usize> = builder
        .dimensions
        .iter()
        .map(|one| one.column.dataset)
        .collect();
    builder.paths = Paths::find(
        &builder.datasets,
        &builder.relationships,
        |dataset| of_dimensions.contains(&dataset),
        &mut builder.faults,
    );
    let metrics: Vec<&document::Metric> = parts.iter().flat_map(|part| &part.metrics).collect();
    builder.all_metrics(&metrics);
    builder.finish()
}

struct Builder {
    faults: Faults,
    datasets: Vec<Dataset>,
    relationships: Vec<Relationship>,
    dimensions: Vec<Dimension>,
    metrics: Vec<Metric>,
    paths: Paths,
}

impl Builder {
    fn dataset(&mut self, read: &document::Dataset) {
        let of = format!("dataset {}", read.name);
        if self.datasets.iter().any(|one| one.name == read.name) {
            self.faults.add(&of, "stands twice");
        }
        if read.source.split('.').count() != 2 || !read.source.split('.').all(is_name) {
            let fault = format!("its source '{}' is not schema.table", read.source);
            self.faults.add(&of, fault);
        }
        let extension: Option<extension::Dataset> = self
            .faults
            .note(&of, extension::read(&read.custom_extensions));
        let number = self.datasets.len();
        let mut fields: Vec<Field> = Vec::new();
        for field in &read.fields {
            let of = format!("field {}.{}", read.name, field.name);
            if fields.iter().any(|one| one.name == field.name) {
                self.faults.add(&of, "stands twice");
            }
            let column = field.expression.ansi().unwrap_or_default();
            if !is_name(column) {
                self.faults
                    .add(&of, "its ANSI_SQL expression is not one column");
            }
            fields.push(Field {
                name: field.name.clone(),
                column: column.to_owned(),
                is_time: field.dimension.as_ref().is_some_and(|one| one.is_time),
            });
            if field.dimension.as_ref().is_some_and(|one| !one.is_time) {
                let place = Column {
                    dataset: number,
                    field: fields.len() - 1,
                };
                self.dimension(field, place);
            }
        }
        let (time, paths) =
            extension.map_or((None, Default::default()), |one| (one.time, one.paths));
        let time = time.and_then(|name| {
            let found = fields
                .iter()
                .position(|one| one.name == name && one.is_time);
            if found.is_none() {
                let fault = format!("its time '{name}' is no field that is_time");
                self.faults.add(&of, fault);
            }
            found
        });
        let mut keys = read.unique_keys.clone();
        keys.insert(0, read.primary_key.clone());
        self.datasets.push(Dataset {
            name: read.name.clone(),
            source: read.source.clone(),
            fields,
            time,
            keys,
            paths,
        });
    }

    fn dimension(&mut self, field: &document::Field, column: Column) {
        let of = format!("dimension {}", field.name);
        if self.dimensions.iter().any(|one| one.name == field.name) {
            self.faults.add(&of, "stands twice");
        }
        if !is_name(&field.name) {
            self.faults
                .add(&of, "its name is not of small letters, digits and _");
        }
        let extension = extension::read(&field.custom_extensions);
        let Some(extension): Option<extension::Dimension> = self.faults.note(&of, extension) else {
            return;
        };
        let display = extension.display;
        let names = display
            .iter()
            .flat_map(|one| Language::ALL.map(|lang| one.column(lang)));
        if let Some(wrong) = names.clone().find(|name| !is_name(name)) {
            let fault = format!("its display '{wrong}' is not one column");
            self.faults.add(&of, fault);
        }
        self.dimensions.push(Dimension {
            name: field.name.clone(),
            label: extension.label,
            synonyms: field.ai_context.synonyms.clone(),
            description: field.description.clone().unwrap_or_default(),
            entity: extension.entity,
            values: extension.values,
            display: display.clone(),
            column,
        });
    }

    fn relationship(&mut self, read: &document::Relationship) {
        let of = format!("relationship {}", read.name);
        if self.relationships.iter().any(|one| one.name == read.name) {
            self.faults.add(&of, "stands twice");
        }
        let known = |name: &String| self.datasets.iter().position(|one| one.name == *name);
        let (from, to) = (known(&read.from), known(&read.to));
        for (name, found) in [(&read.from, from), (&read.to, to)] {
            if found.is_none() {
                self.faults.add(&of, format!("{name} is no dataset"));
            }
        }
        let (Some(from), Some(to)) = (from, to) else {
            return;
        };
        for column in &read.from_columns {
            if !self.datasets[from]
                .fields
                .iter()
                .any(|one| one.column == *column)
            {
                let fault = format!("{column} is no column of {}", read.from);
                self.faults.add(&of, fault);
            }
        }
        if !self.datasets[to].keys.contains(&read.to_columns) {
            let columns = read.to_columns.join(", ");
            let fault = format!(
                "{columns} is no key of {}: the join would multiply rows",
                read.to
            );
            self.faults.add(&of, fault);
        }
        if read.from_columns.len() != read.to_columns.len() {
            self.faults
                .add(&of, "from_columns and to_columns differ in number");
        }
        self.relationships.push(Relationship {
            name: read.name.clone(),
            from,
            to,
            from_columns: read.from_columns.clone(),
            to_columns: read.to_columns.clone(),
        });
    }

    fn all_metrics(&mut self, read: &[&document::Metric]) {
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

    fn finish(mut self) -> Result<Model, Faults> {
        words::check(&self.metrics, &self.dimensions, &mut self.faults);
        // Formulas name metrics by their place among all that were read, so what follows needs them whole.
        if !self.faults.none() {
            return Err(self.faults);
        }
        if let Some(circle) = circle(&self.metrics) {
            self.faults
                .add(format!("metric {circle}"), "is made of itself");
            return Err(self.faults);
        }
        let model = Model {
            metrics: self.metrics,
            dimensions: self.dimensions,
            datasets: self.datasets,
            relationships: self.relationships,
            paths: self.paths,
        };
        for one in model.dimensions() {
            if !model
                .metrics()
                .iter()
                .any(|metric| model.reaches(&metric.name, &one.name))
            {
                let of = format!("dimension {}", one.name);
                self.faults.add(of, "no metric has a join path to it");
            }
        }
        for metric in model.metrics() {
            if !model
                .dimensions()
                .iter()
                .any(|one| model.reaches(&metric.name, &one.name))
            {
                let of = format!("metric {}", metric.name);
                self.faults.add(of, "has no join path to any dimension");
            }
        }
        if self.faults.none() {
            Ok(model)
        } else {
            Err(self.faults)
        }
    }
}

/// A metric that is made of itself, through others.
fn circle(metrics: &[Metric]) -> Option<&str> {
    // A chain of more steps than there are metrics has one of them twice.
    fn depth(metrics: &[Metric], at: usize, left: usize) -> bool {
        let parts: Vec<usize> = match &metrics[at].formula {
            Formula::Base { .. } => Vec::new(),
            Formula::Ratio {
                numerator,
                denominator,
            } => numerator.names().chain(denominator.names()).collect(),
            Formula::Derived(expression) => expression.names().collect(),
            Formula::Cumulative(of) => vec![*of],
        };
        left == 0 || parts.into_iter().any(|part| depth(metrics, part, left - 1))
    }
    let found = (0..metrics.len()).find(|at| depth(metrics, *at, metrics.len()))?;
    Some(&metrics[found].name)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}
