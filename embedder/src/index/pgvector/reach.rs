//! Is there a server? A pool asks again and again until its own deadline, and says no more than that it passed.

use std::time::Duration;

use sqlx::{
    Connection, Error, PgConnection,
    postgres::{PgConnectOptions, PgDatabaseError},
};
use tokio::time::timeout;

use super::{ENGINE, engine_error};
use crate::index::IndexError;

/// Longest that one try to connect may take.
const WITHIN: Duration = Duration::from_secs(3);

/// What a server says that will take connections later: it starts, ends, recovers, or has no room.
/// See PostgreSQL's appendix A.
const LATER: [&str; 4] = ["57P01", "57P02", "57P03", "53300"];

/// Connects once.
pub(super) async fn reach(options: &PgConnectOptions) -> Result<(), IndexError> {
    let connecting = Box::pin(PgConnection::connect_with(options));
    match timeout(WITHIN, connecting).await {
        Ok(Ok(connection)) => {
            // It answered; how it takes the farewell does not matter.
            connection.close().await.ok();
            Ok(())
        }
        Ok(Err(error)) if is_away(&error) => Err(IndexError::Away {
            engine: ENGINE,
            reason: format!("PostgreSQL cannot be reached: {error}"),
        }),
        Ok(Err(error)) => Err(engine_error(error)),
        Err(_) => Err(IndexError::Deadline {
            engine: ENGINE,
            millis: WITHIN.as_millis(),
        }),
    }
}

fn is_away(error: &Error) -> bool {
    match error {
        Error::Io(_) => true,
        Error::Database(error) => {
            let code = error.try_downcast_ref::<PgDatabaseError>();
            code.is_some_and(|error| LATER.contains(&error.code()))
        }
        _ => false,
    }
}
