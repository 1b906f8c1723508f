//! `keys rotate` on a running system, killed in the middle.

use std::{collections::BTreeSet, process::Stdio};

use sales_warehouse::pii::{CustomerColumn, Keyring};
use secrecy::ExposeSecret;
use sqlx::{Connection, PgConnection};

use crate::support::{Up, command, indexed_home, run, wait_for};

/// What the sample's emails are sealed under, and that every one opens.
async fn sealed_under(crm: &mut PgConnection, keyring: &Keyring) -> BTreeSet<u32> {
    let rows: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("select customer_id, email_enc from crm.customers")
            .fetch_all(crm)
            .await
            .unwrap();
    assert!(rows.len() >= 2_000, "{}", rows.len());
    rows.iter()
        .map(|(id, envelope)| {
            let opened = keyring.open(CustomerColumn::Email.of(*id), envelope);
            assert!(opened.unwrap().expose_secret().contains('@'));
            u32::from_be_bytes(envelope[1..5].try_into().unwrap())
        })
        .collect()
}

#[tokio::test]
async fn killed_in_the_middle_it_goes_on_and_loses_nothing() {
    let Some(home) = indexed_home() else { return };
    let up = Up::start(home);
    let url = up.endpoints().databases.promptcrm;
    let mut crm = PgConnection::connect(url.as_str()).await.unwrap();
    let keys = up.home().path().join("identity/personal-data.keys");
    let load = || Keyring::load(&keys).unwrap().unwrap();
    let old = load().newest();

    // It waits for a customer of the second batch.
    let mut other = PgConnection::connect(url.as_str()).await.unwrap();
    let mut holder = other.begin().await.unwrap();
    sqlx::query("select from crm.customers where customer_id = 1500 for update")
        .execute(&mut *holder)
        .await
        .unwrap();
    let mut rotating = command(up.home())
        .args(["keys", "rotate"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let stuck = "select count(*) > 0 from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'";
    loop {
        let stuck: bool = sqlx::query_scalar(stuck).fetch_one(&mut crm).await.unwrap();
        if stuck {
            break;
        }
        assert!(rotating.try_wait().unwrap().is_none(), "it ended");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    // Nobody seals or rotates meanwhile.
    for arguments in [&["keys", "rotate"][..], &["tick", "--source-changes", "50"]] {
        let refused = run(up.home(), arguments).expect(1);
        assert!(refused.stderr.contains("is in use"), "{}", refused.stderr);
    }
    rotating.kill().unwrap();
    wait_for("its end", || rotating.try_wait().unwrap());
    holder.rollback().await.unwrap();

    let both = load();
    assert_eq!(both.key_ids().count(), 2);
    assert_eq!(
        sealed_under(&mut crm, &both).await,
        both.key_ids().map(|id| id.0).collect()
    );
    let resumed = run(up.home(), &["keys", "rotate"]).expect(0).stdout;
    assert!(resumed.starts_with("resumed a rotation"), "{resumed}");
    assert!(
        resumed.contains(&format!("dropped: key {old}.")),
        "{resumed}"
    );
    let one = load();
    assert_eq!(one.key_ids().collect::<Vec<_>>(), [both.newest()]);
    assert_eq!(sealed_under(&mut crm, &one).await, [both.newest().0].into());

    // The next one begins anew, and the warehouse hears nothing of either.
    let next = run(up.home(), &["keys", "rotate"]).expect(0).stdout;
    assert!(!next.contains("resumed"), "{next}");
    assert!(load().newest() > both.newest());
    let report = run(up.home(), &["etl", "--json"]).expect(0).json();
    assert_eq!(report["sources"][1]["rows_read"], 0, "{report}");
}
