//! The command line and the environment.

mod rate_limit;

use std::{convert::Infallible, net::SocketAddr, num::NonZeroU32, sync::Arc, time::Duration};

use audit::{Audit, AuditConfig, AuditOptions, Destination};
use auth::{AssertionKey, AssertionSigner, ClientCredentials, Issuer, TokenSource};
use clap::{Args, Parser, Subcommand};
use contracts::Scope;
use mcp_gateway::{
    Config, TellingCallers, Tokens,
    http::{HttpConfig, HttpConfigError, Limits},
};
use secrecy::{ExposeSecret as _, SecretString};
use service_kit::{
    Clock,
    settings::ServiceOptions,
    telemetry::{LogFormat, TraceOptions},
    tls::TlsOptions,
};
use url::Url;

use rate_limit::RateLimitOptions;

/// Longest that any call to another service may take; most have shorter deadlines.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// Shortest key that seals or signs, in bytes.
const MIN_KEY_BYTES: usize = 32;

/// The MCP front door of PromptSales.
#[derive(Parser)]
#[command(version = service_kit::VERSION)]
pub struct Options {
    #[command(flatten)]
    pub upstream: Upstream,
    #[command(flatten)]
    pub traces: TraceOptions,
    /// Write logs as JSON.
    #[arg(long, env = "MCP_GATEWAY_LOG_JSON", global = true)]
    log_json: bool,
    #[command(subcommand)]
    pub command: Command,
}

impl Options {
    pub fn log_format(&self) -> LogFormat {
        if self.log_json {
            LogFormat::Json
        } else {
            LogFormat::Text
        }
    }
}

impl ServiceOptions for Options {
    const PREFIX: &'static str = "MCP_GATEWAY";

    fn faults(&self) -> Vec<String> {
        let of_command: Vec<String> = match &self.command {
            Command::Stdio => self.upstream.audit_fault().into_iter().collect(),
            Command::Http(options) => {
                let fault = options.config().err().map(|fault| fault.to_string());
                let tls = options.tls.open().err().map(|fault| fault.to_string());
                fault
                    .into_iter()
                    .chain(tls)
                    .chain(options.rate_limit.faults())
                    .collect()
            }
        };
        of_command
            .into_iter()
            .chain(self.upstream.faults())
            .collect()
    }
}

#[derive(Subcommand)]
pub enum Command {
    /// Serve one assistant over standard input and output.
    Stdio,
    /// Serve streamable HTTP as an OAuth resource server.
    Http(Box<HttpOptions>),
}

/// The services behind, and as whom they are called.
#[derive(Args)]
pub struct Upstream {
    /// content-api's base URL.
    #[arg(long, env = "MCP_GATEWAY_CONTENT_API")]
    content_api: Url,
    /// Where clients reach content-api, for the addresses of images; its base URL when absent.
    #[arg(long, env = "MCP_GATEWAY_CONTENT_PUBLIC_URL")]
    content_public_url: Option<Url>,
    /// sales-warehouse's base URL.
    #[arg(long, env = "MCP_GATEWAY_SALES_WAREHOUSE")]
    sales_warehouse: Url,
    /// The embedder's base URL.
    #[arg(long, env = "MCP_GATEWAY_EMBEDDER")]
    embedder: Url,
    /// The authorization server's token endpoint.
    #[arg(long, env = "MCP_GATEWAY_TOKEN_URL")]
    token_url: Url,
    /// The gateway's own OAuth client.
    #[arg(long, env = "MCP_GATEWAY_CLIENT_ID")]
    client_id: String,
    /// Its secret; give it through the environment or a file, where other users cannot list it.
    #[arg(long, env = "MCP_GATEWAY_CLIENT_SECRET", hide_env_values = true, value_parser = secret)]
    client_secret: SecretString,
    /// The audience of content-api's tokens, where the authorization server needs it named.
    #[arg(long, env = "MCP_GATEWAY_CONTENT_AUDIENCE")]
    content_audience: Option<String>,
    /// The audience of sales-warehouse's tokens; content-api's when absent.
    #[arg(long, env = "MCP_GATEWAY_SALES_AUDIENCE")]
    sales_audience: Option<String>,
    /// The audience of the embedder's tokens; content-api's when absent.
    #[arg(long, env = "MCP_GATEWAY_EMBEDDER_AUDIENCE")]
    embedder_audience: Option<String>,
    /// Seals what campaigns are confirmed with, 32 characters or more, the same one on every replica;
    /// each process makes its own when absent.
    #[arg(long, env = "MCP_GATEWAY_CONFIRMATION_KEY", hide_env_values = true, value_parser = secret)]
    confirmation_key: Option<SecretString>,
    /// Signs what the services behind are told about who asks: a P-256 private key, PKCS #8 in PEM.
    /// They know the gateway alone when absent. Needs content-audience.
    #[arg(long, env = "MCP_GATEWAY_CALLER_KEY", hide_env_values = true, value_parser = secret)]
    caller_key: Option<SecretString>,
    #[command(flatten)]
    audit: AuditOptions,
}

impl Upstream {
    pub fn gateway(&self) -> Config {
        let mut config = Config::new(
            self.content_api.clone(),
            self.sales_warehouse.clone(),
            self.embedder.clone(),
        );
        if let Some(public_url) = &self.content_public_url {
            config.content_public_url = public_url.clone();
        }
        config.confirmation_key = self.confirmation_key.clone();
        // What is wrong with it was told as a fault.
        config.callers = self.callers().ok().flatten();
        config
    }

    fn callers(&self) -> Result<Option<TellingCallers>, String> {
        let Some(pem) = &self.caller_key else {
            return Ok(None);
        };
        let key = AssertionKey::from_pem(pem).map_err(|fault| format!("caller_key: {fault}"))?;
        let content = self.content_audience.clone().ok_or(
            "content_audience is missing: with a caller_key, the services behind have to be named",
        )?;
        let or_content = |own: &Option<String>| own.clone().unwrap_or_else(|| content.clone());
        Ok(Some(TellingCallers {
            signer: AssertionSigner::new(&self.client_id, key, Clock::system()),
            sales_audience: or_content(&self.sales_audience),
            embedder_audience: or_content(&self.embedder_audience),
            content_audience: content,
        }))
    }

    fn faults(&self) -> Vec<String> {
        let length = |key: &SecretString| key.expose_secret().len();
        let confirmation = self.confirmation_key.as_ref().map(length);
        let short = confirmation
            .filter(|length| *length < MIN_KEY_BYTES)
            .map(|length| {
                format!("the confirmation key has {length} bytes: expected {MIN_KEY_BYTES} or more")
            });
        let faults = short.into_iter().chain(self.callers().err());
        faults.chain(self.audit_config().err()).collect()
    }

    /// Standard output is the protocol's there.
    fn audit_fault(&self) -> Option<String> {
        let config = self.audit_config().ok().flatten();
        let taken = config.is_some_and(|config| config.destination == Destination::Stdout);
        taken.then(|| {
            "audit is stdout, which over stdio belongs to the protocol: name a directory".to_owned()
        })
    }

    fn audit_config(&self) -> Result<Option<AuditConfig>, String> {
        self.audit.config("mcp-gateway")
    }

    /// Opens where audit events go.
    pub fn audit(&self) -> anyhow::Result<Audit> {
        let config = self.audit_config().map_err(anyhow::Error::msg)?;
        Ok(Audit::of(config, Clock::system())?)
    }

    /// A token source of its own for each service: none can do more there than it must.
    pub fn tokens(&self, client: &reqwest::Client) -> Tokens {
        let source = |scope: Scope, audience: Option<&String>| {
            let credentials = self.credentials(scope, audience.or(self.content_audience.as_ref()));
            Arc::new(TokenSource::new(
                credentials,
                client.clone(),
                Clock::system(),
            ))
        };
        Tokens {
            content: source(Scope::ContentRead, None),
            campaigns: source(Scope::CampaignsWrite, None),
            embedder: source(Scope::ContentRead, self.embedder_audience.as_ref()),
            sales: source(Scope::SalesRead, self.sales_audience.as_ref()),
        }
    }

    fn credentials(&self, scope: Scope, audience: Option<&String>) -> ClientCredentials {
        ClientCredentials {
            token_url: self.token_url.clone(),
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.clone(),
            scopes: [scope].into_iter().collect(),
            resource: audience.cloned(),
        }
    }
}

#[derive(Args)]
pub struct HttpOptions {
    /// The address to listen on.
    #[arg(long, env = "MCP_GATEWAY_LISTEN", default_value = "127.0.0.1:7430")]
    pub listen: SocketAddr,
    #[command(flatten)]
    pub tls: TlsOptions,
    /// Where to serve `/metrics`, which takes no token: a port that only the cluster reaches. Off when absent.
    #[arg(long, env = "MCP_GATEWAY_METRICS_ADDRESS", value_name = "ADDRESS")]
    pub metrics_address: Option<SocketAddr>,
    /// The origin at which clients reach the gateway; {public-url}/mcp is the tokens' audience.
    #[arg(long, env = "MCP_GATEWAY_PUBLIC_URL")]
    public_url: Url,
    /// The issuer of the callers' tokens, spelt as in their iss claim.
    #[arg(long, env = "MCP_GATEWAY_ISSUER")]
    issuer: Issuer,
    /// Where the issuer's keys are; its metadata says so when this is absent.
    #[arg(long, env = "MCP_GATEWAY_JWKS_URI")]
    pub jwks_uri: Option<Url>,
    /// Origins of web pages that may call; none when absent. May be repeated.
    #[arg(
        long = "allowed-origin",
        env = "MCP_GATEWAY_ALLOWED_ORIGINS",
        value_delimiter = ','
    )]
    allowed_origins: Vec<Url>,
    /// Host headers to accept besides the public URL's. May be repeated.
    #[arg(
        long = "allowed-host",
        env = "MCP_GATEWAY_ALLOWED_HOSTS",
        value_delimiter = ','
    )]
    allowed_hosts: Vec<String>,
    /// Requests of one client: so many at once, and as many a minute from then on; 0 for no bound.
    #[arg(long, env = "MCP_GATEWAY_REQUESTS_PER_MINUTE", default_value_t = 1_200)]
    requests_per_minute: u32,
    /// Calls of one tool by one client, likewise.
    #[arg(long, env = "MCP_GATEWAY_CALLS_PER_MINUTE", default_value_t = 600)]
    calls_per_minute: u32,
    /// Calls of one tool that writes by one client, likewise.
    #[arg(long, env = "MCP_GATEWAY_WRITES_PER_MINUTE", default_value_t = 60)]
    writes_per_minute: u32,
    #[command(flatten)]
    pub rate_limit: RateLimitOptions,
}

impl HttpOptions {
    pub fn config(&self) -> Result<HttpConfig, HttpConfigError> {
        let mut config = HttpConfig::new(
            &self.public_url,
            self.issuer.clone(),
            &self.allowed_origins,
            &self.allowed_hosts,
        )?;
        config.limits = Limits {
            requests_per_minute: NonZeroU32::new(self.requests_per_minute),
            calls_per_minute: NonZeroU32::new(self.calls_per_minute),
            writes_per_minute: NonZeroU32::new(self.writes_per_minute),
        };
        Ok(config)
    }
}

fn secret(text: &str) -> Result<SecretString, Infallible> {
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};
    use service_kit::settings::{ServiceOptions as _, reference};

    use super::Options;

    /// What it needs, and these.
    fn options(more: &[&str]) -> Options {
        let needed = [
            "mcp-gateway",
            "--content-api=http://c",
            "--sales-warehouse=http://s",
            "--embedder=http://e",
            "--token-url=http://i/token",
            "--client-id=gateway",
            "--client-secret=secret",
        ];
        Options::try_parse_from([&needed, more].concat()).unwrap()
    }

    #[test]
    fn it_says_which_build_it_is() {
        let command = Options::command();
        assert_eq!(command.get_version(), Some(service_kit::VERSION));
    }

    #[test]
    fn a_short_confirmation_key_is_a_fault_and_is_not_shown() {
        for (key, faults) in [("x".repeat(31), 1), ("x".repeat(32), 0)] {
            let found = options(&[&format!("--confirmation-key={key}"), "stdio"]).faults();
            assert_eq!(found.len(), faults, "{found:?}");
            assert!(!found.concat().contains(&key));
        }
    }

    #[test]
    fn a_redis_that_makes_no_sense_is_a_fault_of_http_alone() {
        let http = ["http", "--public-url=http://g", "--issuer=http://i"];
        let odd = ["--rate-limit-url=redis://:hunter2@a,b"];
        let more = ["--rate-limit-deadline-ms=0", "--rate-limit-prefix=a b"];
        for (arguments, faults) in [
            (&http[..], 0),
            (&[&http[..], &["--rate-limit-url=redis://h"]].concat(), 0),
            // Nothing is asked of what is not used.
            (&[&http[..], &more].concat(), 0),
            (&[&http[..], &odd, &more].concat(), 3),
        ] {
            let found = options(arguments).faults();
            assert_eq!(found.len(), faults, "{found:?}");
            let named = |fault: &String| fault.starts_with("rate-limit-");
            assert!(found.iter().all(named), "{found:?}");
            assert!(!found.concat().contains("hunter2"));
        }
    }

    #[test]
    fn a_caller_key_is_one_and_needs_the_audience() {
        let good = auth::AssertionKey::generate_pem();
        let good = secrecy::ExposeSecret::expose_secret(&good);
        for (key, audience, fault) in [
            (good, "--content-audience=https://api", None),
            (
                good,
                "--sales-audience=https://sales",
                Some("content_audience is missing"),
            ),
            (
                "s3cret",
                "--content-audience=https://api",
                Some("openssl genpkey"),
            ),
        ] {
            let options = options(&[&format!("--caller-key={key}"), audience, "stdio"]);
            let found = options.faults().concat();
            match fault {
                None => assert_eq!(found, ""),
                Some(fault) => assert!(found.contains(fault), "{found}"),
            }
            assert!(!found.contains("s3cret"));
            assert_eq!(
                options.upstream.gateway().callers.is_some(),
                fault.is_none()
            );
        }
    }

    #[test]
    fn over_stdio_audit_events_cannot_go_to_standard_output() {
        let faults = options(&["--audit=stdout", "stdio"]).faults().concat();
        assert!(faults.contains("name a directory"), "{faults}");
    }

    /// `mcp-gateway --print-config > mcp-gateway/mcp-gateway.toml`
    #[test]
    fn the_documented_configuration_is_up_to_date() {
        assert_eq!(reference::<Options>(), include_str!("../mcp-gateway.toml"));
    }
}
