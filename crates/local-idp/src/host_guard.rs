//! A page in a browser must not reach this server under a name that it made resolve to loopback
//! (DNS rebinding), so a request has to name a loopback host.

use std::net::IpAddr;

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, StatusCode, Uri, header, uri::Authority};
use service_kit::ProblemResponse;

/// Refuses a request whose `Host` (or absolute target) is not loopback.
pub(crate) async fn refuse_foreign_hosts(request: Request, next: Next) -> Response {
    if names_loopback(request.uri(), request.headers()) {
        return next.run(request).await;
    }
    ProblemResponse::new(
        StatusCode::FORBIDDEN,
        "foreign-host",
        "Foreign host",
        "This server answers only to loopback names: call it as localhost, 127.0.0.1 or [::1].",
    )
    .into_response()
}

fn names_loopback(uri: &Uri, headers: &HeaderMap) -> bool {
    let mut named = 0;
    let from_headers = headers.get_all(header::HOST).iter().map(|value| {
        value
            .to_str()
            .ok()
            .and_then(|text| text.parse::<Authority>().ok())
    });
    let mut hosts = uri
        .authority()
        .cloned()
        .map(Some)
        .into_iter()
        .chain(from_headers);
    let all_loopback = hosts.all(|host| {
        named += 1;
        host.is_some_and(|host| is_loopback(&host))
    });
    all_loopback && named > 0
}

fn is_loopback(authority: &Authority) -> bool {
    if authority.as_str().contains('@') {
        return false;
    }
    let host = authority.host();
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_pass() {
        for (host, expected) in [
            ("127.0.0.1", true),
            ("127.0.0.1:7400", true),
            ("LOCALHOST:7400", true),
            ("[::1]:7400", true),
            ("rebound.example", false),
            ("127.0.0.1.rebound.example", false),
            ("localhost.rebound.example:7400", false),
            ("10.0.0.1", false),
            ("0.0.0.0", false),
            ("user@127.0.0.1", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().expect("a header value"));
            assert_eq!(
                names_loopback(&Uri::from_static("/jwks"), &headers),
                expected,
                "{host}"
            );
        }
        assert!(
            !names_loopback(&Uri::from_static("/jwks"), &HeaderMap::new()),
            "no host at all"
        );
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "127.0.0.1".parse().expect("a header value"));
        let absolute = Uri::from_static("http://rebound.example/jwks");
        assert!(
            !names_loopback(&absolute, &headers),
            "an absolute target overrides nothing"
        );
        headers.append(
            header::HOST,
            "rebound.example".parse().expect("a header value"),
        );
        assert!(
            !names_loopback(&Uri::from_static("/jwks"), &headers),
            "a second host"
        );
    }
}
