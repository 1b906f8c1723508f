//! Configurations that make no sense are refused.

use std::sync::Arc;

use auth::{ClientCredentials, Verifier, VerifierConfig};
use content_api::{Config, ConfigError, Deps, EmbedderClient, PostgresStore, Service};
use contracts::Scopes;
use service_kit::{Clock, http_client};

#[tokio::test]
async fn a_public_url_must_carry_paths_and_there_must_be_workers() {
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    let store = PostgresStore::connect(&database.url.as_str().into())
        .await
        .unwrap();
    let build = |public_url: &str, workers: usize| {
        let (clock, http) = (
            Clock::system(),
            http_client::build(std::time::Duration::from_secs(1)).unwrap(),
        );
        let token_url: url::Url = "http://127.0.0.1/token".parse().unwrap();
        let credentials = ClientCredentials {
            token_url: token_url.clone(),
            client_id: "x".to_owned(),
            client_secret: "x".into(),
            scopes: Scopes::default(),
            resource: None,
        };
        let expected = VerifierConfig::new("http://127.0.0.1".parse().unwrap(), "x");
        let deps = Deps {
            store: Arc::new(store.clone()),
            embedder: EmbedderClient::new(&token_url, http.clone(), credentials, &clock),
            verifier: Arc::new(Verifier::new(expected, http, clock.clone())),
            clock,
        };
        let mut config = Config::new(public_url.parse().unwrap(), token_url);
        config.rendition_workers = workers;
        Service::build(config, deps).map(|_| ())
    };
    for url in [
        "mailto:a@b",
        "ftp://host/",
        "http://host/?a=b",
        "http://host/#x",
    ] {
        assert!(
            matches!(build(url, 1), Err(ConfigError::PublicUrl(_))),
            "{url}"
        );
    }
    assert_eq!(build("https://host/below", 0), Err(ConfigError::NoWorkers));
    assert_eq!(build("https://host/below", 1), Ok(()));
}
