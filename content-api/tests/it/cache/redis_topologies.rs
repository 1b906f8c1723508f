//! Redis behind Sentinels, as a cluster, and with TLS.

use std::fs;

use redis_link::redis::{self, Value};
use test_support::{RedisServer, free_port, or_skip, own_redis};

use super::{
    replicas::{command, pair, settings, start},
    sample::Maker,
};
use crate::world::until;

#[tokio::test]
async fn sentinels_name_the_master_and_the_next_one_after_it() {
    let Some(mut master) = own_redis(&["--requirepass", "secret", "--masterauth", "secret"]).await
    else {
        return;
    };
    let port = master.port().to_string();
    let copying = [
        "--replicaof",
        "127.0.0.1",
        &port,
        "--replica-read-only",
        "yes",
    ];
    let arguments = [
        &copying[..],
        &["--requirepass", "secret", "--masterauth", "secret"],
    ]
    .concat();
    let Some(replica) = own_redis(&arguments).await else {
        return;
    };
    let lines = "sentinel auth-pass main secret\n";
    let sentinel = RedisServer::start_sentinel("main", &master, lines).await;
    let Some(sentinel) = or_skip("a Redis Sentinel", sentinel) else {
        return;
    };
    until("the Sentinel knows the replica", async || {
        let replicas = command(&sentinel.url(), &["SENTINEL", "REPLICAS", "main"]).await;
        matches!(replicas, Ok(Value::Array(found)) if found.len() == 1)
    })
    .await;
    let dead = "127.0.0.1:1";
    let url = format!(
        "redis-sentinel://:secret@{dead},127.0.0.1:{}/main",
        sentinel.port()
    );
    let (one, two) = pair(settings(&url)).await;
    let maker = Maker::default();
    maker.ask(&*one, "before").await;
    until("it is stored", async || one.counts().stored == 1).await;
    assert!(maker.ask(&*two, "before").await.cached);

    master.kill();
    let mut asked = 0;
    until("the replica is master and stores", async || {
        asked += 1;
        let question = format!("during {asked}");
        assert!(!maker.ask(&*one, &question).await.cached);
        one.is_up() && one.counts().stored > 1
    })
    .await;
    let admin = replica.url().replace("redis://", "redis://:secret@");
    let Ok(Value::Array(role)) = command(&admin, &["ROLE"]).await else {
        panic!("no role");
    };
    assert_eq!(role[0], Value::BulkString(b"master".to_vec()));
}

#[tokio::test]
async fn a_sentinel_that_knows_no_such_master_is_done_without() {
    let Some(master) = own_redis(&[]).await else {
        return;
    };
    let sentinel = RedisServer::start_sentinel("main", &master, "").await;
    let Some(sentinel) = or_skip("a Redis Sentinel", sentinel) else {
        return;
    };
    let url = format!("redis-sentinel://127.0.0.1:{}/other", sentinel.port());
    let cache = start(settings(&url)).await;
    assert!(!cache.is_up());
    assert!(!Maker::default().ask(&*cache, "any").await.cached);
}

/// Three masters that share the slots.
async fn cluster() -> Option<Vec<RedisServer>> {
    let mut nodes = Vec::new();
    for _ in 0..3 {
        // Its bus needs a second port, which is this much higher unless it is told otherwise.
        let bus = free_port().unwrap().to_string();
        let arguments = [
            "--cluster-enabled",
            "yes",
            "--cluster-port",
            &bus,
            "--cluster-node-timeout",
            "1000",
        ];
        nodes.push((own_redis(&arguments).await?, bus));
    }
    let first = nodes[0].0.port().to_string();
    let slots = [("0", "5460"), ("5461", "10922"), ("10923", "16383")];
    for ((node, _), (from, to)) in nodes.iter().zip(slots) {
        let url = node.url();
        command(&url, &["CLUSTER", "ADDSLOTSRANGE", from, to])
            .await
            .unwrap();
        let meet = ["CLUSTER", "MEET", "127.0.0.1", &first, &nodes[0].1];
        command(&url, &meet).await.unwrap();
    }
    for (node, _) in &nodes {
        until("the cluster stands", async || {
            let info = command(&node.url(), &["CLUSTER", "INFO"]).await.unwrap();
            let info: String = redis::from_redis_value(info).unwrap();
            info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
        })
        .await;
    }
    Some(nodes.into_iter().map(|(node, _)| node).collect())
}

#[tokio::test]
async fn a_cluster_keeps_answers_on_all_its_nodes() {
    let Some(mut nodes) = cluster().await else {
        return;
    };
    let url = format!("redis-cluster://127.0.0.1:1,127.0.0.1:{}", nodes[0].port());
    let (one, two) = pair(settings(&url)).await;
    let maker = Maker::default();
    for question in 0..30 {
        maker.ask(&*one, &question.to_string()).await;
    }
    until("they are stored", async || one.counts().stored == 30).await;
    for question in 0..30 {
        assert!(maker.ask(&*two, &question.to_string()).await.cached);
    }
    for node in &nodes {
        let keys = command(&node.url(), &["DBSIZE"]).await.unwrap();
        assert!(matches!(keys, Value::Int(keys) if keys > 0), "{keys:?}");
    }
    // With a node gone the cluster is down, and answers come.
    nodes[2].kill();
    for question in 100..130 {
        maker.ask(&*two, &question.to_string()).await;
    }
}

/// A certificate authority of the test's own, and a server's certificate by it.
fn certificates(dir: &std::path::Path) {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let certificate = authority.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let server = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let server = server.signed_by(&key, &issuer).unwrap();
    fs::write(dir.join("ca.pem"), certificate.pem()).unwrap();
    fs::write(dir.join("server.pem"), server.pem()).unwrap();
    fs::write(dir.join("server.key"), key.serialize_pem()).unwrap();
}

#[tokio::test]
async fn tls_is_used_and_the_certificate_checked() {
    let dir = tempfile::tempdir().unwrap();
    certificates(dir.path());
    let path = |name: &str| dir.path().join(name).display().to_string();
    let tls_port = free_port().unwrap().to_string();
    let arguments = [
        "--tls-port",
        &tls_port,
        "--tls-cert-file",
        &path("server.pem"),
        "--tls-key-file",
        &path("server.key"),
        "--tls-ca-cert-file",
        &path("ca.pem"),
        "--tls-auth-clients",
        "no",
    ];
    let Some(_server) = own_redis(&arguments).await else {
        return;
    };
    let url = format!("rediss://localhost:{tls_port}");
    let mut trusting = settings(&url);
    trusting.redis.ca_file = Some(dir.path().join("ca.pem"));
    let (one, two) = pair(trusting.clone()).await;
    let maker = Maker::default();
    maker.ask(&*one, "secret").await;
    until("it is stored", async || one.counts().stored == 1).await;
    assert!(maker.ask(&*two, "secret").await.cached);

    // By the system's authorities, or under another name, it is a stranger.
    let mut elsewhere = trusting;
    elsewhere.redis.url = format!("rediss://127.0.0.1:{tls_port}").into();
    for stranger in [settings(&url), elsewhere] {
        let cache = start(stranger).await;
        assert!(!cache.is_up());
        assert!(!maker.ask(&*cache, "secret").await.cached);
    }
}

#[tokio::test]
async fn a_number_of_a_database_counts() {
    let Some(server) = own_redis(&[]).await else {
        return;
    };
    let one = start(settings(&format!("{}/3", server.url()))).await;
    let maker = Maker::default();
    maker.ask(&*one, "any").await;
    until("it is stored", async || one.counts().stored == 1).await;
    let url = server.url();
    assert_eq!(command(&url, &["DBSIZE"]).await.unwrap(), Value::Int(0));
    let third = format!("{url}/3");
    until("the lease is over", async || {
        command(&third, &["DBSIZE"]).await == Ok(Value::Int(1))
    })
    .await;
}
