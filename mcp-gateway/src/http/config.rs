//! Who the resource server is, and from where it may be called.

use auth::{Issuer, VerifierConfig, protected_resource_metadata, protected_resource_metadata_url};
use contracts::Scopes;
use redis_link::SharedCounters;
use serde_json::Value;
use url::{Host, Origin, Url};

use super::Limits;
use crate::tools::GatewayTool;

/// Where the gateway is reached and who may reach it.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    resource: Url,
    issuer: Issuer,
    allowed_origins: Vec<String>,
    allowed_hosts: Vec<String>,
    /// How often each client may come.
    pub limits: Limits,
    /// Where replicas count that together; each process counts for itself when absent.
    pub counters: Option<SharedCounters>,
}

/// Why a configuration makes no sense.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum HttpConfigError {
    /// The public URL is not an origin.
    #[error(
        "the public URL {0} is not usable: expected an http(s) origin without path and query, such \
         as https://mcp.example.com; /mcp is appended"
    )]
    PublicUrl(String),
    /// An entry of the allowed origins is not an origin.
    #[error(
        "the allowed origin {0} is not usable: expected scheme, host and port alone, such as \
         https://app.example.com or http://localhost:6274"
    )]
    AllowedOrigin(String),
}

impl HttpConfig {
    /// `public_url` is the origin at which clients reach the gateway; `{public_url}/mcp` is its
    /// resource identifier, and so the audience of its tokens. `issuer` makes those tokens.
    ///
    /// Browsers are refused unless their page's origin is in `allowed_origins`; programs send none.
    /// `allowed_hosts` (`name` for any port or `name:port`) adds to the public URL's own host; where
    /// that is a loopback address, every loopback name is allowed.
    pub fn new(
        public_url: &Url,
        issuer: Issuer,
        allowed_origins: &[Url],
        allowed_hosts: &[String],
    ) -> Result<Self, HttpConfigError> {
        let unusable = || HttpConfigError::PublicUrl(public_url.to_string());
        if !is_origin(public_url) {
            return Err(unusable());
        }
        let resource = public_url.join(super::MCP_PATH).map_err(|_| unusable())?;
        let allowed_origins = allowed_origins
            .iter()
            .map(|url| match url.origin() {
                // With its port: one without would let every port of that host in.
                Origin::Tuple(scheme, host, port) if is_origin(url) => {
                    Ok(format!("{scheme}://{host}:{port}"))
                }
                _ => Err(HttpConfigError::AllowedOrigin(url.to_string())),
            })
            .collect::<Result<_, _>>()?;
        let mut allowed_hosts: Vec<_> = allowed_hosts.to_vec();
        allowed_hosts.extend(public_url.host_str().map(str::to_owned));
        if is_loopback(public_url) {
            allowed_hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned));
        }
        Ok(Self {
            resource,
            issuer,
            allowed_origins,
            allowed_hosts,
            limits: Limits::default(),
            counters: None,
        })
    }

    /// `{public_url}/mcp`.
    pub fn resource(&self) -> &Url {
        &self.resource
    }

    /// How tokens for this gateway are to be checked. Where the keys are is left to discovery.
    pub fn verifier_config(&self) -> VerifierConfig {
        let mut config = VerifierConfig::new(self.issuer.clone(), self.resource.as_str());
        config.resource_metadata = Some(protected_resource_metadata_url(&self.resource));
        config.scopes = GatewayTool::all_scopes();
        config
    }

    pub(super) fn metadata(&self, scopes: &Scopes) -> Value {
        let mut document = protected_resource_metadata(&self.resource, &self.issuer, scopes);
        document["resource_name"] = "PromptSales MCP gateway".into();
        document
    }

    pub(super) fn allowed_origins(&self) -> &[String] {
        &self.allowed_origins
    }

    pub(super) fn allowed_hosts(&self) -> &[String] {
        &self.allowed_hosts
    }
}

fn is_origin(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
