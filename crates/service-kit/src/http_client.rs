//! The HTTP client that services call one another with.

use std::time::Duration;

/// How long a connection is kept for the next call: less than the services leave one open
/// ([`crate::listen::connections`]), so that no call goes into one that is being closed.
const IDLE: Duration = Duration::from_secs(60);

/// A pooled client with a deadline per request. It follows no redirects: services never send any,
/// and a redirect must not carry a token elsewhere.
pub fn build(deadline: Duration) -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .timeout(deadline)
        .connect_timeout(Duration::from_secs(2))
        .pool_idle_timeout(IDLE)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .user_agent(concat!("promptsales/", env!("CARGO_PKG_VERSION")))
        .build()
}
