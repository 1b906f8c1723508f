//! One trace over two services, in a collector and in the logs.

use opentelemetry_proto::tonic::trace::v1::{span::SpanKind, status::StatusCode};
use serde_json::Value;

use crate::{
    collector::{Arrived, Collector},
    hop::Hop,
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn of<'a>(spans: &'a [Arrived], service: &str, kind: SpanKind) -> &'a Arrived {
    let is = |one: &&Arrived| one.service == service && one.span.kind == kind as i32;
    let found: Vec<_> = spans.iter().filter(is).collect();
    assert_eq!(found.len(), 1, "{service} {kind:?}: {spans:#?}");
    found[0]
}

fn line<'a>(log: &'a [Value], message: &str) -> &'a Value {
    let found = log.iter().find(|line| line["message"] == message);
    found.unwrap_or_else(|| panic!("no {message}: {log:#?}"))
}

#[tokio::test]
async fn a_request_through_two_services_is_one_trace_in_the_collector_and_in_the_logs() {
    let collector = Collector::start().await;
    let hop = Hop::start(Some(&collector.url)).await;
    hop.ask(200, Some(&format!("00-{TRACE}-{PARENT}-01"))).await;
    let (front_log, back_log) = hop.stop().await;

    let spans = collector.spans();
    assert_eq!(spans.len(), 3, "{spans:#?}");
    assert!(
        spans.iter().all(|one| one.trace_id() == TRACE),
        "{spans:#?}"
    );
    let front = of(&spans, "front", SpanKind::Server);
    let call = of(&spans, "front", SpanKind::Client);
    let back = of(&spans, "back", SpanKind::Server);
    assert_eq!(front.parent_id(), PARENT);
    assert_eq!(call.parent_id(), front.span_id());
    assert_eq!(back.parent_id(), call.span_id());
    assert_eq!(front.span.name, "GET /ask/{status}");
    assert_eq!(call.span.name, "GET back");
    assert_eq!(back.attribute("http.route").unwrap(), "/work/{status}");
    assert_eq!(back.attribute("http.response.status_code").unwrap(), "200");

    for (log, message, span) in [(&back_log, "worked", back), (&front_log, "asked", front)] {
        let line = line(log, message);
        assert_eq!(line["trace_id"], TRACE, "{line}");
        assert_eq!(line["span_id"], span.span_id(), "{line}");
        assert_eq!(line["span"]["path"], span.attribute("path").unwrap());
    }
}

#[tokio::test]
async fn logs_name_a_trace_without_a_collector_and_without_a_caller_s() {
    let hop = Hop::start(None).await;
    // What is no trace is as good as none.
    hop.ask(200, Some("00-nonsense-01")).await;
    let (front, back) = hop.stop().await;
    let trace = line(&front, "asked")["trace_id"].as_str().unwrap();
    assert_eq!(trace.len(), 32);
    assert!(trace != "0".repeat(32), "{trace}");
    assert_eq!(line(&back, "worked")["trace_id"], trace);
    assert_ne!(
        line(&back, "worked")["span_id"],
        line(&front, "asked")["span_id"]
    );
}

#[tokio::test]
async fn a_caller_that_does_not_record_is_followed_but_its_ids_are_logged_and_probes_are_no_traces()
{
    let collector = Collector::start().await;
    let hop = Hop::start(Some(&collector.url)).await;
    hop.ask(200, Some(&format!("00-{TRACE}-{PARENT}-00"))).await;
    // Nor is a probe a trace.
    hop.probe().await;
    let (_, back) = hop.stop().await;
    assert_eq!(line(&back, "worked")["trace_id"], TRACE);
    assert!(collector.spans().is_empty(), "{:#?}", collector.spans());
}

#[tokio::test]
async fn a_failure_is_marked_on_both_sides_of_the_hop_and_a_refusal_is_none() {
    let collector = Collector::start().await;
    let hop = Hop::start(Some(&collector.url)).await;
    hop.ask(503, None).await;
    hop.ask(404, None).await;
    hop.stop().await;
    let spans = collector.spans();
    assert_eq!(spans.len(), 6);
    for one in spans {
        let status = one.attribute("http.response.status_code").unwrap();
        let failed = one.span.status.clone().unwrap_or_default().code() == StatusCode::Error;
        assert_eq!(failed, status == "503", "{one:#?}");
    }
}

#[tokio::test]
async fn a_collector_that_is_away_is_said_once_and_hinders_nobody() {
    let nobody = Collector::start().await.url;
    let there = Collector::start().await;
    let hop = Hop::with(Some(&nobody), Some(&there.url)).await;
    hop.ask(200, None).await;
    let (front, _) = hop.stop().await;
    let lost: Vec<_> = front
        .iter()
        .filter(|line| line["dependency"] == "the trace collector")
        .collect();
    assert_eq!(lost.len(), 1, "{front:#?}");
    assert_eq!(lost[0]["level"], "WARN");
    assert_eq!(there.spans().len(), 1);
}
