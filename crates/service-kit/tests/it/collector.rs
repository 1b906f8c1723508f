//! A collector of traces: OTLP over HTTP, as the specification has it.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, common::v1::any_value::Value, trace::v1::Span,
};
use prost::Message as _;
use service_kit::{CancellationToken, listen};
use tokio_util::sync::DropGuard;
use url::Url;

/// A span as it arrived.
#[derive(Clone, Debug)]
pub struct Arrived {
    pub service: String,
    pub span: Span,
}

impl Arrived {
    pub fn trace_id(&self) -> String {
        hex(&self.span.trace_id)
    }

    pub fn span_id(&self) -> String {
        hex(&self.span.span_id)
    }

    pub fn parent_id(&self) -> String {
        hex(&self.span.parent_span_id)
    }

    /// An attribute, as text.
    pub fn attribute(&self, key: &str) -> Option<String> {
        let found = self.span.attributes.iter().find(|one| one.key == key)?;
        match found.value.clone()?.value? {
            Value::StringValue(text) => Some(text),
            Value::IntValue(number) => Some(number.to_string()),
            other => Some(format!("{other:?}")),
        }
    }
}

/// Collects until it is dropped.
pub struct Collector {
    pub url: Url,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    _stop: DropGuard,
}

impl Collector {
    pub async fn start() -> Self {
        let arrived = Arc::<Mutex<Vec<Arrived>>>::default();
        let router = Router::new()
            .route("/v1/traces", post(collect))
            .with_state(Arc::clone(&arrived));
        let stop = CancellationToken::new();
        let listener = listen::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(listen::serve(listener, router, stop.clone()));
        Self {
            url: url.parse().unwrap(),
            arrived,
            _stop: stop.drop_guard(),
        }
    }

    pub fn spans(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }
}

async fn collect(
    State(arrived): State<Arc<Mutex<Vec<Arrived>>>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    if headers["content-type"] != "application/x-protobuf" {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE;
    }
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    for resource in request.resource_spans {
        let attributes = resource.resource.unwrap().attributes;
        let name = attributes.into_iter().find(|one| one.key == "service.name");
        let Some(Value::StringValue(service)) = name.unwrap().value.unwrap().value else {
            return StatusCode::BAD_REQUEST;
        };
        for span in resource
            .scope_spans
            .into_iter()
            .flat_map(|scope| scope.spans)
        {
            let service = service.clone();
            arrived.lock().unwrap().push(Arrived { service, span });
        }
    }
    StatusCode::OK
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
