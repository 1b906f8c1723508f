//! What every service does alike: telemetry, listening, health, problems, shutdown.
//!
//! A service builds an axum `Router` of its own, wraps it with [`http::standard_layers`], binds with
//! [`listen::bind`] and runs with [`listen::serve`] until its [`CancellationToken`] is cancelled.

mod causes;
pub mod clock;
pub mod health;
pub mod http;
pub mod http_client;
pub mod json;
mod leftover;
pub mod listen;
pub mod metrics;
pub mod openapi;
pub mod outbound;
mod parts;
pub mod problem;
pub mod rate_limit;
pub mod settings;
pub mod telemetry;
pub mod tls;
pub mod trace;

pub use causes::with_causes;
pub use clock::Clock;
pub use json::Json;
pub use parts::{Broken, Parts};
pub use problem::{ProblemResponse, ProblemResult};
pub use tokio_util::sync::CancellationToken;

/// What `--version` says: the version, and the commit that was built, or `unknown`. The variable
/// `PROMPTSALES_REVISION` names it to the build. No time is part of it, so that the same source gives the same binary.
pub const VERSION: &str = env!("PROMPTSALES_BUILD");

#[cfg(test)]
mod tests {
    #[test]
    fn the_version_names_the_commit_and_no_time() {
        let commit = option_env!("PROMPTSALES_REVISION").filter(|one| !one.is_empty());
        let commit = commit.unwrap_or("unknown");
        let expected = format!("{} (commit {commit})", env!("CARGO_PKG_VERSION"));
        assert_eq!(super::VERSION, expected);
    }
}
