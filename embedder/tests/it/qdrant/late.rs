//! A server that is away when the service starts.

use embedder::{Primary, Service, StartError, index::qdrant::QdrantOptions};
use service_kit::Clock;

use super::{
    double::{Double, Setup},
    service::config,
};
use crate::harness::{deletion, engine, plain};

/// It serves from pgvector, says what is missing, and catches up when the server comes.
#[tokio::test]
async fn a_server_that_is_away_at_the_start_is_done_without_until_it_comes() {
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    // A port that was free a moment ago.
    let port = test_support::free_port().unwrap();
    let options = QdrantOptions::at(format!("http://127.0.0.1:{port}"));
    let Some(config) = config(options, &database, Primary::Qdrant) else {
        return;
    };
    let service = Service::start(config, &Clock::system()).await.unwrap();
    let indexer = service.indexer();
    indexer.put(vec![plain("faro", 1, "faro")]).await.unwrap();
    indexer.put(vec![plain("gone", 1, "gone")]).await.unwrap();
    indexer.delete(vec![deletion("gone", 2)]).await.unwrap();
    assert_eq!(engine(&service).await, "pgvector");
    let status = indexer.status().await;
    assert_eq!(
        (status[0].engine.as_str(), status[0].ready),
        ("qdrant", false)
    );
    let fault = status[0].fault.clone().unwrap();
    assert!(fault.contains("cannot be reached"), "{fault}");
    assert_eq!(status[0].version, "unknown");
    assert!(status[1].ready);
    let lag = indexer.lags().next().unwrap();
    assert_eq!((lag.engine, lag.behind), ("qdrant", 3));

    let setup = Setup {
        port: Some(port),
        ..Setup::default()
    };
    let double = Double::with(setup).await;
    let repaired = indexer.reconcile().await.unwrap();
    assert_eq!(repaired.engines[0].missing, 1, "{repaired:?}");
    let status = indexer.status().await;
    assert!(status[0].ready);
    assert_eq!(status[0].version, "1.20.1");
    assert_eq!(status[0].manifest_sha256, status[1].manifest_sha256);
    assert_eq!(double.state().collections.len(), 1);
    // Left alone for five seconds after three failures, of which there was one.
    assert_eq!(engine(&service).await, "qdrant");
}

#[tokio::test]
async fn a_silent_server_at_the_start_costs_its_deadlines_and_a_wrong_one_stops_it() {
    let Some(database) = test_support::fresh_database().await else {
        return;
    };
    let double = Double::start().await;
    double.state().hangs = true;
    let mut options = double.options();
    options.deadline_ms = 100;
    let Some(silent) = config(options, &database, Primary::Qdrant) else {
        return;
    };
    let service = Service::start(silent, &Clock::system()).await.unwrap();
    assert!(!service.indexer().status().await[0].ready);
    double.state().hangs = false;
    service.indexer().reconcile().await.unwrap();
    assert!(service.indexer().status().await[0].ready);

    for (setup, says) in [
        (
            Setup {
                version: Some("1.15.0"),
                ..Setup::default()
            },
            "1.16 or newer",
        ),
        (
            Setup {
                api_key: Some("right"),
                ..Setup::default()
            },
            "refuses the API key",
        ),
    ] {
        let double = Double::with(setup).await;
        let wrong = config(double.options(), &database, Primary::Qdrant).unwrap();
        let refused = Service::start(wrong, &Clock::system()).await.err().unwrap();
        assert!(matches!(refused, StartError::Index(_)), "{refused}");
        assert!(refused.to_string().contains(says), "{refused}");
    }
}
