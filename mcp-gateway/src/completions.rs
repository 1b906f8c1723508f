//! Completion of names: what a person begins to type, against the names of campaigns, channels and
//! markets in both languages, of metrics and of images.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use contracts::{Language, Scope};
use rmcp::model::CompletionInfo;
use tokio::sync::Mutex;
use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

use crate::{
    Gateway, origin::Origin, resources::template, tools::stored_text::clean,
    upstream::UpstreamError, warehouse_client::Members,
};

/// Arguments of prompts whose values are members of the dimension of the same name.
const DIMENSIONS: [&str; 3] = ["campaign", "channel", "market"];
/// Members of one call, and calls: 5,000 campaigns.
const PAGE: usize = 1_000;
const MAX_PAGES: usize = 5;
/// Images of one call, and calls: 1,000 images. A page of more could be longer than an answer may be.
const IMAGES_PAGE: usize = 100;
const MAX_IMAGES_PAGES: usize = 10;
/// Widths that are worth proposing: of a thumbnail and of what it can be enlarged to.
const WIDTHS: [&str; 3] = ["256", "512", "1024"];
/// So long names are kept: people type faster than campaigns come.
const FRESH: Duration = Duration::from_secs(60);
/// Longest beginning that is looked up, in characters.
const MAX_TYPED_CHARS: usize = 100;
/// Completions of one answer.
const MAX_SHOWN: usize = 20;

type Kept = Option<(Instant, Arc<Vec<Name>>)>;

/// Where the values of an argument are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    /// The members of a dimension, by all their names.
    Dimension(&'static str),
    /// The metrics, by their names.
    Metrics,
    /// The approved images, by their ids.
    Images,
    /// Widths of renditions.
    Widths,
}

impl Source {
    /// Of a prompt's argument.
    pub(crate) fn of_prompt(argument: &str) -> Option<Self> {
        let dimension = DIMENSIONS.into_iter().find(|one| *one == argument);
        dimension.map(Self::Dimension)
    }

    /// Of a resource template's variable.
    pub(crate) fn of_template(uri: &str, variable: &str) -> Option<Self> {
        match (uri, variable) {
            (template::METRIC, "name") => Some(Self::Metrics),
            (template::IMAGE | template::RENDITION, "id") => Some(Self::Images),
            (template::RENDITION, "width") => Some(Self::Widths),
            _ => None,
        }
    }

    /// What a token must allow to be shown them.
    pub(crate) fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Dimension(_) | Self::Metrics => &[Scope::SalesRead],
            Self::Images | Self::Widths => &[Scope::ContentRead],
        }
    }
}

/// The names of each source, for a minute.
#[derive(Debug)]
pub(crate) struct Names(HashMap<Source, Mutex<Kept>>);

#[derive(Debug)]
struct Name {
    shown: String,
    folded: String,
}

impl Names {
    pub(crate) fn new() -> Self {
        let dimensions = DIMENSIONS.into_iter().map(Source::Dimension);
        let others = [Source::Metrics, Source::Images, Source::Widths];
        let all = dimensions.chain(others);
        Self(all.map(|source| (source, Mutex::default())).collect())
    }

    /// Names that begin with what was typed, or have a word that does; those first that begin so.
    pub(crate) async fn complete(
        &self,
        gateway: &Gateway,
        source: Source,
        typed: &str,
        origin: &Origin,
    ) -> Result<CompletionInfo, UpstreamError> {
        let Some(kept) = self.0.get(&source) else {
            return Ok(CompletionInfo::default());
        };
        let names = {
            // Held while names are fetched, so that all who type at once wait for one answer.
            let mut kept = kept.lock().await;
            match &*kept {
                Some((at, names)) if at.elapsed() < FRESH => Arc::clone(names),
                _ => {
                    let names = Arc::new(sorted(fetch(gateway, source, origin).await?));
                    *kept = Some((Instant::now(), Arc::clone(&names)));
                    names
                }
            }
        };
        Ok(matching(&names, typed))
    }
}

async fn fetch(
    gateway: &Gateway,
    source: Source,
    origin: &Origin,
) -> Result<Vec<String>, UpstreamError> {
    match source {
        Source::Dimension(dimension) => members(gateway, dimension, origin).await,
        Source::Metrics => {
            let catalogue = gateway.warehouse().catalogue(Language::En, None, origin);
            let metrics = catalogue.await?.metrics.into_iter();
            Ok(metrics.map(|metric| metric.name).collect())
        }
        Source::Images => images(gateway, origin).await,
        Source::Widths => Ok(WIDTHS.map(str::to_owned).into()),
    }
}

async fn images(gateway: &Gateway, origin: &Origin) -> Result<Vec<String>, UpstreamError> {
    let (mut ids, mut next) = (Vec::new(), None::<String>);
    for _ in 0..MAX_IMAGES_PAGES {
        let page = gateway.content().list(next.as_deref(), IMAGES_PAGE, origin);
        let page = page.await?;
        let documents = page.documents.iter();
        ids.extend(documents.map(|document| document.id.to_string()));
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    Ok(ids)
}

async fn members(
    gateway: &Gateway,
    dimension: &str,
    origin: &Origin,
) -> Result<Vec<String>, UpstreamError> {
    let mut names = Vec::new();
    for page in 0..MAX_PAGES {
        let members = Members {
            dimension,
            offset: page * PAGE,
            limit: PAGE,
        };
        let catalogue = gateway
            .warehouse()
            .catalogue(Language::En, Some(members), origin);
        let items = catalogue
            .await?
            .members
            .map(|page| page.items)
            .unwrap_or_default();
        let last = items.len() < PAGE;
        names.extend(items.into_iter().flat_map(|member| member.names));
        if last {
            break;
        }
    }
    Ok(names)
}

fn sorted(names: Vec<String>) -> Vec<Name> {
    let name = |name: String| {
        let shown = clean(&name, 100);
        let folded = fold(&shown);
        Name { shown, folded }
    };
    let mut names: Vec<_> = names.into_iter().map(name).collect();
    names.sort_by(|a, b| a.folded.cmp(&b.folded));
    names.dedup_by(|a, b| a.folded == b.folded);
    names
}

fn matching(names: &[Name], typed: &str) -> CompletionInfo {
    let typed: String = typed.chars().take(MAX_TYPED_CHARS).collect();
    let typed = fold(&typed);
    let begins = |name: &&Name| name.folded.starts_with(&typed);
    let has_word = |name: &&Name| {
        let mut words = name.folded.split(' ').skip(1);
        !begins(name) && words.any(|word| word.starts_with(&typed))
    };
    let first = names.iter().filter(begins);
    let found: Vec<_> = first.chain(names.iter().filter(has_word)).collect();
    let shown = found.iter().take(MAX_SHOWN).map(|name| name.shown.clone());
    let total = u32::try_from(found.len()).ok();
    CompletionInfo::with_pagination(shown.collect(), total, found.len() > MAX_SHOWN)
        .unwrap_or_default()
}

/// Lower case, without accents, the parts of an id as words.
fn fold(text: &str) -> String {
    let bare = text.nfd().filter(|letter| !is_combining_mark(*letter));
    bare.collect::<String>()
        .to_lowercase()
        .replace(['-', '_'], " ")
}

#[cfg(test)]
mod tests {
    use super::{MAX_SHOWN, Name, fold, matching};

    fn names(all: &[&str]) -> Vec<Name> {
        let name = |shown: &&str| Name {
            shown: (*shown).to_owned(),
            folded: fold(shown),
        };
        all.iter().map(name).collect()
    }

    #[test]
    fn accents_and_case_do_not_matter_and_beginnings_come_first() {
        let all = names(&["Rebajas de México", "México", "Mexican food", "Perú"]);
        assert_eq!(
            matching(&all, "MEX").values,
            ["México", "Mexican food", "Rebajas de México"]
        );
        assert_eq!(matching(&all, "peru").values, ["Perú"]);
        assert_eq!(matching(&all, "xyz").values, Vec::<String>::new());
        assert_eq!(matching(&all, "").values.len(), 4);
        let ids = names(&["rocky-beach", "beach_day"]);
        assert_eq!(matching(&ids, "beach").values, ["beach_day", "rocky-beach"]);
        assert_eq!(matching(&ids, "rocky-b").values, ["rocky-beach"]);
    }

    #[test]
    fn an_answer_is_short_and_says_that_there_is_more() {
        let many: Vec<String> = (0..30).map(|n| format!("Campaign {n:02}")).collect();
        let all = names(&many.iter().map(String::as_str).collect::<Vec<_>>());
        let found = matching(&all, "camp");
        assert_eq!(
            (found.values.len(), found.total, found.has_more),
            (MAX_SHOWN, Some(30), Some(true))
        );
        assert!(matching(&all, &"c".repeat(10_000)).values.is_empty());
    }
}
