//! `find`: one description, or a file of them.

mod batch;
mod pipes;

use crate::support::{ids, indexed_home, run, shared_up};

/// What a person might type, and the image that it plainly means. Words of our own: not the
/// catalogue's titles, and not the judged queries.
const PLAIN_ENGLISH: [(&str, &str); 12] = [
    (
        "somebody's hound jumping to catch a flying disc",
        "dog-park-frisbee",
    ),
    ("a camper driving through the desert", "desert-road-trip"),
    ("a big cake for a birthday party", "birthday-cake-candles"),
    (
        "students celebrate their degree, hats in the air",
        "graduation-caps-air",
    ),
    (
        "plugging in an electric car at home",
        "electric-car-charging",
    ),
    ("putting away coins in a pink pig", "piggy-bank-savings"),
    ("Japanese raw fish rolls on a plate", "sushi-platter"),
    (
        "an elderly man gets his jab from a nurse",
        "vaccination-clinic",
    ),
    ("a woman swims laps in the pool", "swimmer-pool-lane"),
    ("formal leather shoes for the office", "leather-dress-shoes"),
    (
        "a pot being made by hand from clay",
        "potter-handmade-ceramics",
    ),
    ("a crowd at a rock concert outdoors", "music-festival-crowd"),
];

const PLAIN_SPANISH: [(&str, &str); 12] = [
    ("gato que mira por la ventana", "cat-window-sill"),
    (
        "zapatos elegantes de cuero para caballero",
        "leather-dress-shoes",
    ),
    ("unos amigos brindan con cerveza", "craft-beer-toast"),
    ("faro en la costa con mar agitado", "rocky-beach-lighthouse"),
    ("techo con paneles solares", "solar-panels-roof"),
    ("reloj de pulsera dorado de lujo", "wristwatch-luxury"),
    ("hamaca en la playa entre palmeras", "tropical-beach-palm"),
    (
        "pagar con el teléfono en una tienda",
        "contactless-payment-phone",
    ),
    (
        "repartidor en bicicleta con paquetes",
        "courier-bicycle-delivery",
    ),
    (
        "mujer practicando yoga por la mañana",
        "yoga-studio-morning",
    ),
    (
        "pareja joven que estrena casa y muestra sus llaves",
        "new-house-keys",
    ),
    ("un perrito que duerme en su cesta", "puppy-sleeping-basket"),
];

#[test]
fn plain_descriptions_find_the_right_image_first() {
    let Some(up) = shared_up() else { return };
    for (language, cases) in [("en", PLAIN_ENGLISH), ("es", PLAIN_SPANISH)] {
        for (description, expected) in cases {
            let answer = run(up.home(), &["find", "--json", description])
                .expect(0)
                .json();
            assert_eq!(
                ids(&answer).first(),
                Some(&expected),
                "{description}: {answer}"
            );
            // Nobody said which language it is.
            assert_eq!(answer["language"], language, "{description}");
        }
    }
}

#[test]
fn the_json_is_what_scripts_rely_on() {
    let Some(up) = shared_up() else { return };
    let ran = run(
        up.home(),
        &["find", "--json", "shoes to walk in the mountains"],
    )
    .expect(0);
    let answer = ran.json();
    assert_eq!(answer["no_match"], false);
    assert_eq!(answer["engine"], "qdrant-edge");
    assert_eq!(answer["model"], "minilm-es-en-v1");
    let results = answer["results"].as_array().unwrap();
    assert!((1..=5).contains(&results.len()), "{results:?}");
    let mut before = 1.0;
    for hit in results {
        let score = hit["score"].as_f64().unwrap();
        assert!((0.0..=before).contains(&score), "{score} after {before}");
        before = score;
        let hashtags = hit["hashtags"].as_array().unwrap();
        assert!(hashtags.len() >= 5);
        assert!(
            hashtags
                .iter()
                .all(|tag| tag.as_str().unwrap().starts_with('#'))
        );
        assert!(!hit["title"].as_str().unwrap().is_empty());
        assert!(
            hit["image_url"]
                .as_str()
                .unwrap()
                .starts_with("http://127.0.0.1:")
        );
    }
    // Nothing but the answer: a script reads to the end.
    assert_eq!(ran.stderr, "");
}

#[test]
fn limit_and_language_are_as_asked_for() {
    let Some(up) = shared_up() else { return };
    let shoes = |options: &[&str]| {
        run(up.home(), &[&["find", "--json", "shoes"], options].concat())
            .expect(0)
            .json()
    };
    assert_eq!(ids(&shoes(&["--limit", "1"])).len(), 1);
    let (two, three) = (shoes(&["--limit", "2"]), shoes(&["--limit", "3"]));
    assert_eq!(ids(&two), ids(&three)[..2]);
    let spanish = shoes(&["--lang", "es", "--limit", "3"]);
    assert_eq!(spanish["language"], "es");
    let hit = &spanish["results"][0];
    let (title, id) = (hit["title"].as_str().unwrap(), hit["id"].as_str().unwrap());
    assert!(
        title.contains("Zapat") || title.contains("Botas"),
        "{title}"
    );
    let english = &three["results"]
        .as_array()
        .unwrap()
        .iter()
        .find(|hit| hit["id"] == id);
    assert_ne!(english.map(|hit| &hit["title"]), Some(&hit["title"]));
}

#[test]
fn words_need_no_quotes_and_a_person_reads_a_list() {
    let Some(up) = shared_up() else { return };
    let ran = run(up.home(), &["find", "a", "ginger", "cat", "--limit", "1"]).expect(0);
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert!(
        lines[0].starts_with("  1. Ginger cat watching birds outside  0."),
        "{ran:?}"
    );
    assert!(lines[0].ends_with("cat-window-sill"), "{ran:?}");
    assert!(ran.stdout.contains("shared words: ginger, cat"), "{ran:?}");
    assert!(!ran.stdout.contains('\u{1b}'), "{ran:?}");
}

#[test]
fn nothing_fits_is_an_answer_too() {
    let Some(up) = shared_up() else { return };
    for (description, says) in [
        ("dinosaur skeleton in a museum hall", "No image"),
        ("submarino militar bajo el hielo", "Ninguna imagen"),
        ("qwzx vbnk", "N"),
    ] {
        let answer = run(up.home(), &["find", "--json", description])
            .expect(0)
            .json();
        assert_eq!(
            answer["no_match"],
            true,
            "{description}: {:?}",
            ids(&answer)
        );
        assert_eq!(ids(&answer), [""; 0]);
        // A shell script asks the exit code, as it does with grep.
        let ran = run(up.home(), &["find", description]).expect(1);
        let message = answer["message"].as_str().unwrap();
        assert_eq!(ran.stdout.trim(), message);
        assert_eq!(ran.stderr, "");
        assert!(message.starts_with(says), "{message}");
    }
}

#[test]
fn what_cannot_be_asked_is_refused_with_what_can() {
    let Some(up) = shared_up() else { return };
    for (arguments, code, says) in [
        (&["--limit", "0", "dog"][..], 1, "expected 1 to 100"),
        (&["--limit", "-1", "dog"], 1, "expected 1 to 100"),
        (&["--limit", "1000000000", "dog"], 1, "expected 1 to 100"),
        (&["--limit", "many", "dog"], 2, "--limit"),
        (&["--lang", "fr", "dog"], 2, "expected es or en"),
        (&[""], 1, "1 to 2000 characters"),
        (&["🌊🌞"], 1, "no letter"),
        (&[], 2, "<DESCRIPTION>"),
        (&["--batch", "-", "dog"], 2, "cannot be used with"),
    ] {
        for json in [&[][..], &["--json"]] {
            let ran = run(up.home(), &[&["find"], arguments, json].concat()).expect(code);
            assert!(ran.stderr.starts_with("error: "), "{ran:?}");
            assert!(ran.stderr.contains(says), "{says}: {ran:?}");
            assert_eq!(ran.stdout, "");
        }
    }
}

#[test]
fn without_a_running_up_it_starts_its_own_and_leaves_nothing() {
    let Some(home) = indexed_home() else { return };
    let ran = run(&home, &["find", "--json", "un perrito que duerme"]).expect(0);
    assert_eq!(ids(&ran.json())[0], "puppy-sleeping-basket");
    assert_eq!(home.processes(), []);
    assert!(!home.path().join("endpoints.json").exists());
    // The same when it ends with an error.
    run(&home, &["find", "--limit", "0", "dog"]).expect(1);
    assert_eq!(home.processes(), []);
}
