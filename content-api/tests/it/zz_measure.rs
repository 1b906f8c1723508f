use crate::world::World;
use serde_json::json;
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn measure() {
    let Some(world) = World::start().await else {
        return;
    };
    let slugs: Vec<String> = (0..60).map(|n| format!("doc{n}")).collect();
    world
        .publish(&slugs.iter().map(String::as_str).collect::<Vec<_>>())
        .await;
    for cached in [false, true] {
        let mut took: Vec<f64> = Vec::new();
        let mut wall: Vec<f64> = Vec::new();
        for n in 0..300 {
            let text = if cached {
                "shoes".to_owned()
            } else {
                format!("shoes {n}")
            };
            let s = std::time::Instant::now();
            let r = world
                .find(json!({"description": text, "language": "en"}))
                .await;
            wall.push(s.elapsed().as_secs_f64() * 1e3);
            let v: serde_json::Value = r.json();
            took.push(v["took_ms"].as_f64().unwrap());
        }
        took.sort_by(f64::total_cmp);
        wall.sort_by(f64::total_cmp);
        println!(
            "MEASURE cached={cached} took p50 {:.2} p99 {:.2} wall p50 {:.2} p99 {:.2}",
            took[150], took[297], wall[150], wall[297]
        );
    }
}
