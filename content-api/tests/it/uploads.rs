//! Files that are refused, while they come or after a look at them.

use contracts::{ContentDocument, Scope};
use secrecy::ExposeSecret;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    life_cycle::{image_form, metadata, upload},
    sample::png,
    world::{Setup, World, until},
};

#[tokio::test]
async fn what_is_no_image_is_refused_by_what_it_is() {
    let Some(world) = World::start().await else {
        return;
    };
    let jpeg = {
        let mut file = std::io::Cursor::new(Vec::new());
        let picture = image::load_from_memory(&png(9)).unwrap().to_rgb8();
        picture
            .write_to(&mut file, image::ImageFormat::Jpeg)
            .unwrap();
        file.into_inner()
    };
    let mut claims = png(1);
    // Width and height of the header, and its checksum.
    claims[16..24].copy_from_slice(&[0, 0, 0xc3, 0x50, 0, 0, 0xc3, 0x50]);
    let crc = crc32(&claims[12..29]);
    claims[29..33].copy_from_slice(&crc.to_be_bytes());
    for (n, (file, status, slug)) in [
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>".to_vec(),
            415,
            "unsupported-image",
        ),
        (b"GIF89a".to_vec(), 415, "unsupported-image"),
        (Vec::new(), 422, "invalid-image"),
        (jpeg[..jpeg.len() / 2].to_vec(), 422, "invalid-image"),
        (claims, 413, "image-too-large"),
        (vec![0; 20_000_001], 413, "body-too-large"),
        (vec![0; 512], 415, "unsupported-image"),
    ]
    .into_iter()
    .enumerate()
    {
        let reply = upload(&world, &format!("key-{n}"), file, metadata("Bad")).await;
        reply.problem(status, slug);
    }
    let again = upload(&world, "key-2", png(1), metadata("Good")).await;
    assert_eq!(again.status, 201, "a refused file takes no key");
    let deleted = again.header("location").to_owned();
    let deleted = world.request("DELETE", &deleted, &[Scope::ContentWrite]);
    assert_eq!(world.send(deleted).await.status, 204);
    let list = world.get("/v1/content", &[]).await;
    assert_eq!(list.json::<serde_json::Value>()["documents"], json!([]));
}

/// CRC-32 as PNG has it (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 * (crc & 1))
        })
    })
}

#[tokio::test]
async fn a_file_with_more_in_it_is_stored_without() {
    let Some(world) = World::start().await else {
        return;
    };
    let hidden = b"PK\x03\x04<script>alert(1)</script>";
    let file = [png(3).as_slice(), hidden].concat();
    let reply = upload(&world, "key", file, metadata("Polyglot")).await;
    assert_eq!(reply.status, 201);
    let stored: contracts::lifecycle::StoredContent = reply.json();
    let path = format!("/v1/content/{}/image?format=png", stored.document.id);
    let served = world.get(&path, &[]).await;
    assert_eq!(served.status, 200);
    assert!(!served.body.windows(hidden.len()).any(|part| part == hidden));
    assert_eq!(stored.document.image.bytes, served.body.len() as u64);
}

/// A body of which `sent` bytes come, of `announced`; the answer's head.
async fn send_raw(world: &World, announced: Option<u64>, sent: usize) -> (String, usize) {
    let address = world.base.trim_start_matches("http://");
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut reading, mut writing) = stream.into_split();
    let token = world.token(&[Scope::ContentWrite]);
    let length = announced.map_or("transfer-encoding: chunked".to_owned(), |length| {
        format!("content-length: {length}")
    });
    let head = format!(
        "POST /v1/content HTTP/1.1\r\nhost: here\r\nauthorization: Bearer {}\r\n{length}\r\n\
         idempotency-key: k\r\ncontent-type: multipart/form-data; boundary=B\r\n\r\n",
        token.expose_secret()
    );
    let part = "--B\r\ncontent-disposition: form-data; name=\"image\"\r\n\r\n";
    let writer = tokio::spawn(async move {
        let chunk = vec![b'x'; 1 << 20];
        let mut written = 0;
        let write = async {
            writing.write_all(head.as_bytes()).await?;
            if announced.is_none() {
                let size = format!("{:x}\r\n{part}\r\n", part.len());
                writing.write_all(size.as_bytes()).await?;
            } else {
                writing.write_all(part.as_bytes()).await?;
            }
            while written < sent {
                if announced.is_none() {
                    writing.write_all(b"100000\r\n").await?;
                }
                writing.write_all(&chunk).await?;
                if announced.is_none() {
                    writing.write_all(b"\r\n").await?;
                }
                written += chunk.len();
            }
            Ok::<(), std::io::Error>(())
        };
        // The server hangs up on who goes on.
        write.await.ok();
        (written, writing)
    });
    let mut answer = vec![0; 4_096];
    let mut held = 0;
    while let Ok(more) = reading.read(&mut answer[held..]).await {
        held += more;
        if more == 0 || answer[..held].windows(4).any(|end| end == b"\r\n\r\n") {
            break;
        }
    }
    drop(reading);
    let (written, _writing) = writer.await.unwrap();
    (
        String::from_utf8_lossy(&answer[..held]).into_owned(),
        written,
    )
}

#[tokio::test]
async fn two_hundred_megabytes_are_refused_while_they_come() {
    let Some(world) = World::start().await else {
        return;
    };
    // The head alone is enough.
    let (answer, _) = send_raw(&world, Some(200 << 20), 0).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    // Without a length, as soon as there is too much.
    let (answer, written) = send_raw(&world, None, 200 << 20).await;
    assert!(
        answer.starts_with("HTTP/1.1 413") || answer.is_empty(),
        "{answer}"
    );
    assert!(written < 60 << 20, "{written} bytes were taken");
}

/// A body that trickles is given up, and holds up nobody after it.
#[tokio::test]
async fn an_upload_that_does_not_come_to_its_end_is_given_up() {
    let setup = Setup {
        upload_deadline: std::time::Duration::from_millis(400),
        ..Setup::default()
    };
    let Some(world) = World::start_with(setup).await else {
        return;
    };
    let slow = (0..4).map(|_| send_raw(&world, Some(1 << 20), 0));
    for (answer, _) in futures::future::join_all(slow).await {
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        assert!(answer.contains("application/problem+json"), "{answer}");
    }
    // As many as came to their end are let in again, and the key was not taken.
    until("one that comes is stored", async || {
        let reply = upload(&world, "k", png(1), metadata("In time")).await;
        reply.status == 201
    })
    .await;
    let list = world.get("/v1/content", &[]).await;
    let documents = list.json::<serde_json::Value>()["documents"].clone();
    assert_eq!(documents.as_array().unwrap().len(), 1, "{documents}");
}

/// The body of an upload; and a connection that has announced it, and is told to send it as soon as its
/// turn has come (RFC 9110, section 10.1.1).
async fn announce(world: &World, key: &str) -> (TcpStream, Vec<u8>) {
    let part =
        |name: &str| format!("--B\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n");
    let metadata = metadata("In turn").to_string();
    let body = [
        part("image").as_bytes(),
        &png(1),
        b"\r\n",
        part("metadata").as_bytes(),
        metadata.as_bytes(),
        b"\r\n--B--\r\n",
    ]
    .concat();
    let address = world.base.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let token = world.token(&[Scope::ContentWrite]);
    let head = format!(
        "POST /v1/content HTTP/1.1\r\nhost: here\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\
         idempotency-key: {key}\r\nexpect: 100-continue\r\n\
         content-type: multipart/form-data; boundary=B\r\n\r\n",
        token.expose_secret(),
        body.len(),
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    (stream, body)
}

/// The status of the next answer's head.
async fn status(stream: &mut TcpStream) -> u16 {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    head["HTTP/1.1 ".len()..][..3].parse().unwrap()
}

#[tokio::test]
async fn the_ninth_upload_waits_for_one_of_eight_to_end() {
    let Some(world) = World::start().await else {
        return;
    };
    let mut reading = Vec::new();
    for n in 0..8 {
        let (mut stream, _) = announce(&world, &format!("held-{n}")).await;
        assert_eq!(status(&mut stream).await, 100);
        reading.push(stream);
    }
    let (mut ninth, body) = announce(&world, "ninth").await;
    // Long enough for what the others were told at once.
    let early = tokio::time::timeout(std::time::Duration::from_millis(300), ninth.readable());
    assert!(early.await.is_err(), "it was told something");
    drop(reading.pop());
    assert_eq!(status(&mut ninth).await, 100);
    ninth.write_all(&body).await.unwrap();
    assert_eq!(status(&mut ninth).await, 201);
}

#[tokio::test]
async fn bodies_of_another_form_are_refused() {
    let Some(world) = World::start().await else {
        return;
    };
    let post = |key: &str| {
        let request = world.request("POST", "/v1/content", &[Scope::ContentWrite]);
        request.header("idempotency-key", key.to_owned())
    };
    let json = post("a").json(&json!({}));
    let reply = world.send(json).await;
    reply.problem(415, "unsupported-media-type");
    let part = |name: &str, value: &str| {
        format!("--B\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let form = "multipart/form-data; boundary=B";
    for (body, status, slug) in [
        (part("metadata", "{}"), 400, "invalid-multipart"),
        (part("image", "x"), 422, "invalid-metadata"),
        (
            part("image", "x") + &part("image", "y"),
            400,
            "invalid-multipart",
        ),
        (
            part("image", "x") + &part("other", "y"),
            400,
            "invalid-multipart",
        ),
        (
            part("image", "x") + &part("metadata", "{"),
            422,
            "invalid-metadata",
        ),
        (
            part("image", "x") + &part("metadata", &" ".repeat(64 * 1024 + 1)),
            413,
            "body-too-large",
        ),
    ] {
        let request = post("a").header("content-type", form);
        let reply = world.send(request.body(body + "--B--\r\n")).await;
        reply.problem(status, slug);
    }
    let cut = post("a").header("content-type", form);
    let reply = world.send(cut.body(part("image", "x"))).await;
    reply.problem(400, "invalid-multipart");
}

#[tokio::test]
async fn an_older_image_stays_under_its_url_and_a_newer_one_is_shown() {
    let Some(world) = World::start().await else {
        return;
    };
    let reply = upload(&world, "key", png(3), metadata("Versions")).await;
    let first: ContentDocument = reply.json::<contracts::lifecycle::StoredContent>().document;
    let id = first.id.as_str();
    let versions = format!("/v1/content/{id}/versions");
    let new = |file: Vec<u8>| {
        let request = world.request("POST", &versions, &[Scope::ContentWrite]);
        image_form(request, file, None)
    };
    let reply = world.send(new(png(200))).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("etag"), "\"2\"");
    let second: contracts::lifecycle::StoredContent = reply.json();
    assert_ne!(second.document.image.sha256, first.image.sha256);
    assert_eq!(
        second.document.former_images,
        std::slice::from_ref(&first.image)
    );
    let again = world.send(new(png(200))).await;
    assert_eq!(
        again.header("etag"),
        "\"2\"",
        "the same image changes nothing"
    );
    let stale = new(png(7)).header("if-match", "\"1\"");
    world.send(stale).await.problem(412, "revision-changed");

    let shown = async |version: &str| {
        let path = format!("/v1/content/{id}/image?format=png&v={}", &version[..16]);
        let reply = world.get(&path, &[]).await;
        assert!(
            reply.header("cache-control").contains("immutable"),
            "{version}"
        );
        contracts::ContentHash::of(&reply.body).as_str().to_owned()
    };
    let (old, new) = (&first.image.sha256, &second.document.image.sha256);
    assert_eq!(shown(old).await, *old);
    assert_eq!(shown(new).await, *new);
}
