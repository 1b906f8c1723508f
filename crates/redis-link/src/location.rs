//! A URL, taken apart.

use redis::IntoConnectionInfo;
use secrecy::SecretString;
use url::Url;

use crate::{
    fault::Fault,
    server::{Login, Node, Topology},
};

/// What a URL says.
pub struct Location {
    pub login: Login,
    pub shape: Shape,
    pub tls: bool,
}

/// A [`Topology`] without the Sentinels' login, which no URL holds.
pub enum Shape {
    Single(Node, i64),
    Sentinel(Vec<Node>, String, i64),
    Cluster(Vec<Node>),
}

impl Shape {
    pub fn topology(self, login: Login) -> Topology {
        match self {
            Self::Single(node, database) => Topology::Single { node, database },
            Self::Sentinel(nodes, master, database) => Topology::Sentinel {
                nodes,
                master,
                database,
                login,
            },
            Self::Cluster(nodes) => Topology::Cluster { nodes },
        }
    }
}

impl Location {
    /// `scheme://[userinfo@]host[,host...][/path]`: the `url` crate knows no list of hosts.
    pub fn parse(url: &str) -> Result<Self, Vec<Fault>> {
        let (scheme, rest) = url.split_once("://").ok_or(vec![Fault::Scheme])?;
        let mut faults = Vec::new();
        let (kind, tls) = match scheme.strip_prefix("rediss") {
            Some(kind) => (kind, true),
            None => (scheme.strip_prefix("redis").unwrap_or("?"), false),
        };
        if !matches!(kind, "" | "-sentinel" | "-cluster") {
            return Err(vec![Fault::Scheme]);
        }
        if rest.contains(['?', '#']) {
            return Err(vec![Fault::Extras]);
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (userinfo, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let login = userinfo_login(userinfo)
            .map_err(|fault| faults.push(fault))
            .unwrap_or_default();
        let port = if kind == "-sentinel" { 26_379 } else { 6_379 };
        let mut nodes = Vec::new();
        for (index, host) in hosts.split(',').enumerate() {
            match node(host, port) {
                Some(node) => nodes.push(node),
                None => faults.push(Fault::Host(index + 1)),
            }
        }
        let named = hosts.split(',').count();
        if kind.is_empty() && named > 1 {
            faults.push(Fault::Hosts(named));
        }
        match shape(kind, nodes, path.trim_end_matches('/')) {
            Ok(Some(shape)) if faults.is_empty() => return Ok(Self { login, shape, tls }),
            Ok(_) => {}
            Err(fault) => faults.push(fault),
        }
        Err(faults)
    }
}

/// Without a node there is none, which is a fault of the hosts.
fn shape(kind: &str, mut nodes: Vec<Node>, path: &str) -> Result<Option<Shape>, Fault> {
    let database = |text: &str| match text {
        "" => Ok(0),
        // No sign: Redis has none either.
        number => number
            .parse::<u16>()
            .map(i64::from)
            .map_err(|_| Fault::Path),
    };
    match kind {
        "-sentinel" => {
            let (master, number) = path.split_once('/').unwrap_or((path, ""));
            if master.is_empty() {
                return Err(Fault::NoMaster);
            }
            let database = database(number)?;
            Ok(Some(Shape::Sentinel(nodes, master.to_owned(), database)))
        }
        "-cluster" if path.is_empty() => Ok(Some(Shape::Cluster(nodes))),
        "-cluster" => Err(Fault::Path),
        _ => {
            let database = database(path)?;
            Ok(nodes.pop().map(|node| Shape::Single(node, database)))
        }
    }
}

fn node(text: &str, port: u16) -> Option<Node> {
    let url = Url::parse(&format!("redis://{text}")).ok()?;
    let host = url.host_str().filter(|host| !host.is_empty())?;
    let alone = url.path().is_empty() && url.username().is_empty() && url.password().is_none();
    alone.then(|| Node {
        host: host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned(),
        port: url.port().unwrap_or(port),
    })
}

/// The client's own parser knows what is percent-encoded.
fn userinfo_login(userinfo: &str) -> Result<Login, Fault> {
    let info = format!("redis://{userinfo}@localhost")
        .into_connection_info()
        .map_err(|_| Fault::Userinfo)?;
    let settings = info.redis_settings();
    let localhost = redis::ConnectionAddr::Tcp("localhost".to_owned(), 6_379);
    if *info.addr() != localhost {
        return Err(Fault::Userinfo);
    }
    Ok(Login {
        user: settings.username().map(ToOwned::to_owned),
        password: settings.password().map(SecretString::from),
    })
}
