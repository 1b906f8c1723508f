//! Two homes at the same time.

use serde_json::json;

use crate::support::{
    Api, Up, assert_complete_and_equal, five_free_ports, ids, indexed_home, run, shared_up, token,
};

#[tokio::test]
async fn two_homes_run_side_by_side_and_do_not_know_each_other() {
    let (Some(one), Some(home)) = (shared_up(), indexed_home()) else {
        return;
    };
    let base = five_free_ports();
    let other = Up::start_with(
        home,
        &["up", "--no-examples", "--port-base", &base.to_string()],
    );
    let endpoints = other.endpoints();
    let ports = [
        &endpoints.identity,
        &endpoints.embedder,
        &endpoints.content_api,
        &endpoints.sales_warehouse,
        &endpoints.mcp_gateway,
    ]
    .map(|url| url.port().unwrap());
    assert_eq!(ports, [0, 1, 2, 3, 4].map(|place| base + place));
    for up in [one, &other] {
        let status = run(up.home(), &["status", "--json"]).expect(0).json();
        assert_complete_and_equal(&status);
        assert_eq!(status["home"], up.home().path().to_str().unwrap());
        let found = run(up.home(), &["find", "--json", "sushi"])
            .expect(0)
            .json();
        assert_eq!(ids(&found)[0], "sushi-platter");
    }
    // Each trusts its own issuer only.
    let mut stranger = Api::of(one);
    stranger.token = token(other.home(), &[]);
    let refused = stranger.get_content(json!({"description": "sushi"})).await;
    refused.problem(401, "invalid-token");
}
