//! Programs that others wrote, where they are installed: `tests/clients/run` sees to that.

mod oidc_provider;

use std::{
    ffi::OsString,
    io::Write as _,
    path::{Path, PathBuf},
};

use secrecy::ExposeSecret as _;
use serde_json::Value;
use tokio::process::Command;

pub use oidc_provider::OidcProvider;

use super::{API, World};

/// What `tests/clients/node/package.json` asks for, with its Node.
pub struct Node {
    home: PathBuf,
}

impl Node {
    /// The directory that `TEST_MCP_NODE` names, or nothing with a line that says why.
    pub fn installed() -> Option<Self> {
        let home = named("TEST_MCP_NODE")?.into();
        Some(Self { home })
    }

    /// One of our scripts; it loads packages by `TEST_MCP_NODE`.
    pub fn script(&self, name: &str) -> Command {
        self.run(&clients().join("node").join(name))
    }

    /// A program of one of the packages.
    pub fn program(&self, path: &str) -> Command {
        self.run(&self.home.join("node_modules").join(path))
    }

    fn run(&self, script: &Path) -> Command {
        let mut command = Command::new(self.home.join("node"));
        command.arg(script).env("TEST_MCP_NODE", &self.home);
        command
    }
}

/// Where the scripts are.
pub fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// What the variable names.
pub fn named(variable: &str) -> Option<OsString> {
    let value = std::env::var_os(variable);
    if value.is_none() {
        skipped(&format!(
            "{variable} is not set; use mcp-gateway/tests/clients/run"
        ));
    }
    value
}

/// Past the capture of test output: a skipped test must not look like one that ran.
pub fn skipped(why: &str) {
    let line = format!("SKIPPED: {why}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// What a program wrote, which must have ended well.
pub async fn output(mut command: Command) -> String {
    let output = command.kill_on_drop(true).output().await.unwrap();
    let written = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}\n{written}");
    written
}

/// The same, where each line is JSON.
pub async fn lines(command: Command) -> Vec<Value> {
    let written = output(command).await;
    let lines = written.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// What `mcp-gateway stdio` needs to reach the world's services.
pub fn stdio_environment(world: &World) -> Vec<(&'static str, String)> {
    vec![
        ("MCP_GATEWAY_CONTENT_API", world.content.base.to_string()),
        (
            "MCP_GATEWAY_SALES_WAREHOUSE",
            world.warehouse.base.to_string(),
        ),
        ("MCP_GATEWAY_EMBEDDER", world.embedder.base.to_string()),
        (
            "MCP_GATEWAY_TOKEN_URL",
            format!("{}/token", world.idp.issuer()),
        ),
        ("MCP_GATEWAY_CLIENT_ID", world.gateway_client.id.clone()),
        (
            "MCP_GATEWAY_CLIENT_SECRET",
            world.gateway_client.secret.expose_secret().to_owned(),
        ),
        ("MCP_GATEWAY_CONTENT_AUDIENCE", API.to_owned()),
    ]
}
