//! The picture decodes, is large enough, lies as declared, and its facts are those on record.

use super::Report;
use crate::facts::image_facts;

/// Pixels on the long side that the widest common placement asks for.
const LEAST_LONG_SIDE: u32 = 1200;

pub(super) fn check(report: &mut Report<'_>) {
    let entry = report.entry;
    let facts = match image_facts(&entry.image.bytes) {
        Ok(facts) => facts,
        Err(fault) => return report.fault(fault),
    };
    let (width, height) = (facts.width, facts.height);
    if width.max(height) < LEAST_LONG_SIDE {
        report.fault(format_args!(
            "the picture has {width} x {height} pixels: expected at least {LEAST_LONG_SIDE} on the long side"
        ));
    }
    if facts.orientation != entry.orientation {
        report.fault(format_args!(
            "orientation is '{}', but the picture of {width} x {height} pixels is '{}'",
            entry.orientation.as_str(),
            facts.orientation.as_str()
        ));
    }
    if facts != entry.facts {
        report.fault("the facts on record are not those of the picture: run the render tool again");
    }
}
