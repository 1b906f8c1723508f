//! Errors as log lines.

use std::error::Error;

/// An error with its causes, as one line. A cause that the line ends with already is not repeated:
/// some errors put theirs into their own text.
pub fn with_causes(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = inner.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        source: Option<Box<Layer>>,
    }

    #[test]
    fn causes_follow_and_none_is_told_twice() {
        let layer = |text, source| Layer { text, source };
        let inner = Box::new(layer("refused", None));
        let middle = Box::new(layer("no answer: refused", Some(inner)));
        assert_eq!(
            with_causes(&layer("not sent", Some(middle))),
            "not sent: no answer: refused"
        );
    }
}
