//! What the counters tell a collector of metrics.

use std::fmt;

use service_kit::metrics::prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};

use super::SharedCounters;

/// Read when it is asked for.
#[derive(Debug)]
pub struct Measured(pub SharedCounters);

impl Collector for Measured {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let counts = self.0.counts();
        let up = ConstGauge::new(i64::from(self.0.is_up()));
        let gauge = encoder.encode_descriptor(
            "rate_limit_redis_up",
            "1 if replicas count rates together in Redis; 0 if each counts for itself",
            None,
            MetricType::Gauge,
        )?;
        up.encode(gauge)?;
        let mut decisions = encoder.encode_descriptor(
            "rate_limit_decisions",
            "Who decided whether a client came too often: redis for all replicas, or this process",
            None,
            MetricType::Counter,
        )?;
        for (by, times) in [("redis", counts.together), ("process", counts.alone)] {
            let labels = [("by", by)];
            let one = decisions.encode_family(&labels)?;
            ConstCounter::new(times).encode(one)?;
        }
        let mut failed = encoder.encode_descriptor(
            "rate_limit_redis_calls_failed",
            "Calls to that Redis that ended without its decision",
            None,
            MetricType::Counter,
        )?;
        for (how, times) in [
            ("timeout", counts.link.timeouts),
            ("failure", counts.link.failures),
            ("refused", counts.link.refused),
            ("skipped", counts.link.skipped),
        ] {
            let labels = [("how", how)];
            let one = failed.encode_family(&labels)?;
            ConstCounter::new(times).encode(one)?;
        }
        Ok(())
    }
}
