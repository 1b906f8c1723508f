//! `WWW-Authenticate`, RFC 6750 section 3 and RFC 9728 section 5.1.

use http::HeaderValue;

use crate::{AuthError, VerifierConfig};

/// The challenge that goes with a refusal.
pub(crate) fn challenge(error: &AuthError, resource: &VerifierConfig) -> HeaderValue {
    let mut text = String::from("Bearer realm=\"promptsales\"");
    match error {
        // Section 3.1: whoever sent no token learns no error code. An unreachable issuer is a fault
        // of ours and has no code either.
        // Nothing is wrong with the token where it is the caller who is not believed.
        AuthError::MissingToken
        | AuthError::IssuerUnavailable(_)
        | AuthError::InvalidAssertion(_)
        | AuthError::CallerKeysUnavailable(_)
        | AuthError::TooManyAssertions => {}
        AuthError::InvalidHeader(fault) => {
            parameter(&mut text, "error", "invalid_request");
            parameter(&mut text, "error_description", &fault.to_string());
        }
        AuthError::InvalidToken(fault) => {
            parameter(&mut text, "error", "invalid_token");
            parameter(&mut text, "error_description", &fault.to_string());
        }
        AuthError::InsufficientScope { required } => {
            parameter(&mut text, "error", "insufficient_scope");
            parameter(&mut text, "scope", &required.to_string());
        }
    }
    // A client that has no token, or needs another, is told at once what to ask for.
    let unknown = matches!(error, AuthError::MissingToken | AuthError::InvalidToken(_));
    if unknown && resource.scopes.iter().next().is_some() {
        parameter(&mut text, "scope", &resource.scopes.to_string());
    }
    if let Some(url) = &resource.resource_metadata {
        parameter(&mut text, "resource_metadata", url.as_str());
    }
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("Bearer"))
}

/// Appends `, name="value"` with the value escaped as a quoted-string (RFC 9110 section 5.6.4).
fn parameter(text: &mut String, name: &str, value: &str) {
    text.push_str(", ");
    text.push_str(name);
    text.push_str("=\"");
    for letter in value.chars().filter(|letter| matches!(letter, ' '..='~')) {
        if matches!(letter, '"' | '\\') {
            text.push('\\');
        }
        text.push(letter);
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::parameter;

    #[test]
    fn a_value_cannot_leave_its_quotation_marks() {
        let mut text = String::new();
        parameter(&mut text, "x", "a\"b\\c\r\nd\u{e9}");
        assert_eq!(text, r#", x="a\"b\\cd""#);
    }
}
