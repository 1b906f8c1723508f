//! Which format a client gets.

use images::{
    Format::{self, Jpeg, Png, Webp},
    NotAcceptable, negotiate,
};

#[test]
fn a_table_of_accept_fields() {
    let cases: [(Option<&str>, Format, Result<Format, NotAcceptable>); 32] = [
        // No wish.
        (None, Png, Ok(Png)),
        (Some(""), Jpeg, Ok(Jpeg)),
        (Some("*/*"), Png, Ok(Png)),
        (Some("image/*"), Jpeg, Ok(Jpeg)),
        // A wish for one.
        (Some("image/webp"), Png, Ok(Webp)),
        (Some("image/png"), Webp, Ok(Png)),
        (Some("IMAGE/JPEG"), Webp, Ok(Jpeg)),
        // Several: by weight, then WebP before PNG before JPEG.
        (Some("image/jpeg, image/png, image/webp"), Jpeg, Ok(Webp)),
        (Some("image/jpeg,image/png"), Webp, Ok(Png)),
        (Some("image/webp;q=0.5, image/jpeg;q=0.8"), Webp, Ok(Jpeg)),
        (Some("image/webp;q=0.801, image/jpeg;q=0.8"), Jpeg, Ok(Webp)),
        (Some("image/png ; q=0.3 , image/jpeg;Q=0.2"), Webp, Ok(Png)),
        // Browsers.
        (
            Some("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"),
            Png,
            Ok(Webp),
        ),
        (
            Some("text/html,application/xhtml+xml,*/*;q=0.8"),
            Png,
            Ok(Png),
        ),
        (
            Some("image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"),
            Webp,
            Ok(Png),
        ),
        // The most specific range decides, whatever its weight.
        (Some("image/*, image/webp;q=0"), Webp, Ok(Png)),
        (
            Some("*/*;q=0.1, image/*;q=0, image/jpeg;q=0.5"),
            Png,
            Ok(Jpeg),
        ),
        (Some("image/png;q=0.1, */*"), Png, Ok(Webp)),
        // Nothing that is offered.
        (Some("text/html"), Png, Err(NotAcceptable)),
        (Some("image/avif"), Png, Err(NotAcceptable)),
        (Some("*/*;q=0"), Png, Err(NotAcceptable)),
        (Some("image/webp;q=0.000"), Png, Err(NotAcceptable)),
        (Some("image/png;profile=print"), Png, Err(NotAcceptable)),
        // Parameters and quoted strings.
        (
            Some("text/plain;x=\"a,image/png\", image/jpeg"),
            Webp,
            Ok(Jpeg),
        ),
        (
            Some("text/plain;x=\"\\\",image/png\", image/jpeg"),
            Webp,
            Ok(Jpeg),
        ),
        (
            Some("image/png;q=0.5;ext=1, image/jpeg;q=0.4"),
            Webp,
            Ok(Png),
        ),
        // Malformed ranges are passed over.
        (
            Some("image, /png, */png, image/we bp, image/jpeg"),
            Webp,
            Ok(Jpeg),
        ),
        (Some("image/png;q=2, image/jpeg;q=0.1"), Webp, Ok(Jpeg)),
        (
            Some("image/png;q=1.001, image/jpeg;q=1.000"),
            Webp,
            Ok(Jpeg),
        ),
        (Some("image/png;q=0.1234, image/jpeg;q=0.1"), Webp, Ok(Jpeg)),
        (
            Some("image/png;q=-1, image/jpeg;q=.5, image/webp;q=0.1"),
            Png,
            Ok(Webp),
        ),
        (Some("nonsense"), Jpeg, Ok(Jpeg)),
    ];
    for (accept, original, expected) in cases {
        assert_eq!(
            negotiate(accept, original),
            expected,
            "{accept:?} of {original}"
        );
    }
}

#[test]
fn the_error_names_what_is_offered() {
    let text = NotAcceptable.to_string();
    for format in Format::ALL {
        assert!(text.contains(format.media_type()), "{text}");
    }
}
