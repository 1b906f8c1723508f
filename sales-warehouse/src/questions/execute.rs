//! Running the one SELECT.

use sales_questions::{
    Statement,
    answering::Cell,
    compiling::{Bind, ColumnType, MAX_ROWS},
};
use sqlx::{AssertSqlSafe, Postgres, Row, postgres::PgRow, query::Query};

use super::QuestionError;
use crate::Warehouse;

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// In order, as the statement's columns say.
    pub rows: Vec<Vec<Cell>>,
    /// Whether there are more.
    pub truncated: bool,
}

/// Runs a statement as a reader, read-only, within a deadline.
pub async fn run(warehouse: &Warehouse, statement: &Statement) -> Result<Rows, QuestionError> {
    let mut rows = all(warehouse, statement).await?;
    let most = MAX_ROWS as usize;
    let truncated = rows.len() > most;
    rows.truncate(most);
    Ok(Rows { rows, truncated })
}

/// The same without a bound on rows.
pub(super) async fn all(
    warehouse: &Warehouse,
    statement: &Statement,
) -> Result<Vec<Vec<Cell>>, QuestionError> {
    let mut transaction = warehouse.reader().begin_with("BEGIN READ ONLY").await?;
    sqlx::query(include_str!("execute/deadline.sql"))
        .execute(&mut *transaction)
        .await?;
    // Its names come from the model alone and its values are parameters; the compiler sees to that.
    let mut query = sqlx::query(AssertSqlSafe(statement.sql.clone()));
    for bind in &statement.binds {
        query = bound(query, bind.clone());
    }
    // A statement is seldom asked twice, and its plan should know the days that it is asked for.
    let found = query.persistent(false).fetch_all(&mut *transaction).await?;
    transaction.rollback().await?;
    let rows = found.iter().map(|row| cells(row, statement));
    Ok(rows.collect::<Result<_, _>>()?)
}

type Bound<'q> = Query<'q, Postgres, sqlx::postgres::PgArguments>;

fn bound(query: Bound<'_>, bind: Bind) -> Bound<'_> {
    match bind {
        Bind::Text(value) => query.bind(value),
        Bind::Texts(values) => query.bind(values),
        Bind::Number(value) => query.bind(value),
        Bind::Integer(value) => query.bind(value),
        Bind::Date(value) => query.bind(value),
    }
}

fn cells(row: &PgRow, statement: &Statement) -> Result<Vec<Cell>, sqlx::Error> {
    let columns = statement.columns.iter().enumerate();
    columns
        .map(|(place, column)| {
            let cell = match column.kind {
                ColumnType::Text => row.try_get::<Option<_>, _>(place)?.map(Cell::Text),
                ColumnType::Date => row.try_get::<Option<_>, _>(place)?.map(Cell::Day),
                ColumnType::Integer => row.try_get::<Option<_>, _>(place)?.map(Cell::Integer),
                ColumnType::Number => row.try_get::<Option<_>, _>(place)?.map(Cell::Number),
            };
            Ok(cell.unwrap_or(Cell::Null))
        })
        .collect()
}
