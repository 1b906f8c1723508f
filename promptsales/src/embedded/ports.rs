//! Five loopback ports.

use std::{
    net::{Ipv4Addr, SocketAddr},
    ops::RangeInclusive,
};

use anyhow::Context;
use service_kit::listen;
use tokio::net::TcpListener;
use url::Url;

use crate::{databases::Databases, home::Endpoints};

/// The usual ports, in the order of [`Ports`]' fields.
pub const USUAL: RangeInclusive<u16> = 8460..=8464;

/// One bound listener per service.
pub struct Ports {
    /// The authorization server.
    pub identity: TcpListener,
    /// The embedding service.
    pub embedder: TcpListener,
    /// The content API.
    pub content_api: TcpListener,
    /// The warehouse service.
    pub sales_warehouse: TcpListener,
    /// The MCP gateway.
    pub mcp_gateway: TcpListener,
}

impl Ports {
    /// Binds five ports: `base` and the next four, which must be free; or without a base the usual
    /// ones where they are free, and any others where they are not.
    pub async fn bind(base: Option<u16>) -> anyhow::Result<Self> {
        let first = base.unwrap_or(*USUAL.start());
        let strict = base.is_some();
        Ok(Self {
            identity: bind(first, strict).await?,
            embedder: bind(first + 1, strict).await?,
            content_api: bind(first + 2, strict).await?,
            sales_warehouse: bind(first + 3, strict).await?,
            mcp_gateway: bind(first + 4, strict).await?,
        })
    }

    /// Where they are, and the databases.
    pub fn endpoints(&self, databases: Databases) -> anyhow::Result<Endpoints> {
        Ok(Endpoints {
            pid: std::process::id(),
            identity: url(&self.identity)?,
            embedder: url(&self.embedder)?,
            content_api: url(&self.content_api)?,
            sales_warehouse: url(&self.sales_warehouse)?,
            mcp_gateway: url(&self.mcp_gateway)?,
            databases,
        })
    }
}

async fn bind(port: u16, strict: bool) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    match listen::bind(address).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.in_use() && !strict => {
            let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            Ok(listen::bind(any).await?)
        }
        Err(error) => Err(error).context("choose other ports with --port-base"),
    }
}

fn url(listener: &TcpListener) -> anyhow::Result<Url> {
    Ok(Url::parse(&format!("http://{}", listener.local_addr()?))?)
}
