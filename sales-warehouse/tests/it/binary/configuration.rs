//! Wrong configurations, and where secrets may come from.

use std::fs;

use super::process::{Environment, run};
use crate::warehouse::fixture::Fixture;

#[tokio::test]
async fn every_fault_is_told_at_once_and_no_secret_with_it() {
    let mut environment = Environment::default();
    environment.set("SALES_WAREHOUSE_DATABASE_URL", "mysql://me:hush@there/db");
    environment.set(
        "SALES_WAREHOUSE_PROMPTADS_URL",
        "postgres://me:hush@there/db",
    );
    environment.set("SALES_WAREHOUSE_PROMPTADS_URL_FILE", "/nowhere/too");
    environment.set("SALES_WAREHOUSE_PROMPTCRM_URL_FILE", "/nowhere/at-all");
    environment.set("SALES_WAREHOUSE_RUN_LIMIT", "59");
    environment.set("SALES_WAREHOUSE_LISTEN", "everywhere");
    environment.set("SALES_WAREHOUSE_METRICS_ADDRESS", "9090");
    environment.set("SALES_WAREHOUSE_PUBLIC_URL", "warehouse.test");
    environment.set("SALES_WAREHOUSE_ISSUER", "ftp://issuer");
    environment.set("SALES_WAREHOUSE_CONTENT_API_URL", "content.test");
    environment.set("SALES_WAREHOUSE_CALLER_CLIENTS", "mcp-gateway");
    environment.set("SALES_WAREHOUSE_CALLER_KEYS", "/nowhere/keys.json");
    let ran = run(&environment, &["serve"]).await.expect(2);
    for fault in [
        "--database-url is no PostgreSQL URL: expected postgres://",
        "--run-limit is '59': expected 60 to 86400 seconds",
        "SALES_WAREHOUSE_PROMPTADS_URL and SALES_WAREHOUSE_PROMPTADS_URL_FILE are both set",
        "SALES_WAREHOUSE_PROMPTCRM_URL_FILE: /nowhere/at-all cannot be read: No such file",
        "--promptcrm-url is missing",
        "--listen is 'everywhere': expected an address and a port",
        "--metrics-address is '9090': expected an address and a port",
        "--public-url is 'warehouse.test': expected http:// or https://",
        "--token-url is missing",
        "--content-api-url is 'content.test': expected http:// or https://",
        "--client-id is missing: give it, or SALES_WAREHOUSE_CLIENT_ID",
        "--client-secret is missing: give SALES_WAREHOUSE_CLIENT_SECRET, or",
        "--issuer 'ftp://issuer': ",
        "--audience is missing: give it, or SALES_WAREHOUSE_AUDIENCE",
        "caller_keys: cannot read /nowhere/keys.json: No such file",
    ] {
        assert!(ran.stderr.contains(fault), "{fault}: {}", ran.stderr);
    }
    assert_eq!(ran.stderr.matches("\n  - ").count(), 15, "{}", ran.stderr);
    assert!(!ran.stderr.contains("hush"), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");

    let ran = run(&Environment::default(), &["etl", "--once"])
        .await
        .expect(2);
    for option in ["database", "promptads", "promptcrm"] {
        let fault = format!("--{option}-url is missing: give SALES_WAREHOUSE_");
        assert!(ran.stderr.contains(&fault), "{}", ran.stderr);
    }
    // A command asks for what it needs and no more.
    let ran = run(&Environment::default(), &["migrate"]).await.expect(2);
    assert_eq!(ran.stderr.matches("\n  - ").count(), 1, "{}", ran.stderr);
}

#[tokio::test]
async fn urls_come_from_files_too_and_help_shows_none() {
    let Some(fixture) = Fixture::filled().await else {
        return;
    };
    let secrets = tempfile::tempdir().unwrap();
    let mut environment = Environment::default();
    for (variable, url) in [
        ("SALES_WAREHOUSE_DATABASE_URL_FILE", fixture.warehouse_url()),
        (
            "SALES_WAREHOUSE_PROMPTADS_URL_FILE",
            fixture.world.ads_url(),
        ),
        (
            "SALES_WAREHOUSE_PROMPTCRM_URL_FILE",
            fixture.world.crm_url(),
        ),
    ] {
        let file = secrets.path().join(variable);
        // As editors and mounted secrets have it, with a newline at its end.
        fs::write(&file, format!("{url}\n")).unwrap();
        environment.set(variable, file.to_str().unwrap());
    }
    environment.set("SALES_WAREHOUSE_RUN_LIMIT", "60");
    run(&environment, &["etl", "--once"]).await.expect(0);
    environment.set("SALES_WAREHOUSE_RUN_LIMIT", "86401");
    run(&environment, &["etl", "--once"]).await.expect(2);
    let mut environment = Environment::of(&fixture);
    environment.set(
        "SALES_WAREHOUSE_DATABASE_URL",
        "postgres://me:hush@there/db",
    );
    let help = run(&environment, &["--help"]).await.expect(0);
    assert!(help.stdout.contains("SALES_WAREHOUSE_DATABASE_URL"));
    assert!(!help.stdout.contains("hush"), "{}", help.stdout);
}
