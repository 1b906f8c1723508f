//! From options to settings, with everything that is wrong with them.

use std::{net::SocketAddr, ops::RangeInclusive, str::FromStr, time::Duration};

use anyhow::bail;
use auth::{ClientCredentials, Issuer};
use contracts::Scopes;
use sales_warehouse::{
    etl::SourceConfig,
    source::{ChangeFeed, System},
};
use secrecy::{ExposeSecret, SecretString};
use service_kit::{Clock, http_client, with_causes};
use sqlx::postgres::PgConnectOptions;
use url::Url;

use super::{Content, Databases, Serve, serve::ServeSettings};

/// Below a minute a run would hardly get anywhere; above a day nobody would hear of one that hangs.
const RUN_LIMIT_SECONDS: RangeInclusive<u64> = 60..=86_400;

/// Longest that the issuer may take with a token. The feed's pages have a deadline of their own.
const CALL_DEADLINE: Duration = Duration::from_secs(10);

/// What is wrong with a configuration: one sentence each, none of which repeats a secret.
#[derive(Debug, Default)]
pub struct Faults(Vec<String>);

impl Faults {
    /// The value of an option, or `None` and its fault noted, once however often the option is asked for.
    fn note<T>(&mut self, outcome: Result<T, String>) -> Option<T> {
        let once = |fault| {
            if !self.0.contains(&fault) {
                self.0.push(fault);
            }
        };
        outcome.map_err(once).ok()
    }

    /// The settings, if nothing is wrong.
    pub fn or<T>(self, settings: Option<T>) -> anyhow::Result<T> {
        match settings {
            Some(settings) if self.0.is_empty() => Ok(settings),
            _ => bail!(
                "the configuration does not work:\n- {}",
                self.0.join("\n- ")
            ),
        }
    }
}

/// The warehouse, and how it is run.
pub struct WarehouseSettings {
    /// Its URL.
    pub url: SecretString,
    /// Longest that a run may take.
    pub run_limit: Duration,
}

impl From<Faults> for Vec<String> {
    fn from(faults: Faults) -> Self {
        faults.0
    }
}

impl Databases {
    /// The warehouse.
    pub fn warehouse(&self, faults: &mut Faults) -> Option<WarehouseSettings> {
        let url = faults.note(url("database-url", self.database_url.as_ref()));
        let run_limit = faults.note(run_limit(&self.run_limit));
        Some(WarehouseSettings {
            url: url?,
            run_limit: run_limit?,
        })
    }

    /// Both databases that are sources.
    pub fn sources(&self, faults: &mut Faults) -> Option<Vec<SourceConfig>> {
        let ads = faults.note(url("promptads-url", self.promptads_url.as_ref()));
        let crm = faults.note(url("promptcrm-url", self.promptcrm_url.as_ref()));
        let config = |system, url| SourceConfig::Postgres { system, url };
        Some(vec![
            config(System::PromptAds, ads?),
            config(System::PromptCrm, crm?),
        ])
    }
}

impl Content {
    /// The change feed; `Some(None)` where there is none to read.
    fn feed(&self, serve: &Serve, faults: &mut Faults) -> Option<Option<ChangeFeed>> {
        if self.content_api_url.is_none() {
            return Some(None);
        }
        let base = faults.note(web_url("content-api-url", self.content_api_url.as_deref()));
        let token_url = faults.note(web_url("token-url", serve.token_url.as_deref()));
        let client_id = faults.note(given("client-id", self.client_id.as_deref()));
        let client_secret = faults.note(secret("client-secret", self.client_secret.as_ref()));
        let http = http_client::build(CALL_DEADLINE)
            .map_err(|error| format!("no HTTP client: {}", with_causes(&error)));
        let http = faults.note(http);
        let audience = self
            .content_api_audience
            .as_ref()
            .or(serve.audience.as_ref());
        let credentials = ClientCredentials {
            token_url: token_url?,
            client_id: client_id?.to_owned(),
            client_secret: client_secret?,
            scopes: Scopes::default(),
            resource: audience.cloned(),
        };
        let feed = ChangeFeed::new(&base?, http?, credentials, Clock::system());
        Some(Some(feed))
    }
}

impl Serve {
    /// All sources.
    pub fn sources(
        &self,
        databases: &Databases,
        content: &Content,
        faults: &mut Faults,
    ) -> Option<Vec<SourceConfig>> {
        let sources = databases.sources(faults);
        let feed = content.feed(self, faults);
        let (mut sources, feed) = sources.zip(feed)?;
        sources.extend(feed.map(SourceConfig::ChangeFeed));
        Some(sources)
    }

    /// The warehouse and all sources.
    pub fn all(
        &self,
        databases: &Databases,
        content: &Content,
        mut faults: Faults,
    ) -> anyhow::Result<(WarehouseSettings, Vec<SourceConfig>)> {
        let warehouse = databases.warehouse(&mut faults);
        let sources = self.sources(databases, content, &mut faults);
        faults.or(warehouse.zip(sources))
    }

    /// Everything that serving takes.
    pub fn settings(
        &self,
        databases: &Databases,
        content: &Content,
        faults: &mut Faults,
    ) -> Option<ServeSettings> {
        let warehouse = databases.warehouse(faults);
        let sources = if self.no_schedule {
            Some(Vec::new())
        } else {
            self.sources(databases, content, faults)
        };
        let listen = faults.note(address("listen", &self.listen));
        let metrics = match self.metrics_address.as_deref() {
            Some(text) => faults.note(address("metrics-address", text)).map(Some),
            None => Some(None),
        };
        let tls = faults.note(self.tls.open().map_err(|error| error.to_string()));
        let issuer = faults.note(given("issuer", self.issuer.as_deref()).and_then(|text| {
            Issuer::from_str(text).map_err(|error| format!("--issuer '{text}': {error}"))
        }));
        let audience = faults.note(given("audience", self.audience.as_deref()));
        let gateways = faults.note(self.callers.gateways());
        let audit = faults.note(self.audit.config("sales-warehouse"));
        let public_url = faults.note(web_url("public-url", self.public_url.as_deref()));
        let token_url = faults.note(web_url("token-url", self.token_url.as_deref()));
        Some(ServeSettings {
            warehouse: warehouse?,
            sources: sources?,
            listen: listen?,
            metrics: metrics?,
            tls: tls?,
            issuer: issuer?,
            audience: audience?.to_owned(),
            gateways: gateways?,
            audit: audit?,
            public_url: public_url?,
            token_url: token_url?,
        })
    }
}

/// The environment variable of an option.
fn variable(option: &str) -> String {
    format!(
        "SALES_WAREHOUSE_{}",
        option.replace('-', "_").to_uppercase()
    )
}

fn given<'a>(option: &str, value: Option<&'a str>) -> Result<&'a str, String> {
    value
        .filter(|text| !text.is_empty())
        .ok_or_else(|| format!("--{option} is missing: give it, or {}", variable(option)))
}

fn secret(option: &str, value: Option<&SecretString>) -> Result<SecretString, String> {
    let stated = value.filter(|one| !one.expose_secret().is_empty());
    stated.cloned().ok_or_else(|| {
        format!(
            "--{option} is missing: give {0}, or {0}_FILE with the name of a file that holds it",
            variable(option)
        )
    })
}

fn web_url(option: &str, value: Option<&str>) -> Result<Url, String> {
    let text = given(option, value)?;
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| format!("--{option} is '{text}': expected http:// or https://"))
}

fn run_limit(value: &str) -> Result<Duration, String> {
    let seconds = value.parse().ok();
    seconds
        .filter(|seconds| RUN_LIMIT_SECONDS.contains(seconds))
        .map(Duration::from_secs)
        .ok_or_else(|| {
            let (least, most) = (RUN_LIMIT_SECONDS.start(), RUN_LIMIT_SECONDS.end());
            format!("--run-limit is '{value}': expected {least} to {most} seconds")
        })
}

fn address(option: &str, value: &str) -> Result<SocketAddr, String> {
    value.parse().map_err(|_| {
        format!("--{option} is '{value}': expected an address and a port, as 0.0.0.0:7440")
    })
}

fn url(option: &str, value: Option<&SecretString>) -> Result<SecretString, String> {
    let text = value.ok_or_else(|| {
        format!(
            "--{option} is missing: give {0}, or {0}_FILE with the name of a file that holds it",
            variable(option)
        )
    })?;
    let known = ["postgres://", "postgresql://"];
    let sound = known
        .iter()
        .any(|scheme| text.expose_secret().starts_with(scheme))
        && PgConnectOptions::from_str(text.expose_secret()).is_ok();
    if !sound {
        return Err(format!(
            "--{option} is no PostgreSQL URL: expected postgres://user:password@host:port/database"
        ));
    }
    Ok(text.clone())
}
