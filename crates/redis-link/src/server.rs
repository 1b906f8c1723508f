//! Which Redis, and how a connection to it is made.

use std::{fmt, time::Duration};

use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, Pipeline,
    RedisConnectionInfo, RedisResult, TlsCertificates, TlsMode, Value,
    aio::MultiplexedConnection,
    cluster::{ClusterClient, ClusterClientBuilder},
    cluster_async::ClusterConnection,
    sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType},
};
use secrecy::{ExposeSecret, SecretString};

/// A Redis server, or several that act as one.
#[derive(Clone, Debug)]
pub struct Server {
    pub topology: Topology,
    pub login: Login,
    /// Encrypted; on these authorities' word, in PEM, or on the system's.
    pub tls: Option<Authorities>,
}

/// PEM, or the system's when `None`.
#[derive(Clone)]
pub struct Authorities(pub Option<Vec<u8>>);

impl fmt::Debug for Authorities {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_some() { "given" } else { "system" })
    }
}

/// How the servers stand to one another.
#[derive(Clone, Debug)]
pub enum Topology {
    /// One server.
    Single { node: Node, database: i64 },
    /// The server that these Sentinels name as `master` now.
    Sentinel {
        nodes: Vec<Node>,
        master: String,
        database: i64,
        /// What the Sentinels themselves ask for.
        login: Login,
    },
    /// A cluster that these nodes know.
    Cluster { nodes: Vec<Node> },
}

/// What Redis answered to each command of a pipeline.
pub type Answers = Vec<RedisResult<Value>>;

/// Host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub host: String,
    pub port: u16,
}

/// An ACL user; without a name it is Redis's `default`.
#[derive(Clone, Debug, Default)]
pub struct Login {
    pub user: Option<String>,
    pub password: Option<SecretString>,
}

impl Login {
    fn settings(&self, database: i64) -> RedisConnectionInfo {
        let mut settings = RedisConnectionInfo::default().set_db(database);
        if let Some(user) = &self.user {
            settings = settings.set_username(user);
        }
        if let Some(password) = &self.password {
            settings = settings.set_password(password.expose_secret());
        }
        settings
    }
}

impl Server {
    /// What connects to it. No connection is made yet.
    ///
    /// # Errors
    /// When the certificates cannot be read.
    pub fn connector(&self) -> RedisResult<Connector> {
        if self.tls.is_some() {
            // rustls cannot choose between two providers, and another crate may bring a second one.
            // Where one is installed already it stays.
            drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        }
        match &self.topology {
            Topology::Single { node, database } => {
                let info = self
                    .address(node)
                    .into_connection_info()?
                    .set_redis_settings(self.login.settings(*database));
                Ok(Connector::Single(Box::new(self.client(info)?)))
            }
            Topology::Sentinel {
                nodes,
                master,
                database,
                login,
            } => Ok(Connector::Sentinel(Box::new(
                self.sentinel(nodes, master, *database, login)?,
            ))),
            Topology::Cluster { nodes } => Ok(Connector::Cluster(Box::new(self.cluster(nodes)?))),
        }
    }

    fn client(&self, info: ConnectionInfo) -> RedisResult<Client> {
        match self.certificates() {
            Some(certificates) => Client::build_with_tls(info, certificates),
            None => Client::open(info),
        }
    }

    fn sentinel(
        &self,
        nodes: &[Node],
        master: &str,
        database: i64,
        login: &Login,
    ) -> RedisResult<SentinelClient> {
        let nodes = nodes.iter().map(|node| self.address(node));
        let mut builder = SentinelClientBuilder::new(nodes, master, SentinelServerType::Master)?
            .set_client_to_redis_db(database);
        if let Some(certificates) = self.certificates() {
            builder = builder
                .set_client_to_redis_tls_mode(TlsMode::Secure)
                .set_client_to_redis_certificates(certificates.clone())
                .set_client_to_sentinel_tls_mode(TlsMode::Secure)
                .set_client_to_sentinel_certificates(certificates);
        }
        if let Some(user) = &self.login.user {
            builder = builder.set_client_to_redis_username(user);
        }
        if let Some(password) = &self.login.password {
            builder = builder.set_client_to_redis_password(password.expose_secret());
        }
        if let Some(user) = &login.user {
            builder = builder.set_client_to_sentinel_username(user);
        }
        if let Some(password) = &login.password {
            builder = builder.set_client_to_sentinel_password(password.expose_secret());
        }
        builder.build()
    }

    fn cluster(&self, nodes: &[Node]) -> RedisResult<ClusterClient> {
        let settings = self.login.settings(0);
        let nodes = nodes
            .iter()
            .map(|node| {
                let info = self.address(node).into_connection_info()?;
                Ok(info.set_redis_settings(settings.clone()))
            })
            .collect::<RedisResult<Vec<ConnectionInfo>>>()?;
        // The deadline of a call bounds what these two add up to.
        let mut builder = ClusterClientBuilder::new(nodes)
            .retries(3)
            .min_retry_wait(1)
            .max_retry_wait(20);
        if let Some(certificates) = self.certificates() {
            builder = builder.tls(TlsMode::Secure).certs(certificates);
        }
        builder.build()
    }

    fn address(&self, node: &Node) -> ConnectionAddr {
        let (host, port) = (node.host.clone(), node.port);
        match &self.tls {
            None => ConnectionAddr::Tcp(host, port),
            Some(_) => ConnectionAddr::TcpTls {
                host,
                port,
                insecure: false,
                tls_params: None,
            },
        }
    }

    fn certificates(&self) -> Option<TlsCertificates> {
        self.tls.as_ref().map(|authorities| TlsCertificates {
            client_tls: None,
            root_cert: authorities.0.clone(),
        })
    }
}

/// Makes connections.
pub enum Connector {
    Single(Box<Client>),
    Sentinel(Box<SentinelClient>),
    Cluster(Box<ClusterClient>),
}

impl Connector {
    /// A new connection, to whichever server is the right one now.
    pub async fn connect(&mut self, within: Duration) -> RedisResult<Connection> {
        // How long a call may take is decided for each call.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(within))
            .set_response_timeout(None);
        Ok(match self {
            Self::Single(client) => Connection::Server(
                client
                    .get_multiplexed_async_connection_with_config(&config)
                    .await?,
            ),
            Self::Sentinel(client) => {
                Connection::Server(client.get_async_connection_with_config(&config).await?)
            }
            Self::Cluster(client) => Connection::Cluster(client.get_async_connection().await?),
        })
    }
}

/// A connection that many calls share: clones are the same one.
#[derive(Clone)]
pub enum Connection {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Connection {
    /// Sends the commands and reads an answer to each. Has no deadline.
    pub async fn run(&mut self, pipeline: &Pipeline) -> RedisResult<Answers> {
        match self {
            Self::Server(connection) => pipeline.query_async(connection).await,
            Self::Cluster(connection) => pipeline.query_async(connection).await,
        }
    }
}
