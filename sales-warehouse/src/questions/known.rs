//! Members of dimensions as the database names them.

use std::sync::Arc;

use contracts::Language;
use sales_questions::{
    Members, Model,
    answering::{Cell, Names},
    compiling::vocabulary,
    reading::Reader,
};
use time::Date;

use super::{QuestionError, execute};
use crate::Warehouse;

/// What is known of the database's members.
pub struct Known {
    /// The last run of the ETL when they were read.
    pub run: Option<i64>,
    /// All members.
    pub members: Members,
    /// Reads questions about them.
    pub reader: Reader,
    /// For answers.
    pub names: Names,
    /// Currencies without a rate for a month, by its first day: their amounts are not added up.
    pub rate_gaps: Vec<(String, Date)>,
}

impl Known {
    pub(super) async fn read(
        warehouse: &Warehouse,
        model: &Model,
        run: Option<i64>,
        today: Date,
    ) -> Result<Self, QuestionError> {
        let (mut members, mut names) = (Members::of(model), Names::default());
        for (dimension, statement) in vocabulary(model) {
            // All of them: the bound on answers is for readers.
            let rows = execute::all(warehouse, &statement).await?;
            for row in rows {
                add(&mut members, &mut names, &dimension.name, &row);
            }
        }
        let gaps = sqlx::query_as(include_str!("known/rate_gaps.sql")).bind(today);
        Ok(Self {
            run,
            rate_gaps: gaps.fetch_all(warehouse.reader()).await?,
            reader: Reader::new(Arc::new(model.clone()), members.clone()),
            members,
            names,
        })
    }
}

fn add(members: &mut Members, names: &mut Names, dimension: &str, row: &[Cell]) {
    let Some(Cell::Text(code)) = row.first() else {
        return;
    };
    let mut found = Vec::new();
    for (language, cell) in Language::ALL.into_iter().zip(&row[1..]) {
        if let Cell::Text(name) = cell {
            names.add(dimension, code, language, name);
            found.push(name.as_str());
        }
    }
    members.add(dimension, code, &found);
}

/// The last run of the ETL that has ended.
pub async fn last_run(warehouse: &Warehouse) -> Result<Option<i64>, QuestionError> {
    let run = sqlx::query_scalar(include_str!("known/last_run.sql"));
    Ok(run.fetch_one(warehouse.reader()).await?)
}

/// Columns that the model reads and the database does not have.
pub async fn missing_columns(
    warehouse: &Warehouse,
    model: &Model,
) -> Result<Vec<String>, QuestionError> {
    let (sources, columns): (Vec<&str>, Vec<&str>) = model.columns().unzip();
    let missing = sqlx::query_scalar(include_str!("known/missing_columns.sql"))
        .bind(sources)
        .bind(columns);
    Ok(missing.fetch_all(warehouse.reader()).await?)
}
