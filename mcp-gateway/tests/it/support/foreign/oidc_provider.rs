//! A certified authorization server, npm's oidc-provider, and a gateway that believes it.

use std::{process::Stdio, sync::Arc};

use auth::Verifier;
use mcp_gateway::http::{HttpConfig, router};
use secrecy::{ExposeSecret as _, SecretString};
use service_kit::{CancellationToken, Clock, listen};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout},
};
use url::Url;

use super::Node;
use crate::support::World;

/// Runs as long as it is not dropped. It knows the clients `service` and `assistant`.
pub struct OidcProvider {
    pub issuer: String,
    _child: Child,
    /// It goes on talking, and ends where nobody listens.
    _said: Lines<BufReader<ChildStdout>>,
}

impl OidcProvider {
    /// `secret` is `service`'s.
    pub async fn start(node: &Node, secret: &SecretString) -> Self {
        let mut command = node.script("issuer.mjs");
        let mut child = command
            .env("CLIENT_SECRET", secret.expose_secret())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        Self {
            issuer: said.next_line().await.unwrap().unwrap(),
            _child: child,
            _said: said,
        }
    }

    /// The world's gateway behind another door, which believes this issuer; its endpoint.
    pub async fn gateway(&self, world: &World, stop: &CancellationToken) -> Url {
        let listener = listen::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let public_url = format!("http://{}", listener.local_addr().unwrap());
        let (public_url, issuer) = (public_url.parse().unwrap(), self.issuer.parse().unwrap());
        let config = HttpConfig::new(&public_url, issuer, &[], &[]).unwrap();
        let checks = config.verifier_config();
        let verifier = Verifier::new(checks, world.http.clone(), Clock::system());
        let router = router(world.gateway.clone(), Arc::new(verifier), &config);
        tokio::spawn(listen::serve(listener, router, stop.clone()));
        config.resource().clone()
    }
}
