//! The local authorization server, its clients, and the verifiers that trust it.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use auth::{AssertionSigner, ClientCredentials, Issuer, TokenSource, Verifier, VerifierConfig};
use axum::Router;
use contracts::{Scope, Scopes};
use local_idp::{ClientRegistry, LocalIdp, LocalIdpConfig};
use secrecy::SecretString;
use service_kit::Clock;
use url::Url;

use super::callers;
use crate::home::{Endpoints, Home};

/// The resource that API tokens are for.
pub const API_AUDIENCE: &str = "https://promptsales.local/api";
/// The person at the command line, and their `curl`.
pub const CLI_CLIENT: &str = "promptsales-cli";
/// The MCP gateway, when it calls the API.
pub const GATEWAY_CLIENT: &str = "mcp-gateway";
/// The sales warehouse, when it reads the content API's change feed.
pub const SALES_CLIENT: &str = "sales-warehouse";
/// The content API, when it calls the embedder.
pub const CONTENT_CLIENT: &str = "content-api";

const TOKEN_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// The clients that exist, with what each may do.
pub fn clients() -> [(&'static str, Scopes); 4] {
    use Scope::{CampaignsWrite, ContentApprove, ContentRead, ContentWrite, IndexWrite, SalesRead};
    let of = |scopes: &[Scope]| scopes.iter().copied().collect();
    [
        (
            CLI_CLIENT,
            of(&[
                ContentRead,
                ContentWrite,
                ContentApprove,
                CampaignsWrite,
                SalesRead,
            ]),
        ),
        (
            GATEWAY_CLIENT,
            of(&[ContentRead, SalesRead, CampaignsWrite]),
        ),
        (CONTENT_CLIENT, of(&[ContentRead, IndexWrite])),
        (SALES_CLIENT, of(&[ContentRead])),
    ]
}

/// Where the MCP gateway's protected resource is.
pub fn mcp_resource(endpoints: &Endpoints) -> anyhow::Result<Url> {
    Ok(endpoints.mcp_gateway.join("/mcp")?)
}

/// Credentials of a client of this home's authorization server.
pub fn credentials(
    home: &Home,
    identity: &Url,
    client: &str,
    scopes: Scopes,
    resource: &str,
) -> anyhow::Result<ClientCredentials> {
    let registry = ClientRegistry::load_or_create(&home.identity(), &clients())?;
    let registered = registry.get(client).with_context(|| {
        format!(
            "client '{client}' is not registered in {}",
            home.path().display()
        )
    })?;
    Ok(ClientCredentials {
        token_url: identity.join("/token")?,
        client_id: client.to_owned(),
        client_secret: SecretString::clone(&registered.secret),
        scopes,
        resource: Some(resource.to_owned()),
    })
}

/// The running authorization server and what goes with it.
pub struct Identity {
    idp: LocalIdp,
    home: Home,
    url: Url,
    api_verifier: Arc<Verifier>,
    callers: mcp_gateway::TellingCallers,
}

impl Identity {
    /// Reads or makes keys and clients.
    pub fn start(
        home: &Home,
        endpoints: &Endpoints,
        clock: Clock,
        http: reqwest::Client,
    ) -> anyhow::Result<Self> {
        let registry = ClientRegistry::load_or_create(&home.identity(), &clients())?;
        let config = LocalIdpConfig {
            issuer: endpoints.identity.clone(),
            clients: registry.clients().to_vec(),
            audiences: vec![
                API_AUDIENCE.to_owned(),
                mcp_resource(endpoints)?.to_string(),
            ],
            token_lifetime: TOKEN_LIFETIME,
            key_dir: home.identity(),
        };
        let idp = LocalIdp::new(config, clock.clone())?;
        let (key, trusted) = callers::load_or_create(home)?;
        let mut expected = VerifierConfig::new(idp.issuer().parse()?, API_AUDIENCE);
        expected.gateways = Some(trusted);
        let callers = mcp_gateway::TellingCallers {
            signer: AssertionSigner::new(GATEWAY_CLIENT, key, clock.clone()),
            content_audience: API_AUDIENCE.to_owned(),
            sales_audience: API_AUDIENCE.to_owned(),
            embedder_audience: API_AUDIENCE.to_owned(),
        };
        Ok(Self {
            idp,
            home: home.clone(),
            url: endpoints.identity.clone(),
            api_verifier: Arc::new(Verifier::new(expected, http, clock)),
            callers,
        })
    }

    /// The token endpoint and the published documents.
    pub fn router(&self) -> Router {
        let health =
            service_kit::health::router("local-idp", env!("CARGO_PKG_VERSION"), || async {
                Vec::new()
            });
        self.idp.router().merge(health)
    }

    /// Who issues the tokens.
    pub fn issuer(&self) -> anyhow::Result<Issuer> {
        Ok(self.idp.issuer().parse()?)
    }

    /// Where tokens are given out.
    pub fn token_url(&self) -> anyhow::Result<Url> {
        Ok(self.url.join("/token")?)
    }

    /// How the gateway tells the services behind who asks.
    pub fn callers(&self) -> mcp_gateway::TellingCallers {
        self.callers.clone()
    }

    /// Checks tokens for the API.
    pub fn api_verifier(&self) -> Arc<Verifier> {
        Arc::clone(&self.api_verifier)
    }

    /// A service's own credentials for the API.
    pub fn credentials(&self, client: &str, scopes: &[Scope]) -> anyhow::Result<ClientCredentials> {
        let scopes = scopes.iter().copied().collect();
        credentials(&self.home, &self.url, client, scopes, API_AUDIENCE)
    }

    /// A service's own tokens for the API.
    pub fn tokens(
        &self,
        client: &str,
        scopes: &[Scope],
        http: reqwest::Client,
        clock: Clock,
    ) -> anyhow::Result<Arc<TokenSource>> {
        Ok(Arc::new(TokenSource::new(
            self.credentials(client, scopes)?,
            http,
            clock,
        )))
    }
}
