//! Who may call.

use contracts::Scope;
use secrecy::ExposeSecret;

use crate::world::World;

const PROTECTED: [(&str, &str); 3] = [
    ("POST", "/v1/getContent"),
    ("GET", "/v1/content/x"),
    ("GET", "/v1/content/x/image"),
];

#[tokio::test]
async fn every_route_of_v1_wants_a_token_with_content_read() {
    let Some(world) = World::start().await else {
        return;
    };
    for (method, path) in PROTECTED {
        let method: http::Method = method.parse().unwrap();
        let request = || {
            world
                .http
                .request(method.clone(), format!("{}{path}", world.base))
        };

        let reply = world.send(request()).await;
        reply.problem(401, "missing-token");
        assert_eq!(
            reply.header("www-authenticate"),
            "Bearer realm=\"promptsales\""
        );

        let reply = world.send(request().bearer_auth("garbage")).await;
        reply.problem(401, "invalid-token");
        assert!(
            reply
                .header("www-authenticate")
                .contains("error=\"invalid_token\"")
        );

        let other = world.token(&[Scope::SalesRead, Scope::IndexWrite, Scope::ContentWrite]);
        let reply = world
            .send(request().bearer_auth(other.expose_secret()))
            .await;
        reply.problem(403, "insufficient-scope");
        assert!(
            reply
                .header("www-authenticate")
                .contains("scope=\"content:read\"")
        );
    }
}

#[tokio::test]
async fn health_and_the_api_document_are_public() {
    let Some(world) = World::start().await else {
        return;
    };
    world.drained().await;
    for path in ["/livez", "/readyz", "/openapi.json"] {
        let reply = world
            .send(world.http.get(format!("{}{path}", world.base)))
            .await;
        assert_eq!(reply.status, 200, "{path}");
    }
}
