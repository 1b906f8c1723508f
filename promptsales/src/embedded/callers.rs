//! The key with which the gateway says who asks, and what the services behind know of it.

use anyhow::Context;
use auth::{AssertionKey, KeySet, TrustedGateways};

use super::{GATEWAY_CLIENT, private};
use crate::home::Home;

/// The home's key, made when there is none, and whom the services trust by it.
pub fn load_or_create(home: &Home) -> anyhow::Result<(AssertionKey, TrustedGateways)> {
    let path = home.identity().join("gateway-caller.pem");
    let pem = private::load_or_create(&path, AssertionKey::generate_pem)?;
    let key = AssertionKey::from_pem(&pem)
        .with_context(|| format!("{} is damaged; delete it to have a new one", path.display()))?;
    let keys = home.identity().join("gateway-caller-keys.json");
    private::write(&keys, &serde_json::to_vec_pretty(&key.public_keys())?)?;
    let trusted = TrustedGateways {
        clients: vec![GATEWAY_CLIENT.to_owned()],
        keys: KeySet::File(keys),
    };
    Ok((key, trusted))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::load_or_create;
    use crate::home::Home;

    #[test]
    fn the_key_is_made_once_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::resolve(Some(directory.path().to_owned())).unwrap();
        fs::create_dir(home.identity()).unwrap();
        let (first, _) = load_or_create(&home).unwrap();
        let (second, _) = load_or_create(&home).unwrap();
        assert_eq!(format!("{first:?}"), format!("{second:?}"));
        let pem = home.identity().join("gateway-caller.pem");
        let mode = fs::metadata(&pem).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let public = fs::read_to_string(home.identity().join("gateway-caller-keys.json")).unwrap();
        assert!(
            public.contains("\"kid\"") && !public.contains("\"d\""),
            "{public}"
        );

        fs::write(&pem, "damaged").unwrap();
        let fault = format!("{:#}", load_or_create(&home).unwrap_err());
        assert!(fault.contains("gateway-caller.pem is damaged"), "{fault}");
    }
}
