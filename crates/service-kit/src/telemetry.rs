//! Logs and traces. Field names, and what is never logged: `docs/LOGGING.md`. Why traces are as they are:
//! `docs/adr/0027-traces-by-opentelemetry.md`.

mod export;
mod lines;

use std::io;

use clap::Args;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Dispatch;
use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::filter_fn,
    fmt::{self, MakeWriter, format::JsonFields},
    layer::SubscriberExt as _,
    registry,
};
use url::Url;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For a person at a terminal.
    Text,
    /// One JSON object a line, for a collector.
    Json,
}

/// What a service's settings say of traces.
#[derive(Args, Clone, Debug, Default)]
pub struct TraceOptions {
    /// Where traces go, by OTLP over HTTP: a collector such as `http://collector:4318`, to which `/v1/traces` is added. Off when absent. Other variables of OpenTelemetry, such as OTEL_TRACES_SAMPLER, hold as they are specified.
    #[arg(
        long,
        global = true,
        env = "OTEL_EXPORTER_OTLP_ENDPOINT",
        value_name = "URL"
    )]
    pub otlp_endpoint: Option<Url>,
}

/// A service's logs and traces.
#[derive(Clone, Debug)]
pub struct Telemetry<'a> {
    /// `service.name` of its spans.
    pub service: &'static str,
    /// Its version.
    pub version: &'static str,
    /// How lines look.
    pub format: LogFormat,
    /// Which lines there are. `RUST_LOG` overrides it.
    pub filter: &'a str,
    /// Where its traces go.
    pub traces: TraceOptions,
}

/// Why there are no logs or traces.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// No client to send traces with.
    #[error("cannot set up the HTTP client for traces")]
    Client(#[source] reqwest::Error),
    /// The settings of the exporter are wrong.
    #[error("traces cannot be sent: {0}; see otlp_endpoint and the variables OTEL_…")]
    Exporter(String),
    /// Traces are sent from within a Tokio runtime.
    #[error("traces cannot be sent: there is no runtime to send them from")]
    NoRuntime,
}

impl Telemetry<'_> {
    /// Does the work of a process with it, on standard error, and then sends the traces that are left,
    /// whatever became of the work.
    ///
    /// # Errors
    /// When traces are to be sent and cannot be: nothing was done then.
    pub async fn around<T>(self, work: impl Future<Output = T>) -> Result<T, TelemetryError> {
        let tracing = self.install()?;
        let done = work.await;
        tracing.finish().await;
        Ok(done)
    }

    fn install(self) -> Result<Tracing, TelemetryError> {
        let filter =
            EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(self.filter));
        let (subscriber, tracing) = self.subscriber(filter, io::stderr)?;
        // Another one is installed already where a test called this before.
        drop(tracing::dispatcher::set_global_default(subscriber));
        Ok(tracing)
    }

    /// The same, to be installed by whoever calls, for lines that go elsewhere. `RUST_LOG` is not looked at.
    ///
    /// # Errors
    /// As [`Self::around`].
    pub fn to_writer<W>(self, writer: W) -> Result<(Dispatch, Tracing), TelemetryError>
    where
        W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
    {
        let filter = EnvFilter::new(self.filter);
        self.subscriber(filter, writer)
    }

    fn subscriber<W>(
        self,
        filter: EnvFilter,
        writer: W,
    ) -> Result<(Dispatch, Tracing), TelemetryError>
    where
        W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
    {
        let endpoint = self.traces.otlp_endpoint.as_ref();
        let provider = export::provider(self.service, self.version, endpoint)?;
        // Spans that say of which kind they are: those of other people's crates are not ours to show.
        let traced = filter_fn(|metadata| {
            metadata.is_span() && metadata.fields().field("otel.kind").is_some()
        });
        let traces = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("promptsales"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(traced);
        let registry = registry().with(traces);
        let layer = fmt::layer().with_writer(writer);
        let dispatch = match self.format {
            LogFormat::Text => {
                let layer = layer.compact().with_target(false);
                Dispatch::new(registry.with(layer.with_filter(filter)))
            }
            LogFormat::Json => {
                let layer = layer.fmt_fields(JsonFields::new());
                let layer = layer.event_format(lines::Lines::new());
                Dispatch::new(registry.with(layer.with_filter(filter)))
            }
        };
        Ok((dispatch, Tracing(provider)))
    }
}

/// The spans that are still to be sent.
#[derive(Debug)]
#[must_use = "spans are lost that are not sent by the end"]
pub struct Tracing(SdkTracerProvider);

impl Tracing {
    /// Sends what is left, for a few seconds at most. The last thing that a service does.
    pub async fn finish(self) {
        let provider = self.0;
        let finished = tokio::task::spawn_blocking(move || provider.shutdown()).await;
        if let Ok(Err(error)) = finished {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// Installs logs alone, on standard error. `RUST_LOG` overrides `default_filter`.
/// A second call does nothing, so that tests may call it freely.
pub fn init(format: LogFormat, default_filter: &str) {
    let telemetry = Telemetry {
        service: "promptsales",
        version: env!("CARGO_PKG_VERSION"),
        format,
        filter: default_filter,
        traces: TraceOptions::default(),
    };
    // Nothing is to be sent, so nothing can fail and nothing is left at the end.
    drop(telemetry.install());
}
