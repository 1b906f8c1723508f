//! `GET /v1/content/{id}/image`.

use image::ImageFormat;

use crate::{
    sample::store_with_picture,
    world::{Reply, World},
};

const IMMUTABLE: &str = "private, max-age=31536000, immutable";

/// Format and size of the picture in an answer, read from its bytes.
fn picture(reply: &Reply) -> (ImageFormat, u32, u32) {
    assert_eq!(
        reply.status,
        200,
        "{}",
        String::from_utf8_lossy(&reply.body)
    );
    let format = image::guess_format(&reply.body).unwrap();
    assert_eq!(reply.header("content-type"), format.to_mime_type());
    let picture = image::load_from_memory(&reply.body).unwrap();
    (format, picture.width(), picture.height())
}

#[tokio::test]
async fn width_and_format_are_as_asked_for() {
    let Some(world) = World::start().await else {
        return;
    };
    let draft = store_with_picture(&world.store, "alpha").await;
    let cases = [
        ("", "image/webp", (ImageFormat::WebP, 64, 48)),
        (
            "",
            "image/jpeg;q=0.9, image/png;q=0.1",
            (ImageFormat::Jpeg, 64, 48),
        ),
        ("", "*/*", (ImageFormat::Png, 64, 48)),
        ("?width=32", "image/webp", (ImageFormat::WebP, 32, 24)),
        (
            "?width=32&format=jpeg",
            "image/webp",
            (ImageFormat::Jpeg, 32, 24),
        ),
        ("?format=png", "image/webp", (ImageFormat::Png, 64, 48)),
        // Never enlarged.
        ("?width=2400", "image/webp", (ImageFormat::WebP, 64, 48)),
    ];
    for (query, accept, expected) in cases {
        let path = format!("/v1/content/alpha/image{query}");
        let reply = world.get(&path, &[("accept", accept)]).await;
        assert_eq!(picture(&reply), expected, "{query} {accept}");
        assert_eq!(reply.header("vary"), "Accept");
    }
    // The original is served byte by byte.
    let reply = world.get("/v1/content/alpha/image", &[]).await;
    assert_eq!(reply.body.len() as u64, draft.image.bytes);
}

#[tokio::test]
async fn only_a_url_that_names_the_file_is_immutable() {
    let Some(world) = World::start().await else {
        return;
    };
    let draft = store_with_picture(&world.store, "alpha").await;
    let current = &draft.image.sha256[..16];
    let get = async |query: &str, held: &str| {
        let path = format!("/v1/content/alpha/image?format=webp{query}");
        world.get(&path, &[("if-none-match", held)]).await
    };
    let reply = get(&format!("&v={current}"), "").await;
    assert_eq!(reply.header("cache-control"), IMMUTABLE);
    let etag = reply.header("etag").to_owned();
    assert_eq!(etag, format!("\"{current}-64-webp\""));
    for query in ["", "&v=0000000000000000", "&v="] {
        let reply = get(query, "").await;
        assert_eq!(
            reply.header("cache-control"),
            "private, no-cache",
            "{query}"
        );
        assert_eq!(reply.header("etag"), etag);
        let reply = get(query, &etag).await;
        assert_eq!((reply.status.as_u16(), reply.body.len()), (304, 0));
        assert_eq!(reply.header("vary"), "Accept");
    }
    assert_ne!(get("&width=32", "").await.header("etag"), etag);
    // More than its own width gives the same picture.
    assert_eq!(get("&width=65", "").await.header("etag"), etag);
}

#[tokio::test]
async fn widths_formats_and_parameters_out_of_range_are_refused() {
    let Some(world) = World::start().await else {
        return;
    };
    store_with_picture(&world.store, "alpha").await;
    for width in [
        "0",
        "15",
        "2401",
        "1000000",
        "-1",
        "1.5",
        "wide",
        "",
        "99999999999999999999",
    ] {
        let path = format!("/v1/content/alpha/image?width={width}");
        let problem = world.get(&path, &[]).await.problem(400, "invalid-width");
        assert!(problem.detail.contains("16 to 2400"), "{}", problem.detail);
    }
    for format in ["gif", "", "image/webp"] {
        let path = format!("/v1/content/alpha/image?format={format}");
        let problem = world.get(&path, &[]).await.problem(400, "invalid-format");
        assert!(
            problem.detail.contains("webp, png, jpeg"),
            "{}",
            problem.detail
        );
    }
    for query in ["size=1", "width=20&width=30", "width=20&quality=1"] {
        let path = format!("/v1/content/alpha/image?{query}");
        world.get(&path, &[]).await.problem(400, "invalid-query");
    }
    let reply = world
        .get("/v1/content/alpha/image", &[("accept", "image/avif")])
        .await;
    let problem = reply.problem(406, "not-acceptable");
    assert!(problem.detail.contains("image/webp"), "{}", problem.detail);
}

#[tokio::test]
async fn a_rendition_is_made_once() {
    let Some(world) = World::start().await else {
        return;
    };
    store_with_picture(&world.store, "alpha").await;
    let path = "/v1/content/alpha/image?width=32&format=webp";
    let first = world.get(path, &[]).await;
    assert_eq!(first.status, 200);
    sqlx::query("delete from content.image_files")
        .execute(&world.database.pool)
        .await
        .unwrap();
    assert_eq!(world.get(path, &[]).await.body, first.body);
    // What was not made before cannot be made any more: our fault, told without its cause.
    let lost = world
        .get("/v1/content/alpha/image?width=33&format=webp", &[])
        .await;
    let problem = lost.problem(500, "internal");
    assert!(!problem.detail.contains("stored"), "{}", problem.detail);
}

#[tokio::test]
async fn a_damaged_file_is_a_500_that_tells_nothing() {
    let Some(world) = World::start().await else {
        return;
    };
    store_with_picture(&world.store, "alpha").await;
    sqlx::query("update content.image_files set bytes = substr(bytes, 1, 60)")
        .execute(&world.database.pool)
        .await
        .unwrap();
    let reply = world.get("/v1/content/alpha/image?width=32", &[]).await;
    reply.problem(500, "internal");
}
