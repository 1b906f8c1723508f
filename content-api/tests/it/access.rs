//! Who may call.

use contracts::Scope;
use secrecy::ExposeSecret;

use crate::world::World;

/// Every route of `/v1` with the one scope that it asks for.
const PROTECTED: [(&str, &str, Scope); 18] = [
    ("POST", "/v1/getContent", Scope::ContentRead),
    ("GET", "/v1/content", Scope::ContentRead),
    ("POST", "/v1/content", Scope::ContentWrite),
    ("GET", "/v1/content/x", Scope::ContentRead),
    ("PATCH", "/v1/content/x", Scope::ContentWrite),
    ("DELETE", "/v1/content/x", Scope::ContentWrite),
    ("DELETE", "/v1/content/x?erase=true", Scope::ContentApprove),
    ("POST", "/v1/content/x/versions", Scope::ContentWrite),
    ("POST", "/v1/content/x/approve", Scope::ContentApprove),
    ("POST", "/v1/content/x/retire", Scope::ContentApprove),
    ("GET", "/v1/content/x/image", Scope::ContentRead),
    ("GET", "/v1/campaigns", Scope::ContentRead),
    ("POST", "/v1/campaigns", Scope::CampaignsWrite),
    ("GET", "/v1/campaigns/x", Scope::ContentRead),
    ("PATCH", "/v1/campaigns/x", Scope::CampaignsWrite),
    ("GET", "/v1/campaigns/x/log", Scope::ContentRead),
    ("GET", "/v1/changes", Scope::ContentRead),
    ("GET", "/v1/erasures", Scope::ContentApprove),
];

#[tokio::test]
async fn every_route_of_v1_wants_a_token_with_its_scope() {
    let Some(world) = World::start().await else {
        return;
    };
    for (method, path, scope) in PROTECTED {
        let request = || {
            let method: http::Method = method.parse().unwrap();
            world.http.request(method, format!("{}{path}", world.base))
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

        let others: Vec<Scope> = Scope::ALL
            .into_iter()
            .filter(|other| *other != scope)
            .collect();
        let other = world.token(&others);
        let reply = world
            .send(request().bearer_auth(other.expose_secret()))
            .await;
        reply.problem(403, "insufficient-scope");
        let asked = format!("scope=\"{scope}\"");
        assert!(reply.header("www-authenticate").contains(&asked), "{path}");
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
