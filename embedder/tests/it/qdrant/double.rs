//! A stand-in for a Qdrant server: speaks its protocol over a real socket and keeps points in memory.
//!
//! It shows what our side of the conversation does, and no more: how Qdrant ranks and stores is shown by the
//! contract on a real server. Where the documentation leaves room, it behaves the worse way: a point that is
//! replaced keeps the vectors that are not named (Qdrant does so when it moves a point out of an optimised
//! segment), and a scroll's pages are small.

mod collections;
mod filters;
mod points;

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use embedder::index::qdrant::QdrantOptions;
use qdrant_client::qdrant::{
    CreateCollection, HealthCheckReply, HealthCheckRequest, PayloadSchemaInfo, Value, Vector,
    collections_server::CollectionsServer,
    points_server::PointsServer,
    qdrant_server::{Qdrant, QdrantServer},
};
use tokio::net::TcpListener;
use tonic::{
    Request, Response, Status,
    transport::{Identity, Server, ServerTlsConfig, server::TcpIncoming},
};

/// Declines what our adapter has no use for.
macro_rules! unused {
    ($($name:ident: $asked:ty => $answer:ty),+ $(,)?) => {$(
        fn $name<'a, 'f>(
            &'a self,
            _: tonic::Request<$asked>,
        ) -> std::pin::Pin<
            Box<dyn Future<Output = Result<tonic::Response<$answer>, tonic::Status>> + Send + 'f>,
        >
        where
            'a: 'f,
            Self: 'f,
        {
            Box::pin(async { Err(tonic::Status::unimplemented(stringify!($name))) })
        }
    )+};
}
pub(crate) use unused;

#[derive(Clone, Debug, Default)]
pub struct Point {
    pub payload: HashMap<String, Value>,
    pub vectors: HashMap<String, Vector>,
}

#[derive(Debug)]
pub struct Collection {
    pub created: CreateCollection,
    pub indexes: HashMap<String, PayloadSchemaInfo>,
    /// By their UUID.
    pub points: BTreeMap<String, Point>,
}

#[derive(Debug, Default)]
pub struct State {
    pub collections: HashMap<String, Collection>,
    pub aliases: HashMap<String, String>,
    /// Names of the calls so far, in their order.
    pub calls: Vec<&'static str>,
    /// Writes are taken and applied later, as when waiting for them timed out.
    pub only_acknowledges: bool,
    /// Nothing is answered any more.
    pub hangs: bool,
}

impl State {
    /// Follows an alias; a clear refusal where there is nothing.
    pub fn collection(&mut self, name: &str) -> Result<&mut Collection, Status> {
        let name = self
            .aliases
            .get(name)
            .map_or(name, String::as_str)
            .to_owned();
        self.collections.get_mut(&name).ok_or_else(|| {
            Status::not_found(format!("Not found: Collection `{name}` doesn't exist!"))
        })
    }
}

/// The server. It ends with its runtime.
#[derive(Clone)]
pub struct Double {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    version: &'static str,
    api_key: Option<&'static str>,
}

/// What a double may be told at its start.
#[derive(Default)]
pub struct Setup {
    pub version: Option<&'static str>,
    pub api_key: Option<&'static str>,
    pub identity: Option<Identity>,
    /// Any when absent.
    pub port: Option<u16>,
}

impl Double {
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", setup.port.unwrap_or(0)))
            .await
            .unwrap();
        let double = Self {
            address: listener.local_addr().unwrap(),
            state: Arc::default(),
            version: setup.version.unwrap_or("1.20.1"),
            api_key: setup.api_key,
        };
        let mut server = Server::builder();
        if let Some(identity) = setup.identity {
            drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
            let tls = ServerTlsConfig::new().identity(identity);
            server = server.tls_config(tls).unwrap();
        }
        let serving = server
            .add_service(QdrantServer::new(double.clone()))
            .add_service(CollectionsServer::new(double.clone()))
            .add_service(PointsServer::new(double.clone()).max_decoding_message_size(64 << 20))
            .serve_with_incoming(TcpIncoming::from(listener));
        tokio::spawn(serving);
        double
    }

    pub fn options(&self) -> QdrantOptions {
        QdrantOptions::at(format!("http://{}", self.address))
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Notes the call, and lets it in.
    async fn enter<T>(&self, name: &'static str, request: Request<T>) -> Result<T, Status> {
        let hangs = {
            let mut state = self.state();
            state.calls.push(name);
            state.hangs
        };
        if hangs {
            std::future::pending::<()>().await;
        }
        let key = request
            .metadata()
            .get("api-key")
            .map(|key| key.to_str().unwrap());
        if self.api_key.is_some() && key != self.api_key {
            return Err(Status::unauthenticated("Must provide an API key"));
        }
        assert!(
            request.metadata().contains_key("grpc-timeout"),
            "{name} has no deadline"
        );
        Ok(request.into_inner())
    }
}

#[tonic::async_trait]
impl Qdrant for Double {
    async fn health_check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckReply>, Status> {
        self.enter("health_check", request).await?;
        Ok(Response::new(HealthCheckReply {
            title: "double".to_owned(),
            version: self.version.to_owned(),
            commit: None,
        }))
    }
}
