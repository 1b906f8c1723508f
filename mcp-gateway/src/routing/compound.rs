//! Questions that take both systems: which part of one is for the warehouse, which for content
//! search, and which of the two is asked first.
//!
//! "The images of the campaigns with the best ROAS": campaigns first, then their images.
//! "How did the campaigns using beach images do?": images first, then their campaigns.

use super::{
    signs,
    words::{Word, words},
};

/// A question in two parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Compound {
    /// The warehouse finds campaigns whose images are wanted.
    ImagesOfCampaigns {
        /// What to ask it, the likeliest wording first.
        sales: Vec<String>,
    },
    /// Content search finds images whose campaigns are asked about.
    CampaignsWithImages {
        /// What the images show.
        subject: String,
        /// What to ask about the campaigns, the likeliest wording first.
        sales: Vec<String>,
    },
}

impl Compound {
    /// The wordings for the warehouse.
    pub(crate) fn sales(&self) -> &[String] {
        match self {
            Self::ImagesOfCampaigns { sales } | Self::CampaignsWithImages { sales, .. } => sales,
        }
    }
}

/// Between an image and what it is of.
const CONNECTORS: &str = "of from in for by to on with used using use that which were was are is \
    did do does have had belonging de del en para por con que usadas usados usada usado usan \
    usaron utilizadas utilizados utilizaron han fueron se tienen tuvieron al a";
/// Ends the words that say what an image shows.
const ENDS: &str = "did do does last this past previous since during between vs versus compared compare by per \
    had have has get got gets pasado pasada ultimo ultima ultimos ultimas este esta desde durante \
    entre comparado comparadas frente por tuvieron tienen tuvo obtuvieron lograron and y";
/// May end them: "in October", but "in an office" too.
const MAY_END: &str = "in en for para";
/// Words that stand before a picture's subject and say nothing of it.
const ARTICLES: &str = "a an the some any of de del con with la el los las un una unos unas";

const POSSESSIVES: &str = "their its them those sus su ellas ellos esas esos estas estos";

fn shows(sign: &str, word: &Word) -> bool {
    signs::builtin().is(sign, &word.folded)
}

fn among(list: &str, word: &Word) -> bool {
    list.split_ascii_whitespace().any(|one| one == word.folded)
}

/// Reads a question that names pictures and what sells by them; `None` where it names no picture or
/// nothing else.
pub(crate) fn read(text: &str) -> Option<Compound> {
    let words = words(text);
    let image = words.iter().position(|word| shows("image", word));
    let campaign = words.iter().position(|word| shows("campaign", word));
    if let Some(campaign) = campaign
        && let Some(found) = campaigns_with_images(text, &words, campaign)
    {
        return Some(found);
    }
    let sales = images_of_campaigns(text, &words, image?);
    (!sales.is_empty()).then_some(Compound::ImagesOfCampaigns { sales })
}

/// "... campaigns {using} {beach} images ...", "... campañas {que usaron} imágenes {de playa} ...".
fn campaigns_with_images(text: &str, words: &[Word], campaign: usize) -> Option<Compound> {
    let link = (campaign + 1..words.len().min(campaign + 5)).find(|at| {
        let word = &words[*at];
        shows("use", word)
    })?;
    // "Campaigns with the best ROAS" has the link, and no picture close by.
    let image = (link + 1..words.len().min(link + 8)).find(|at| {
        let word = &words[*at];
        shows("image", word)
    });
    let uses = !matches!(words[link].folded.as_str(), "with" | "con");
    let before = image.map_or(link + 1..link + 1, |image| link + 1..image);
    if before.clone().any(|at| {
        let word = &words[at];
        shows("rank", word) || among(POSSESSIVES, word)
    }) {
        return None;
    }
    let said_before: Vec<usize> = before.filter(|at| !among(ARTICLES, &words[*at])).collect();
    let (from, begin) = match (image, said_before.first()) {
        (Some(image), Some(first)) => (*first, image + 1),
        (Some(image), None) => (image + 1, image + 1),
        (None, _) if uses => (link + 1, link + 1),
        (None, _) => return None,
    };
    let hard = end(words, begin, &[ENDS]);
    let soft = end(words, begin, &[ENDS, MAY_END]);
    let mut sales = Vec::new();
    for end in [soft, hard] {
        let mut rest = words[..link].to_vec();
        // "Campaigns that use": the pronoun goes with the verb.
        while rest
            .last()
            .is_some_and(|word| matches!(word.folded.as_str(), "that" | "which" | "que" | "donde"))
        {
            rest.pop();
        }
        rest.extend_from_slice(&words[end..]);
        push(&mut sales, written(text, &rest));
    }
    let mut subject: &[Word] = &words[from..hard.max(from)];
    while let [first, rest @ ..] = subject
        && (among(ARTICLES, first) || shows("image", first))
    {
        subject = rest;
    }
    while let [rest @ .., last] = subject
        && among(MAY_END, last)
    {
        subject = rest;
    }
    let subject: Vec<Word> = subject
        .iter()
        .filter(|word| !shows("image", word))
        .cloned()
        .collect();
    let subject = written(text, &subject);
    (!subject.is_empty()).then_some(Compound::CampaignsWithImages { subject, sales })
}

/// Where what an image shows ends, at the latest at the end of the words.
fn end(words: &[Word], begin: usize, lists: &[&str]) -> usize {
    (begin..words.len())
        .find(|at| {
            let word = &words[*at];
            word.after_mark
                || begins_time(&words[*at..])
                || lists.iter().any(|list| among(list, word))
                || shows("outcome", word)
                || shows("quantity", word)
        })
        .unwrap_or(words.len())
}

/// "El mes pasado", "the last quarter": the article belongs to what follows.
fn begins_time(words: &[Word]) -> bool {
    const PAST: &str =
        "last past previous pasado pasada pasados pasadas ultimo ultima ultimos ultimas";
    matches!(words, [first, rest @ ..]
        if matches!(first.folded.as_str(), "el" | "la" | "los" | "las" | "the")
            && rest.iter().take(2).any(|word| among(PAST, word)))
}

/// What is left for the warehouse of "show me the images of ...".
fn images_of_campaigns(text: &str, words: &[Word], image: usize) -> Vec<String> {
    let mut sales = Vec::new();
    let trimmed = |mut part: &[Word]| {
        while let [first, rest @ ..] = part
            && among(CONNECTORS, first)
        {
            part = rest;
        }
        while let [rest @ .., last] = part
            && (among(CONNECTORS, last) || shows("use", last))
        {
            part = rest;
        }
        written(text, part)
    };
    push(&mut sales, trimmed(&words[image + 1..]));
    let clause = (0..image).rev().find(|at| {
        words[*at].after_mark || matches!(words[*at].folded.as_str(), "and" | "y" | "e")
    });
    if let Some(clause) = clause {
        push(&mut sales, trimmed(&words[..clause]));
    }
    let rest: Vec<Word> = words
        .iter()
        .filter(|word| {
            let picture = ["image", "see", "use", "caption"];
            !picture.iter().any(|sign| shows(sign, word)) && !among(POSSESSIVES, word)
        })
        .cloned()
        .collect();
    push(&mut sales, trimmed(&rest));
    sales
}

/// The words as the question has them: what stands between two neighbours stays.
fn written(text: &str, words: &[Word]) -> String {
    let mut line = String::new();
    let mut end = None;
    for word in words {
        match end {
            None => {}
            Some(end) => {
                let between = text.get(end..word.span.start).unwrap_or_default();
                let neighbours = !between.chars().any(char::is_alphanumeric);
                line.push_str(if neighbours { between } else { " " });
            }
        }
        line.push_str(&text[word.span.clone()]);
        end = Some(word.span.end);
    }
    line
}

fn push(list: &mut Vec<String>, text: String) {
    if !text.is_empty() && !list.contains(&text) {
        list.push(text);
    }
}

#[cfg(test)]
mod tests {
    use super::{Compound, read};

    #[test]
    fn images_of_campaigns_leave_a_question_about_campaigns() {
        for (text, sales) in [
            (
                "muéstrame las imágenes de las campañas con mejor ROAS del trimestre pasado",
                "las campañas con mejor ROAS del trimestre pasado",
            ),
            (
                "Show me the images of last quarter's best campaigns by ROAS.",
                "last quarter's best campaigns by ROAS",
            ),
            (
                "Which photos did the 5 campaigns with most clicks use?",
                "the 5 campaigns with most clicks",
            ),
        ] {
            let found = read(text);
            let Some(Compound::ImagesOfCampaigns { sales: wordings }) = found else {
                panic!("{text}: {found:?}");
            };
            assert_eq!(wordings[0], sales, "{wordings:?}");
        }
        let turned = "Take the campaigns with the best ROAS and show me their images";
        let found = read(turned).unwrap();
        assert!(
            found
                .sales()
                .contains(&"Take the campaigns with the best ROAS".to_owned()),
            "{found:?}"
        );
    }

    #[test]
    fn campaigns_with_images_leave_a_subject_and_a_question() {
        for (text, subject, sales) in [
            (
                "how did the campaigns using beach images do?",
                "beach",
                "how did the campaigns do",
            ),
            (
                "¿Qué ROAS tuvieron las campañas que usaron imágenes de playa el mes pasado?",
                "playa",
                "Qué ROAS tuvieron las campañas el mes pasado",
            ),
            (
                "clicks of campaigns with photos of coffee in October",
                "coffee in October",
                "clicks of campaigns in October",
            ),
            (
                "revenue of the campaigns featuring dogs",
                "dogs",
                "revenue of the campaigns",
            ),
        ] {
            let found = read(text);
            let Some(Compound::CampaignsWithImages {
                subject: seen,
                sales: wordings,
            }) = found
            else {
                panic!("{text}: {found:?}");
            };
            assert_eq!((seen.as_str(), wordings[0].as_str()), (subject, sales));
        }
    }

    #[test]
    fn what_names_no_picture_is_in_one_part() {
        assert_eq!(read("ROAS of the campaigns with the best CTR"), None);
        assert_eq!(read("images"), None);
        assert_eq!(read(""), None);
    }
}
