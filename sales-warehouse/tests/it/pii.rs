//! Envelopes, keyrings and rotation.

use std::{fs, os::unix::fs::PermissionsExt as _};

use sales_warehouse::pii::{
    Custody, CustomerColumn, KeyId, Keyring, PiiError, keys_in_use, rotate,
};
use secrecy::ExposeSecret as _;
use sqlx::PgPool;

use crate::world::World;

const EMAIL: CustomerColumn = CustomerColumn::Email;

#[test]
fn a_value_comes_back_and_no_two_envelopes_are_alike() {
    let keyring = Keyring::generate().unwrap();
    for value in ["", "ana@example.com", "Zoë Núñez 🌵"] {
        let one = keyring.seal(EMAIL.of(1), value).unwrap();
        let two = keyring.seal(EMAIL.of(1), value).unwrap();
        assert_ne!(one, two);
        assert_eq!(one.len(), 33 + value.len());
        assert_eq!(one[0], 1);
        assert_eq!(one[1..5], keyring.newest().0.to_be_bytes());
        let opened = keyring.open(EMAIL.of(1), &one).unwrap();
        assert_eq!(opened.expose_secret(), value);
    }
}

#[test]
fn any_changed_byte_is_noticed() {
    let keyring = Keyring::generate().unwrap();
    let envelope = keyring.seal(EMAIL.of(1), "ana@example.com").unwrap();
    for at in 0..envelope.len() {
        let mut tampered = envelope.clone();
        tampered[at] ^= 1;
        let error = keyring.open(EMAIL.of(1), &tampered).unwrap_err();
        let expected = match at {
            0 => matches!(error, PiiError::Malformed { .. }),
            1..=4 => matches!(error, PiiError::UnknownKey { .. }),
            _ => matches!(error, PiiError::Refused { .. }),
        };
        assert!(expected, "byte {at}: {error:?}");
    }
    for length in [0, 1, 32, envelope.len() - 1] {
        assert!(keyring.open(EMAIL.of(1), &envelope[..length]).is_err());
    }
}

#[test]
fn an_envelope_opens_in_its_own_cell_only() {
    let keyring = Keyring::generate().unwrap();
    let envelope = keyring.seal(EMAIL.of(1), "ana@example.com").unwrap();
    for cell in [EMAIL.of(2), CustomerColumn::Phone.of(1)] {
        let error = keyring.open(cell, &envelope).unwrap_err();
        assert!(matches!(error, PiiError::Refused { .. }), "{error:?}");
    }
}

#[test]
fn a_key_that_was_removed_is_unknown_and_named() {
    let mut keyring = Keyring::generate().unwrap();
    let envelope = keyring.seal(EMAIL.of(7), "x").unwrap();
    let (old, new) = (keyring.newest(), keyring.add_key().unwrap());
    assert!(old < new);
    assert!(keyring.open(EMAIL.of(7), &envelope).is_ok());
    keyring.remove_key(old).unwrap();
    let error = keyring.open(EMAIL.of(7), &envelope).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "crm.customers.email_enc of row 7 is sealed under key {old}, which the keyring does not hold"
        )
    );
    assert!(matches!(
        keyring.remove_key(new),
        Err(PiiError::NotRemovable(id)) if id == new
    ));
}

#[test]
fn another_keyring_opens_nothing() {
    let envelope = Keyring::generate().unwrap().seal(EMAIL.of(1), "x").unwrap();
    let error = Keyring::generate()
        .unwrap()
        .open(EMAIL.of(1), &envelope)
        .unwrap_err();
    // Its key has another id, or by a chance of one in sixteen million the same.
    let expected = matches!(
        error,
        PiiError::UnknownKey { .. } | PiiError::Refused { .. }
    );
    assert!(expected, "{error:?}");
}

#[test]
fn ids_of_keys_grow_and_are_not_used_again_after_a_restore() {
    let mut keyring = Keyring::generate().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let backup = dir.path().join("backup");
    keyring.save(&backup).unwrap();
    let mut ids: Vec<KeyId> = keyring.key_ids().collect();
    for _ in 0..8 {
        ids.push(keyring.add_key().unwrap());
        // Another key follows the same one.
        ids.push(Keyring::load(&backup).unwrap().unwrap().add_key().unwrap());
    }
    assert!(keyring.key_ids().is_sorted());
    let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len(), "{ids:?}");
}

#[test]
fn emails_join_whatever_their_case_and_only_under_the_same_key() {
    let keyring = Keyring::generate().unwrap();
    let hash = keyring.join_hash("Ana.Núñez@Example.com ");
    assert_eq!(
        hash,
        keyring.join_hash("ana.nu\u{301}n\u{303}ez@example.com")
    );
    assert_ne!(hash, keyring.join_hash("ana.nunez@example.com"));
    let other = Keyring::generate().unwrap();
    assert_ne!(hash, other.join_hash("Ana.Núñez@Example.com"));
}

#[test]
fn the_file_is_private_made_once_and_replaced_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keyring.json");
    assert!(Keyring::load(&path).unwrap().is_none());
    let mut made = Keyring::load_or_create(&path).unwrap();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let envelope = made.seal(EMAIL.of(1), "x").unwrap();
    made.add_key().unwrap();
    made.save(&path).unwrap();

    let again = Keyring::load_or_create(&path).unwrap();
    assert_eq!(again.newest(), made.newest());
    assert_eq!(again.join_hash("x"), made.join_hash("x"));
    assert!(again.open(EMAIL.of(1), &envelope).is_ok());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    let ids: Vec<KeyId> = made.key_ids().collect();
    assert_eq!(
        format!("{again:?}"),
        format!("Keyring {{ keys: {ids:?}, .. }}")
    );
}

#[test]
fn a_file_that_others_may_read_or_that_is_damaged_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keyring.json");
    Keyring::load_or_create(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let error = Keyring::load(&path).unwrap_err();
    assert!(
        matches!(error, PiiError::TooOpen { mode: 0o640, .. }),
        "{error:?}"
    );

    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let whole = fs::read_to_string(&path).unwrap();
    for text in [
        "",
        "{\"join_key\": \"AAAA\", \"keys\": {}}",
        &whole.replace(": \"", ": \"A"),
        &whole[..whole.len() / 2],
    ] {
        fs::write(&path, text).unwrap();
        let error = Keyring::load_or_create(&path).unwrap_err();
        assert!(matches!(error, PiiError::Damaged { .. }), "{error:?}");
    }
}

/// Of the keyring alone, and of what `promptcrm` holds.
#[tokio::test]
async fn a_lost_keyring_is_never_replaced_while_something_is_sealed() {
    let Some(world) = World::start().await else {
        return;
    };
    let crm = &world.sources.crm;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keyring.json");
    let custody = Custody::take(&path).unwrap();
    let made = custody.keyring(crm).await.unwrap();
    insert(crm, &made, 1).await;
    assert_eq!(custody.keyring(crm).await.unwrap().newest(), made.newest());

    let backup = dir.path().join("backup");
    fs::rename(&path, &backup).unwrap();
    let error = custody.keyring(crm).await.unwrap_err();
    assert!(matches!(error, PiiError::Lost { .. }), "{error:?}");
    assert!(
        error.to_string().contains("restore it from its backup"),
        "{error}"
    );
    assert!(!path.exists());
    fs::rename(&backup, &path).unwrap();
    assert_eq!(custody.keyring(crm).await.unwrap().newest(), made.newest());

    // A customer without a sealed value loses nothing.
    fs::remove_file(&path).unwrap();
    sqlx::query("update crm.customers set email_enc = null, phone_enc = null")
        .execute(crm)
        .await
        .unwrap();
    assert_ne!(custody.keyring(crm).await.unwrap().newest(), made.newest());
}

#[test]
fn one_at_a_time_has_the_keys_in_custody() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keyring.json");
    let custody = Custody::take(&path).unwrap();
    let error = Custody::take(&path).unwrap_err();
    assert!(matches!(error, PiiError::InUse { .. }), "{error:?}");
    drop(custody);
    Custody::take(&path).unwrap();
}

async fn insert(crm: &PgPool, keyring: &Keyring, id: i64) {
    sqlx::query(
        "insert into crm.customers (customer_id, kind, lifecycle, segment, country, language,
            marketing_consent, email_hash, email_enc, phone_enc, created_at)
         values ($1, 'b2c', 'prospect', 'consumer', 'ES', 'es', true, $2, $3, $4, now())",
    )
    .bind(id)
    .bind(keyring.join_hash(&format!("{id}@example.com")).to_vec())
    .bind(
        keyring
            .seal(EMAIL.of(id), &format!("{id}@example.com"))
            .unwrap(),
    )
    .bind(keyring.seal(CustomerColumn::Phone.of(id), "600").unwrap())
    .execute(crm)
    .await
    .unwrap();
}

#[tokio::test]
async fn a_rotation_leaves_no_old_key_and_changes_no_value_and_no_marker() {
    let Some(world) = World::start().await else {
        return;
    };
    let crm = &world.sources.crm;
    let mut keyring = Keyring::generate().unwrap();
    // More than one batch, with some under the new key already.
    for id in 1..=1_020 {
        insert(crm, &keyring, id).await;
    }
    keyring.add_key().unwrap();
    insert(crm, &keyring, 1_021).await;
    let markers =
        "select md5(string_agg(change_txid::text, ',' order by customer_id)) from crm.customers";
    let before: String = sqlx::query_scalar(markers).fetch_one(crm).await.unwrap();

    let rotated = rotate(crm, &keyring).await.unwrap();
    assert_eq!(
        (rotated.customers, rotated.envelopes, rotated.unreadable),
        (1_020, 2_040, 0)
    );
    assert_eq!(keys_in_use(crm).await.unwrap(), [keyring.newest()].into());
    let after: String = sqlx::query_scalar(markers).fetch_one(crm).await.unwrap();
    assert_eq!(before, after);

    let old = keyring.key_ids().next().unwrap();
    keyring.remove_key(old).unwrap();
    let rows: Vec<(i64, Vec<u8>, Option<Vec<u8>>)> =
        sqlx::query_as("select customer_id, email_enc, address_enc from crm.customers")
            .fetch_all(crm)
            .await
            .unwrap();
    for (id, email, address) in rows {
        let opened = keyring.open(EMAIL.of(id), &email).unwrap();
        assert_eq!(opened.expose_secret(), format!("{id}@example.com"));
        assert_eq!(address, None);
    }
    assert_eq!(rotate(crm, &keyring).await.unwrap().customers, 0);
}

#[tokio::test]
async fn a_rotation_goes_round_what_it_cannot_read() {
    let Some(world) = World::start().await else {
        return;
    };
    let crm = &world.sources.crm;
    let mut keyring = Keyring::generate().unwrap();
    for id in 1..=3 {
        insert(crm, &keyring, id).await;
    }
    sqlx::query("update crm.customers set email_enc = '\\x01000000ff' where customer_id = 2")
        .execute(crm)
        .await
        .unwrap();
    keyring.add_key().unwrap();
    let rotated = rotate(crm, &keyring).await.unwrap();
    assert_eq!(
        (rotated.customers, rotated.envelopes, rotated.unreadable),
        (3, 5, 1)
    );
    let first = rotated.first_unreadable.unwrap().to_string();
    assert_eq!(
        first,
        "crm.customers.email_enc of row 2 holds no envelope of version 1"
    );
}
