//! Spans on their way to a collector: OTLP, protobuf over HTTP.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::body::Bytes;
use opentelemetry::KeyValue;
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tokio::runtime::Handle;
use url::Url;

use super::TelemetryError;
use crate::{http_client, with_causes};

/// Longest that a batch may take.
const DEADLINE: Duration = Duration::from_secs(10);
/// Largest answer of a collector that is read: it says little.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Makes spans, and sends them to `endpoint` if there is one. What else the environment says of traces
/// (`OTEL_TRACES_SAMPLER`, `OTEL_BSP_…`, `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_RESOURCE_ATTRIBUTES`) holds as specified.
pub(super) fn provider(
    service: &'static str,
    version: &'static str,
    endpoint: Option<&Url>,
) -> Result<SdkTracerProvider, TelemetryError> {
    let resource = Resource::builder()
        .with_attributes([
            KeyValue::new("service.namespace", "promptsales"),
            KeyValue::new("service.version", version),
        ])
        .with_service_name(service)
        .build();
    let builder = SdkTracerProvider::builder().with_resource(resource);
    let Some(endpoint) = endpoint else {
        return Ok(builder.build());
    };
    let client = http_client::build(DEADLINE).map_err(TelemetryError::Client)?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Sender {
            client,
            runtime: Handle::try_current().map_err(|_| TelemetryError::NoRuntime)?,
            failing: Arc::default(),
        })
        .with_timeout(DEADLINE)
        .with_endpoint(traces_of(endpoint))
        .build()
        .map_err(|error| TelemetryError::Exporter(error.to_string()))?;
    Ok(builder.with_batch_exporter(exporter).build())
}

/// `OTEL_EXPORTER_OTLP_ENDPOINT` is the base of all signals.
fn traces_of(endpoint: &Url) -> String {
    format!("{}/v1/traces", endpoint.as_str().trim_end_matches('/'))
}

/// Our own HTTP client, for a thread that is none of the runtime's.
#[derive(Debug)]
struct Sender {
    client: reqwest::Client,
    runtime: Handle,
    failing: Arc<AtomicBool>,
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (client, failing) = (self.client.clone(), Arc::clone(&self.failing));
        let sending = self.runtime.spawn(async move {
            let answer = send(client, request).await;
            say(&failing, &answer);
            answer
        });
        sending.await?
    }
}

/// At the first failure, and when it is over: what is lost in between is one thing.
fn say(failing: &AtomicBool, answer: &Result<Response<Bytes>, HttpError>) {
    let fault = match answer {
        Ok(answer) if answer.status().is_success() => None,
        Ok(answer) => Some(format!("it answered {}", answer.status())),
        Err(error) => Some(with_causes(error.as_ref())),
    };
    let was_failing = failing.swap(fault.is_some(), Ordering::Relaxed);
    let dependency = "the trace collector";
    match fault {
        Some(error) if !was_failing => {
            tracing::warn!(error, dependency, "traces are lost until it takes them");
        }
        None if was_failing => tracing::info!(dependency, "traces are delivered again"),
        _ => {}
    }
}

async fn send(
    client: reqwest::Client,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, HttpError> {
    // An address may hold a password.
    let sent = client.execute(reqwest::Request::try_from(request)?).await;
    let mut answer = sent.map_err(reqwest::Error::without_url)?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(format!("it answered with more than {MAX_ANSWER_BYTES} bytes").into());
        }
        body.extend_from_slice(&chunk);
    }
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}
