//! Where replicas count together how often a client comes.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use redis_link::{Fault, Settings, SharedCounters};
use secrecy::SecretString;

/// Redis, if it is named; else each process counts for itself.
#[derive(Args)]
pub struct RateLimitOptions {
    /// The Redis in which replicas count requests and calls together: `redis://host:6379/0`,
    /// `redis-sentinel://host:26379,host2/MASTER` or `redis-cluster://host,host2`; `rediss` in place
    /// of `redis` for TLS. May hold `user:password@`. Without it each replica gives the whole budget.
    #[arg(long, env = "MCP_GATEWAY_RATE_LIMIT_URL", hide_env_values = true)]
    rate_limit_url: Option<SecretString>,
    /// An ACL user of that Redis.
    #[arg(long, env = "MCP_GATEWAY_RATE_LIMIT_USER")]
    rate_limit_user: Option<String>,
    /// Its password. Give it through the environment or a file, where no process list shows it.
    #[arg(long, env = "MCP_GATEWAY_RATE_LIMIT_PASSWORD", hide_env_values = true)]
    rate_limit_password: Option<SecretString>,
    /// A user of the Sentinels, if they ask for one.
    #[arg(long, env = "MCP_GATEWAY_RATE_LIMIT_SENTINEL_USER")]
    rate_limit_sentinel_user: Option<String>,
    /// Their password, if they ask for one.
    #[arg(
        long,
        env = "MCP_GATEWAY_RATE_LIMIT_SENTINEL_PASSWORD",
        hide_env_values = true
    )]
    rate_limit_sentinel_password: Option<SecretString>,
    /// Certificate authorities of that Redis in PEM, in place of the system's.
    #[arg(long, env = "MCP_GATEWAY_RATE_LIMIT_CA_FILE")]
    rate_limit_ca_file: Option<PathBuf>,
    /// How keys begin. Deployments that share a Redis need different ones.
    #[arg(
        long,
        env = "MCP_GATEWAY_RATE_LIMIT_PREFIX",
        default_value = "promptsales"
    )]
    rate_limit_prefix: String,
    /// Longest that a request waits for Redis, in milliseconds; then its replica decides alone.
    #[arg(long, env = "MCP_GATEWAY_RATE_LIMIT_DEADLINE_MS", default_value_t = 50)]
    rate_limit_deadline_ms: u64,
}

impl RateLimitOptions {
    /// What replicas count by; `None` when no Redis is named.
    pub async fn open(&self) -> anyhow::Result<Option<SharedCounters>> {
        let Some(settings) = self.settings() else {
            return Ok(None);
        };
        let config = settings
            .check()
            .map_err(|faults| anyhow::anyhow!(said(&faults).join("; ")))?;
        let started = SharedCounters::start(&config).await;
        let counters = started.map_err(|fault| anyhow::anyhow!(said(&[fault]).concat()))?;
        Ok(Some(counters))
    }

    /// What is wrong, one line each.
    pub fn faults(&self) -> Vec<String> {
        let faults = self.settings().and_then(|settings| settings.check().err());
        said(&faults.unwrap_or_default())
    }

    fn settings(&self) -> Option<Settings> {
        let url = self.rate_limit_url.clone()?;
        Some(Settings {
            user: self.rate_limit_user.clone(),
            password: self.rate_limit_password.clone(),
            sentinel_user: self.rate_limit_sentinel_user.clone(),
            sentinel_password: self.rate_limit_sentinel_password.clone(),
            ca_file: self.rate_limit_ca_file.clone(),
            prefix: self.rate_limit_prefix.clone(),
            deadline: Duration::from_millis(self.rate_limit_deadline_ms),
            ..Settings::new(url)
        })
    }
}

fn said(faults: &[Fault]) -> Vec<String> {
    let messages = faults.iter().map(|fault| fault.message("rate-limit"));
    messages.collect()
}
