//! From documents to a model. Goes on after a fault, to find the others.

mod metrics;

use contracts::Language;

use super::{
    Column, Dataset, Dimension, Faults, Field, Formula, Metric, Model, Relationship, Rollup,
    document, extension, paths::Paths, words,
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
        let bridge = extension.as_ref().is_some_and(|one| one.bridge);
        let (time, paths, rollups) = extension
            .map_or((None, Default::default(), Vec::new()), |one| {
                (one.time, one.paths, one.rollups)
            });
        let rollups = rollups
            .into_iter()
            .filter_map(|one| self.rollup(&of, &fields, one))
            .collect();
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
            rollups,
            keys,
            paths,
            bridge,
        });
    }

    /// A table of sums, with each of its fields found; or its faults.
    fn rollup(&mut self, of: &str, fields: &[Field], read: extension::Rollup) -> Option<Rollup> {
        let of = format!("{of}, rollup {}", read.source);
        let before = self.faults.0.len();
        if read.source.split('.').count() != 2 || !read.source.split('.').all(is_name) {
            self.faults.add(&of, "its source is not schema.table");
        }
        let mut find = |name: &String| {
            let found = fields.iter().position(|one| one.name == *name);
            if found.is_none() {
                self.faults
                    .add(&of, format!("'{name}' is no field of the dataset"));
            }
            found
        };
        let rollup = Rollup {
            source: read.source.clone(),
            sums: read.sums.iter().filter_map(&mut find).collect(),
            without: read.without.iter().filter_map(&mut find).collect(),
            by_month: read.by_month,
            key: read.key.as_ref().and_then(&mut find),
        };
        (self.faults.0.len() == before).then_some(rollup)
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
            missing: extension.missing,
            drill: extension.drill,
            unreached: extension.unreached,
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
        let bridge = self.datasets[to].bridge;
        if self.datasets[from].bridge {
            let fault = format!("{} is a bridge: nothing leads on from it", read.from);
            self.faults.add(&of, fault);
        }
        if bridge && read.to_columns.len() != 1 {
            let fault = format!("{} is a bridge: one column leads to it", read.to);
            self.faults.add(&of, fault);
        }
        if !bridge && !self.datasets[to].keys.contains(&read.to_columns) {
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
        let bridged = model.dimensions().iter();
        for one in bridged.filter(|one| model.is_bridged(one)).skip(1) {
            let of = format!("dimension {}", one.name);
            self.faults
                .add(of, "is a second one of a bridge: facts are spread over one");
        }
        for one in model.dimensions() {
            if let Some(on) = one
                .drill
                .as_ref()
                .filter(|on| model.dimension(on).is_none())
            {
                let of = format!("dimension {}", one.name);
                self.faults
                    .add(of, format!("its drill '{on}' is no dimension"));
            }
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
