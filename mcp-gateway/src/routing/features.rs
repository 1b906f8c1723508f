//! From a question and its evidence to numbers.

use std::collections::BTreeMap;

use contracts::sales::AnswerKind;

use super::{
    compound::{self, Compound},
    evidence::{Evidence, Hit, Plan},
    signs::{self, Signs},
    words::words,
};

/// Why the warehouse does not answer, as far as it tells routes apart.
const REASONS: [&str; 21] = [
    "out_of_scope",
    "images",
    "no_such_metric",
    "command",
    "injection",
    "personal_data",
    "advice",
    "forecast",
    "missing_measure",
    "unknown_word",
    "unknown_name",
    "unreachable",
    "time",
    "count_or_list",
    "comparison",
    "ambiguous_word",
    "not_counted",
    "several_names",
    "two_questions",
    "two_times",
    "misfit",
];

/// Of these: what it won't do, and what it doesn't know.
const REFUSED: [&str; 5] = [
    "injection",
    "personal_data",
    "advice",
    "forecast",
    "command",
];
const UNKNOWN: [&str; 4] = [
    "unknown_word",
    "unknown_name",
    "out_of_scope",
    "no_such_metric",
];

/// Signs whose place at the beginning counts.
const LEADING: [&str; 16] = [
    "order", "seek", "see", "world", "social", "image", "quantity", "advice", "attack", "question",
    "article", "figures", "vague", "season", "place", "writing",
];
/// Signs that count for more when there are several of them.
const COUNTED: [&str; 3] = ["visual", "business", "time"];

/// What a feature's name begins with, by the evidence that it needs. Words need none.
const PLAN: &str = "plan: ";
const HIT: &str = "hit: ";
const BOTH: &str = "plan, hit: ";

/// Whether the feature of that name needs the warehouse's plan, and whether the best image.
pub(super) fn evidence_of(feature: &str) -> (bool, bool) {
    let both = feature.starts_with(BOTH);
    (
        both || feature.starts_with(PLAN),
        both || feature.starts_with(HIT),
    )
}

/// Numbers by name. Those that need evidence which is not there are left out.
pub type Features = BTreeMap<String, f64>;

/// All numbers about a question but its embedding.
pub fn features(text: &str, evidence: &Evidence) -> Features {
    let folded: Vec<String> = words(text).into_iter().map(|word| word.folded).collect();
    let signs = signs::builtin().of(&folded);
    let mut features = Features::new();
    wording(&mut features, text, &folded, &signs);
    if let Some(plan) = &evidence.plan {
        planned(&mut features, plan, &folded, &signs);
        in_parts(&mut features, plan, evidence.part.as_ref(), &signs);
    }
    if let Some(hit) = &evidence.hit {
        found(&mut features, hit, &folded);
    }
    if let (Some(plan), Some(hit)) = (&evidence.plan, &evidence.hit) {
        let business = business(plan, &signs);
        for (name, value) in [
            ("score x business", hit.score * business),
            ("score x no business", hit.score * (1.0 - business)),
            ("score x explained", hit.score * plan.explained),
        ] {
            features.insert(format!("{BOTH}{name}"), value);
        }
    }
    features
}

/// What the words alone say.
fn wording(features: &mut Features, text: &str, folded: &[String], signs: &Signs) {
    let length = folded.len().max(1) as f64;
    features.insert("length".into(), length.ln());
    features.insert("1 or 2 words".into(), flag(folded.len() <= 2));
    features.insert("up to 4 words".into(), flag(folded.len() <= 4));
    features.insert("question mark".into(), flag(text.contains(['?', '¿'])));
    for (name, sign) in signs.iter() {
        features.insert(format!("says {name}"), flag(sign.count > 0));
        if COUNTED.contains(&name) {
            features.insert(format!("often {name}"), sign.count.min(4) as f64 / 2.0);
        }
        if LEADING.contains(&name) {
            features.insert(format!("begins {name}"), flag(sign.leads));
        }
    }
    features.insert("names an id".into(), flag(names_an_id(text)));
    let compound = compound::read(text);
    let turned = matches!(compound, Some(Compound::CampaignsWithImages { .. }));
    features.insert("campaigns with images".into(), flag(turned));
    let says = |name: &str| signs.says(name);
    let leads = |name: &str| flag(signs.iter().any(|(one, sign)| one == name && sign.leads));
    let image = says("image");
    let pairs = [
        ("begins order & image", leads("order") * image),
        ("begins order & business", leads("order") * says("business")),
        (
            "social & no business",
            says("social") * (1.0 - says("business")),
        ),
        ("see & use", says("see") * says("use")),
        ("image & see", image * says("see")),
        (
            "begins article & no business",
            leads("article") * (1.0 - says("business")),
        ),
        ("image & campaign", image * says("campaign")),
        ("image & outcome", image * says("outcome")),
        ("image & use", image * says("use")),
        ("image & see & rank", image * says("see") * says("rank")),
        ("campaign & use", says("campaign") * says("use")),
        ("image & quantity", image * says("quantity")),
        ("image & question", image * says("question")),
        ("image & time", image * says("time")),
        ("business & world", says("business") * says("world")),
        ("business & advice", says("business") * says("advice")),
        ("image & advice", image * says("advice")),
        ("image & world", image * says("world")),
    ];
    for (name, value) in pairs.into_iter().chain(together(folded, signs)) {
        features.insert(name.into(), value);
    }
}

/// What signs say in each other's company: a picture, a figure, and somebody whose they are.
fn together(folded: &[String], signs: &Signs) -> [(&'static str, f64); 18] {
    let says = |name: &str| signs.says(name);
    let not = |name: &str| 1.0 - signs.says(name);
    let looks = says("image").max(says("material"));
    let measured = says("business").max(says("outcome")).max(says("numbers"));
    let measured = measured.max(says("quantity"));
    // "Vendimos", "gastamos", "hicimos": the verb says whose it is.
    let we = flag(folded.iter().any(|word| {
        let ending = ["amos", "emos", "imos"]
            .iter()
            .any(|end| word.ends_with(end));
        word.len() >= 6 && ending
    }));
    let ours = says("ours").max(we);
    let bare = not("image") * not("see").max(not("use")) * (1.0 - measured);
    let known = measured.max(looks).max(says("visual"));
    [
        ("ours", ours),
        ("ours & measured", ours * measured),
        ("ours & image", ours * says("image")),
        ("neither ours nor known", (1.0 - ours) * (1.0 - known)),
        (
            "question & not ours & no figure",
            says("question") * (1.0 - ours) * (1.0 - measured),
        ),
        (
            "question & not ours & figure",
            says("question") * (1.0 - ours) * measured,
        ),
        ("rival & measured", says("rival") * measured),
        ("platform & measured", says("platform") * measured),
        ("platform alone", says("platform") * bare),
        ("season alone", says("season") * bare),
        ("place alone", says("place") * bare),
        ("campaign alone", says("campaign") * bare),
        ("vague alone", says("vague") * bare),
        ("looks & measured", looks * measured),
        ("looks & measured & see", looks * measured * says("see")),
        (
            "campaign & measured & see",
            says("campaign") * measured * says("see"),
        ),
        (
            "showing & measured",
            says("showing").max(says("visual")) * measured,
        ),
        ("writing & image", says("writing") * says("image")),
    ]
}

/// An image's slug of three words or more, or a campaign's code: whoever writes these asks about one
/// thing and does not look for others.
fn names_an_id(text: &str) -> bool {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-')
        .any(|word| {
            let parts: Vec<&str> = word.split('-').collect();
            let slug = parts.len() >= 3 && word.chars().all(|one| !one.is_ascii_uppercase());
            let code =
                matches!(parts[..], ["CMP" | "cmp", number] if number.parse::<u32>().is_ok());
            code || slug && parts.iter().all(|part| !part.is_empty())
        })
}

/// What the warehouse would make of it.
fn planned(features: &mut Features, plan: &Plan, folded: &[String], signs: &Signs) {
    for (name, kind) in [
        ("answer", AnswerKind::Answer),
        ("clarify", AnswerKind::Clarify),
        ("decline", AnswerKind::Decline),
    ] {
        features.insert(format!("{PLAN}{name}"), flag(plan.kind == kind));
    }
    for reason in REASONS {
        let is = plan.reason.as_deref() == Some(reason);
        features.insert(format!("{PLAN}because {reason}"), flag(is));
    }
    for (name, value) in [
        ("explained", plan.explained),
        (
            "words it lacks",
            (1.0 - plan.explained) * folded.len() as f64,
        ),
        ("unexplained", flag(plan.explained < 0.999)),
        ("metric", flag(plan.metric)),
        ("dimension", flag(plan.dimension)),
        ("sees a time", flag(plan.time)),
        ("sees a ranking", flag(plan.ranked)),
        ("metrics", plan.metrics.min(3) as f64),
        ("dimensions", plan.dimensions.min(3) as f64),
        ("filters", plan.filters.min(3) as f64),
        ("choices", plan.choices.min(5) as f64),
    ] {
        features.insert(format!("{PLAN}{name}"), value);
    }
    beside_words(features, plan, folded, signs);
}

/// What the warehouse's plan means beside the words.
fn beside_words(features: &mut Features, plan: &Plan, folded: &[String], signs: &Signs) {
    let because = |reasons: &[&str]| {
        let reason = plan.reason.as_deref();
        flag(reason.is_some_and(|reason| reasons.contains(&reason)))
    };
    let says = |name: &str| signs.says(name);
    let (image, see, metric) = (says("image"), says("see"), flag(plan.metric));
    let business = business(plan, signs);
    let unexplained = flag(plan.explained < 0.999);
    let member_only = flag(plan.dimension && !plan.metric);
    let campaign_or_business = says("campaign").max(business);
    let nothing = image + says("visual") + business + flag(plan.dimension) + says("campaign");
    let numbers = [
        ("refused", because(&REFUSED)),
        ("unknown", because(&UNKNOWN)),
        ("unknown & metric", because(&UNKNOWN) * metric),
        ("unknown & image", because(&UNKNOWN) * image),
        ("world & metric", says("world") * metric),
        ("image & metric", image * metric),
        ("image & business", image * business),
        (
            "image & business & unexplained",
            image * business * unexplained,
        ),
        ("image & explained", image * (1.0 - unexplained)),
        ("image & see & business", image * see * business),
        ("image & see & campaign", image * see * campaign_or_business),
        (
            "image alone",
            image * (1.0 - campaign_or_business.max(says("outcome"))),
        ),
        ("campaign & unexplained", says("campaign") * unexplained),
        ("metric x unexplained", metric * (1.0 - plan.explained)),
        ("member alone", member_only),
        (
            "member alone & short",
            member_only * flag(folded.len() <= 4),
        ),
        ("vague & no metric", says("vague") * (1.0 - metric)),
        (
            "short & no metric",
            flag(folded.len() <= 3) * (1.0 - metric),
        ),
        ("visual & no business", says("visual") * (1.0 - business)),
        ("nothing known", flag(nothing == 0.0)),
        ("visual & metric", says("visual") * metric),
        ("ours & metric", says("ours") * metric),
        ("rival & metric", says("rival") * metric),
        (
            "season alone",
            says("season") * (1.0 - metric) * (1.0 - image),
        ),
    ];
    for (name, value) in numbers {
        features.insert(format!("{PLAN}{name}"), value);
    }
}

/// What the warehouse would make of its part of a question in two parts.
fn in_parts(features: &mut Features, plan: &Plan, part: Option<&Plan>, signs: &Signs) {
    let is = |of: fn(&Plan) -> bool| flag(part.is_some_and(of));
    let answered = is(|part| part.kind == AnswerKind::Answer);
    for (name, value) in [
        ("by image", flag(plan.by_content)),
        ("in parts", flag(part.is_some())),
        ("part answered", answered),
        ("part by campaign", is(|part| part.by_campaign)),
        ("part names a metric", is(|part| part.metric)),
        (
            "part answered, whole not",
            answered * flag(plan.kind != AnswerKind::Answer),
        ),
        ("part answered & see", answered * signs.says("see")),
    ] {
        features.insert(format!("{PLAN}{name}"), value);
    }
}

/// How well the best image fits.
fn found(features: &mut Features, hit: &Hit, folded: &[String]) {
    let short = flag(folded.len() <= 3);
    for (name, value) in [
        ("score", hit.score),
        ("dense", hit.dense),
        ("lexical", hit.lexical),
        ("score & short", hit.score * short),
        ("stands out", hit.dense - hit.mean_dense),
        ("matched", hit.matched.min(6) as f64),
        (
            "matched of all",
            hit.matched as f64 / folded.len().max(1) as f64,
        ),
    ] {
        features.insert(format!("{HIT}{name}"), value);
    }
}

fn business(plan: &Plan, signs: &Signs) -> f64 {
    flag(plan.metric).max(signs.says("business"))
}

fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}
