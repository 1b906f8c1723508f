//! What the tools share.

use std::{fmt, sync::Arc, time::Duration};

use auth::TokenSource;
use url::Url;

use crate::{content_client::ContentClient, tools::ToolSet};

/// Where the gateway finds the systems that it speaks for.
#[derive(Debug, Clone)]
pub struct Config {
    /// content-api's base, such as `http://127.0.0.1:7410`; `/v1/...` is appended.
    pub content_api: Url,
    /// Longest wait for an answer of getContent.
    pub search_deadline: Duration,
    /// Longest wait for all thumbnails of a reply; what is late is left out.
    pub thumbnails_deadline: Duration,
}

impl Config {
    /// 8 s for a search, 4 s for its thumbnails.
    pub fn new(content_api: Url) -> Self {
        Self {
            content_api,
            search_deadline: Duration::from_secs(8),
            thumbnails_deadline: Duration::from_secs(4),
        }
    }
}

/// The tools and what they need. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

struct Inner {
    content: ContentClient,
    tokens: Arc<TokenSource>,
    tools: ToolSet,
}

impl Gateway {
    /// Calls nothing yet. `tokens` are the gateway's own, for content-api with `content:read`;
    /// `client` carries the calls.
    pub fn new(config: Config, client: reqwest::Client, tokens: Arc<TokenSource>) -> Self {
        let content = ContentClient::new(config, client, Arc::clone(&tokens));
        Self(Arc::new(Inner {
            content,
            tokens,
            tools: ToolSet::new(),
        }))
    }

    pub(crate) fn content(&self) -> &ContentClient {
        &self.0.content
    }

    pub(crate) fn tokens(&self) -> &TokenSource {
        &self.0.tokens
    }

    pub(crate) fn tools(&self) -> &ToolSet {
        &self.0.tools
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway")
            .field("content", &self.0.content)
            .finish_non_exhaustive()
    }
}
