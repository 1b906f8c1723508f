//! What can be wrong with settings.

/// One thing that is wrong. None repeats anything of a URL, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No such scheme.
    Scheme,
    /// User and password cannot be read.
    Userinfo,
    /// The host with this number, from 1, cannot be read.
    Host(usize),
    /// So many hosts where there is one server.
    Hosts(usize),
    /// No master's name.
    NoMaster,
    /// The path makes no sense.
    Path,
    /// Something after a question mark or a hash sign.
    Extras,
    /// More than one password.
    TwoPasswords,
    /// More than one user.
    TwoUsers,
    /// A user without a password.
    NoPassword,
    /// A file cannot be read.
    File {
        /// Where.
        path: String,
        /// Why not.
        error: String,
    },
    /// No certificate in it.
    NoCertificate(String),
    /// Authorities, but nothing to check.
    AuthoritiesWithoutTls,
    /// Not a prefix.
    Prefix,
    /// Out of range, in milliseconds.
    Deadline(u128),
    /// The client of Redis does not take it.
    Client(String),
}

impl Fault {
    /// In words. `of` is how the names of these settings begin, such as `cache` for `cache-url`.
    pub fn message(&self, of: &str) -> String {
        match self {
            Self::Scheme => format!(
                "{of}-url begins with no scheme that is known: expected redis://, redis-sentinel:// or \
                 redis-cluster://, or with TLS rediss://, rediss-sentinel:// or rediss-cluster://"
            ),
            Self::Userinfo => format!(
                "{of}-url's user or password cannot be read: expected user:password@ with letters such \
                 as : @ / # and ? percent-encoded, or neither, with {of}-user and {of}-password instead"
            ),
            Self::Host(number) => {
                format!("host {number} of {of}-url cannot be read: expected host or host:port")
            }
            Self::Hosts(hosts) => format!(
                "{of}-url names {hosts} hosts: a single server has one; use redis-sentinel:// or \
                 redis-cluster:// for several"
            ),
            Self::NoMaster => {
                format!("{of}-url names no master: expected redis-sentinel://host:26379/NAME")
            }
            Self::Path => format!(
                "{of}-url's path cannot be read: expected /DATABASE for a single server, /MASTER or \
                 /MASTER/DATABASE for Sentinels, and none for a cluster; DATABASE is a number, 0 when \
                 absent"
            ),
            Self::Extras => format!(
                "{of}-url goes on after ? or #, which mean nothing here: certificates are always \
                 checked, and passwords have them percent-encoded"
            ),
            Self::TwoPasswords => format!(
                "{of}-password and {of}-url both hold a password: give it in one place only"
            ),
            Self::TwoUsers => {
                format!("{of}-user and {of}-url both name a user: give it in one place only")
            }
            Self::NoPassword => format!(
                "{of}-user is given and no password: expected {of}-password-file or {of}-password"
            ),
            Self::File { path, error } => format!("{of}-ca-file {path} cannot be read: {error}"),
            Self::NoCertificate(path) => {
                format!("{of}-ca-file {path} holds no certificate: expected PEM, BEGIN CERTIFICATE")
            }
            Self::AuthoritiesWithoutTls => {
                format!("{of}-ca-file is given, but {of}-url has no TLS: expected rediss://")
            }
            Self::Prefix => {
                format!("{of}-prefix is not 1 to 64 of the letters A-Z a-z 0-9 - _ . :")
            }
            Self::Deadline(millis) => format!("{of}-deadline-ms is {millis}: expected 1 to 1000"),
            Self::Client(error) => {
                format!("the client of Redis does not take the settings {of}-…: {error}")
            }
        }
    }
}
