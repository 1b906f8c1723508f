//! The user that the database server runs as: PostgreSQL refuses to run as root.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

const PASSWD: &str = "/etc/passwd";
const NOBODY: &str = "nobody";

/// A line of the user database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// There is no entry for the user that was looked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoAccount;

/// `nobody`, which every system has. PostgreSQL insists on an entry in the user database.
pub(crate) fn unprivileged() -> Result<Account, NoAccount> {
    find(|account| account.name == NOBODY && account.uid != 0)
}

/// The account of a user id.
pub(crate) fn by_uid(uid: u32) -> Result<Account, NoAccount> {
    find(|account| account.uid == uid)
}

fn find(fits: impl Fn(&Account) -> bool) -> Result<Account, NoAccount> {
    let text = fs::read_to_string(PASSWD).map_err(|_| NoAccount)?;
    text.lines().filter_map(parse).find(fits).ok_or(NoAccount)
}

fn parse(line: &str) -> Option<Account> {
    let mut fields = line.split(':');
    let name = fields.next()?.to_owned();
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(Account { name, uid, gid })
}

/// The first folder on the way to `path`, and `path` itself, that `account` may not pass through.
/// What does not exist yet is not in the way.
pub(crate) fn first_unreachable(path: &Path, account: &Account) -> Option<PathBuf> {
    let existing = path.ancestors().find(|ancestor| ancestor.exists())?;
    let existing = existing
        .canonicalize()
        .unwrap_or_else(|_| existing.to_path_buf());
    let mut way: Vec<_> = existing.ancestors().collect();
    way.reverse();
    way.into_iter()
        .find(|folder| !may_pass(folder, account))
        .map(Path::to_path_buf)
}

fn may_pass(folder: &Path, account: &Account) -> bool {
    let Ok(metadata) = fs::metadata(folder) else {
        return false;
    };
    if !metadata.is_dir() {
        return true;
    }
    let bit = match () {
        () if metadata.uid() == account.uid => 0o100,
        () if metadata.gid() == account.gid => 0o010,
        () => 0o001,
    };
    metadata.mode() & bit != 0
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_passwd_line_is_read() {
        let nobody = parse("nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin");
        assert_eq!(
            nobody,
            Some(Account {
                name: "nobody".into(),
                uid: 65534,
                gid: 65533
            })
        );
        assert_eq!(parse("# a comment"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn nobody_exists_here() {
        assert_ne!(unprivileged().unwrap().uid, 0);
    }

    #[test]
    fn a_closed_folder_is_found_on_the_way() {
        let folder = tempfile::tempdir().unwrap();
        let closed = folder.path().join("closed");
        let inner = closed.join("inner");
        fs::create_dir_all(&inner).unwrap();
        let open = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        open(folder.path(), 0o755);
        open(&inner, 0o755);
        let stranger = Account {
            name: "stranger".into(),
            uid: 4_000_001,
            gid: 4_000_001,
        };
        open(&closed, 0o700);
        assert_eq!(
            first_unreachable(&inner.join("not yet"), &stranger),
            Some(closed.canonicalize().unwrap())
        );
        open(&closed, 0o711);
        assert_eq!(first_unreachable(&inner.join("not yet"), &stranger), None);
        let owner = fs::metadata(&closed).unwrap();
        let owner = Account {
            name: "owner".into(),
            uid: owner.uid(),
            gid: owner.gid(),
        };
        open(&closed, 0o700);
        assert_eq!(first_unreachable(&inner, &owner), None);
    }
}
