//! From a URL to a database.

use std::time::Duration;

use mongodb::{
    Client, Database,
    bson::doc,
    error::Result,
    options::{ClientOptions, ReadConcern, WriteConcern},
};
use secrecy::{ExposeSecret, SecretString};

use super::custom;

/// The database, where the URL names none.
const DATABASE: &str = "promptcontent";
/// Most connections of one service to one server.
const MAX_CONNECTIONS: u32 = 20;
/// A request that finds no server in this time is better told so.
const SELECTION_TIMEOUT: Duration = Duration::from_secs(3);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A server that died is noticed in this time, and by the first call that fails.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// A client, which connects when it is first used, and the database. Options in the URL win over
/// ours.
pub(super) async fn connect(url: &SecretString) -> Result<(Client, Database)> {
    let mut options = ClientOptions::parse(url.expose_secret()).await?;
    options
        .app_name
        .get_or_insert_with(|| "content-api".to_owned());
    options.max_pool_size.get_or_insert(MAX_CONNECTIONS);
    options
        .server_selection_timeout
        .get_or_insert(SELECTION_TIMEOUT);
    options.connect_timeout.get_or_insert(CONNECT_TIMEOUT);
    options.heartbeat_freq.get_or_insert(HEARTBEAT);
    // Where the servers are a replica set, a write that was told to be done survives the loss of one,
    // and nothing is read that may still be taken back.
    options
        .write_concern
        .get_or_insert_with(WriteConcern::majority);
    options
        .read_concern
        .get_or_insert_with(ReadConcern::majority);
    options.retry_writes.get_or_insert(true);
    options.retry_reads.get_or_insert(true);
    let database = options.default_database.clone();
    let client = Client::with_options(options)?;
    let database = client.database(database.as_deref().unwrap_or(DATABASE));
    Ok((client, database))
}

/// Name and version, such as `MongoDB 8.0.4`.
pub(super) async fn server(database: &Database) -> Result<String> {
    let info = database.run_command(doc! {"buildInfo": 1}).await?;
    if let Ok(document) = info.get_document("ferretdb")
        && let Ok(version) = document.get_str("version")
    {
        return Ok(format!("FerretDB {version}"));
    }
    if let Ok(version) = info.get_str("ferretdbVersion") {
        return Ok(format!("FerretDB {version}"));
    }
    let version = info.get_str("version").map_err(custom)?;
    Ok(format!("MongoDB {version}"))
}
