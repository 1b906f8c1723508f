//! A server that is away, silent, locked or not who it should be.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use embedder::{
    index::{IndexError, VectorIndex, memory::MemoryIndex, qdrant::QdrantOptions},
    search::failover::Failover,
};
use rcgen::{CertificateParams, Issuer, KeyPair};
use tokio::net::TcpListener;
use tonic::transport::Identity;

use super::{
    connect,
    double::{Double, Setup},
};
use crate::index_contract::{entry, leaning, nearest_to, put};

const DEADLINE_MS: u64 = 150;

fn impatient(mut options: QdrantOptions) -> QdrantOptions {
    options.deadline_ms = DEADLINE_MS;
    options
}

#[tokio::test]
async fn a_listener_that_never_answers_costs_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let holding = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok(connection) = listener.accept().await {
            held.push(connection);
        }
    });
    let started = Instant::now();
    let error = connect(impatient(QdrantOptions::at(format!("http://{address}"))))
        .await
        .err()
        .unwrap();
    let waited = started.elapsed();
    assert_eq!(error.to_string(), "qdrant did not answer within 150 ms");
    assert!(waited >= Duration::from_millis(DEADLINE_MS), "{waited:?}");
    assert!(waited < Duration::from_secs(5), "{waited:?}");
    holding.abort();
}

#[tokio::test]
async fn a_listener_that_hangs_up_and_a_port_without_one_are_clear_errors() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let closing = tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            drop(connection);
        }
    });
    let error = connect(QdrantOptions::at(format!("http://{address}")))
        .await
        .err()
        .unwrap();
    assert!(matches!(error, IndexError::Away { .. }), "{error}");
    closing.abort();
    drop(closing.await);

    let error = connect(QdrantOptions::at(format!("http://{address}")))
        .await
        .err()
        .unwrap();
    let text = error.to_string();
    assert!(text.contains(&address.to_string()), "{text}");
    assert!(text.contains("cannot be reached"), "{text}");
}

#[tokio::test]
async fn every_call_has_the_deadline_and_works_again_after_it() {
    let double = Double::start().await;
    let index = connect(impatient(double.options())).await.unwrap();
    index.apply(vec![put(&entry("a", 1, "x"))]).await.unwrap();
    double.state().hangs = true;
    let late = |outcome: Result<(), IndexError>| {
        let error = outcome.unwrap_err();
        assert!(
            matches!(error, IndexError::Deadline { millis: 150, .. }),
            "{error}"
        );
    };
    late(index.apply(vec![put(&entry("b", 1, "x"))]).await);
    late(index.manifest().await.map(drop));
    late(index.entries(vec![crate::harness::id("a")]).await.map(drop));
    late(index.entries(Vec::new()).await.map(drop));
    late(
        index
            .candidates(nearest_to(leaning(0, 0.1)))
            .await
            .map(drop),
    );
    late(index.maintain().await);
    double.state().hangs = false;
    assert_eq!(index.manifest().await.unwrap().documents(), 1);
}

#[tokio::test]
async fn a_write_that_is_only_taken_counts_as_missed() {
    let double = Double::start().await;
    let index = connect(double.options()).await.unwrap();
    double.state().only_acknowledges = true;
    let error = index
        .apply(vec![put(&entry("a", 1, "x"))])
        .await
        .unwrap_err();
    assert!(error.to_string().contains("WaitTimeout"), "{error}");
    double.state().only_acknowledges = false;
    index.apply(vec![put(&entry("a", 1, "x"))]).await.unwrap();
}

#[tokio::test]
async fn the_key_is_sent_and_a_wrong_one_is_told_without_showing_it() {
    let setup = Setup {
        api_key: Some("s3cret-right"),
        ..Setup::default()
    };
    let double = Double::with(setup).await;
    for key in [None, Some("s3cret-wrong")] {
        let mut options = double.options();
        options.api_key = key.map(Into::into);
        let error = connect(options).await.err().unwrap().to_string();
        assert!(error.contains("refuses the API key"), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
    let mut options = double.options();
    options.api_key = Some("s3cret-right".into());
    connect(options).await.unwrap();
}

#[tokio::test]
async fn tls_trusts_the_named_authority_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let authority = |file: &str| {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        let path = folder.path().join(file);
        std::fs::write(&path, certificate.pem()).unwrap();
        (path, Issuer::new(params, key))
    };
    let (trusted, issuer) = authority("trusted.pem");
    let (stranger, _) = authority("stranger.pem");
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let setup = Setup {
        identity: Some(Identity::from_pem(certificate.pem(), key.serialize_pem())),
        ..Setup::default()
    };
    let double = Double::with(setup).await;
    let at = |host: &str, authority| {
        let mut options = QdrantOptions::at(format!("https://{host}:{}", double.port()));
        options.ca_file = Some(authority);
        options
    };
    let index = connect(at("localhost", trusted.clone())).await.unwrap();
    index.apply(vec![put(&entry("a", 1, "x"))]).await.unwrap();
    let unknown = connect(at("localhost", stranger)).await.err().unwrap();
    // Nothing that passes by itself.
    assert!(matches!(unknown, IndexError::Engine { .. }), "{unknown}");
    let unknown = unknown.to_string();
    assert!(unknown.contains("invalid peer certificate"), "{unknown}");
    let renamed = connect(at("127.0.0.1", trusted))
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(renamed.contains("not valid for name"), "{renamed}");
    let plain = QdrantOptions::at(format!("http://localhost:{}", double.port()));
    assert!(connect(plain).await.is_err());
}

#[tokio::test]
async fn a_silent_server_is_failed_over_and_then_left_alone() {
    let double = Double::start().await;
    let index = connect(impatient(double.options())).await.unwrap();
    let memory = MemoryIndex::default();
    for index in [&index as &dyn VectorIndex, &memory] {
        index.apply(vec![put(&entry("a", 1, "x"))]).await.unwrap();
    }
    let reads = Failover::new(vec![Arc::new(index), Arc::new(memory)]);
    let served = async || reads.candidates(nearest_to(leaning(0, 0.1))).await.unwrap();
    let (engine, well) = served().await;
    assert_eq!(engine, "qdrant");
    double.state().hangs = true;
    let before = double.state().calls.len();
    for _ in 0..6 {
        let (engine, candidates) = served().await;
        assert_eq!((engine, &candidates), ("memory", &well), "the same answer");
    }
    assert_eq!(double.state().calls.len(), before + 3, "the circuit opens");
}
