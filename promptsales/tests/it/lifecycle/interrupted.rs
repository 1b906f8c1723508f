//! A first start that never gets to its end, until it does.

use std::time::Duration;

use auth::TokenSource;
use contracts::{Scope, index::IndexStatusAnswer};
use promptsales::{
    embedded::{API_AUDIENCE, CLI_CLIENT, credentials},
    home::Home,
};
use rustix::process::Signal;
use secrecy::ExposeSecret;
use service_kit::{Clock, http_client};
use url::Url;

use crate::support::{
    CATALOGUE, FirstStart, PATIENCE, TestHome, Up, assert_complete_and_equal, five_free_ports, ids,
    run, wait_for,
};

#[tokio::test]
async fn a_first_start_that_is_broken_off_again_and_again_loses_nothing() {
    // Only to know that a system can be started here at all.
    if FirstStart::get().is_none() {
        return;
    }
    // Ctrl-C while the database cluster is being made.
    let mut up = Up::spawn(TestHome::new(), &["up"]);
    wait_for("PostgreSQL's turn", || {
        let making = up.home().path().join("postgres").exists();
        making.then_some(())
    });
    up.signal(Signal::INT);
    assert_eq!(up.wait().code(), Some(130), "{}", up.stderr());
    up.home().wait_until_deserted();
    let home = up.into_home();

    // Killed when the model is loaded and the catalogue's turn has come.
    let up = Up::spawn(home, &["up"]);
    wait_for("the model", || {
        up.stderr().contains("✓ Loading").then_some(())
    });
    let home = up.kill();

    // Killed when an index has got its first documents, and waits for the rest.
    let base = five_free_ports();
    let up = Up::spawn(home, &["up", "--port-base", &base.to_string()]);
    let held = tokio::time::timeout(PATIENCE, first_documents(&up, base));
    let held = held.await.unwrap();
    let home = up.kill();
    println!("killed when the indexes held {held:?} documents");
    assert!(
        held.iter()
            .any(|documents| (1..=CATALOGUE).contains(documents))
    );

    let status = run(&home, &["status", "--json"]).expect(0).json();
    assert_complete_and_equal(&status);
    assert_eq!(home.processes(), []);
    let found = run(&home, &["find", "--json", "gato que mira por la ventana"]).expect(0);
    assert_eq!(ids(&found.json())[0], "cat-window-sill");
}

/// How many documents the indexes hold when one of them holds any.
async fn first_documents(up: &Up, base: u16) -> Vec<u64> {
    let http = http_client::build(Duration::from_secs(5)).unwrap();
    let at = |port| -> Url { format!("http://127.0.0.1:{port}").parse().unwrap() };
    let (identity, embedder) = (at(base), at(base + 1));
    // Only then are its clients written.
    while http
        .get(identity.join("/jwks").unwrap())
        .send()
        .await
        .is_err()
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let home = Home::resolve(Some(up.home().path().to_owned())).unwrap();
    let scopes = [Scope::ContentRead].into_iter().collect();
    let credentials = credentials(&home, &identity, CLI_CLIENT, scopes, API_AUDIENCE).unwrap();
    let tokens = TokenSource::new(credentials, http.clone(), Clock::system());
    let token = tokens.token().await.unwrap();
    let status = embedder.join("/v1/index/status").unwrap();
    loop {
        let request = http.get(status.clone()).bearer_auth(token.expose_secret());
        if let Ok(reply) = request.send().await
            && let Ok(status) = reply.json::<IndexStatusAnswer>().await
        {
            let held: Vec<_> = status.indexes.iter().map(|index| index.documents).collect();
            if held.iter().any(|documents| *documents > 0) {
                return held;
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
