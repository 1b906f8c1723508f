//! Completion of names: what a person begins to type, against the names of campaigns, channels and
//! markets in both languages.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use contracts::Language;
use rmcp::model::CompletionInfo;
use tokio::sync::Mutex;
use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

use crate::{
    origin::Origin,
    tools::stored_text::clean,
    upstream::UpstreamError,
    warehouse_client::{Members, WarehouseClient},
};

/// Arguments whose values are members of the dimension of the same name.
const DIMENSIONS: [&str; 3] = ["campaign", "channel", "market"];
/// Members of one call, and calls: 5,000 campaigns.
const PAGE: usize = 1_000;
const MAX_PAGES: usize = 5;
/// So long names are kept: people type faster than campaigns come.
const FRESH: Duration = Duration::from_secs(60);
/// Longest beginning that is looked up, in characters.
const MAX_TYPED_CHARS: usize = 100;
/// Completions of one answer.
const MAX_SHOWN: usize = 20;

type Kept = Option<(Instant, Arc<Vec<Name>>)>;

/// The names of each dimension, for a minute.
#[derive(Debug)]
pub(crate) struct Names(HashMap<&'static str, Mutex<Kept>>);

#[derive(Debug)]
struct Name {
    shown: String,
    folded: String,
}

impl Names {
    pub(crate) fn new() -> Self {
        Self(
            DIMENSIONS
                .map(|dimension| (dimension, Mutex::default()))
                .into(),
        )
    }

    /// Names that begin with what was typed, or have a word that does; those first that begin so. `None`
    /// where the argument has no names.
    pub(crate) async fn complete(
        &self,
        warehouse: &WarehouseClient,
        argument: &str,
        typed: &str,
        origin: &Origin,
    ) -> Result<Option<CompletionInfo>, UpstreamError> {
        let Some((dimension, kept)) = self.0.get_key_value(argument) else {
            return Ok(None);
        };
        let names = {
            // Held while names are fetched, so that all who type at once wait for one answer.
            let mut kept = kept.lock().await;
            match &*kept {
                Some((at, names)) if at.elapsed() < FRESH => Arc::clone(names),
                _ => {
                    let names = Arc::new(fetch(warehouse, dimension, origin).await?);
                    *kept = Some((Instant::now(), Arc::clone(&names)));
                    names
                }
            }
        };
        Ok(Some(matching(&names, typed)))
    }
}

async fn fetch(
    warehouse: &WarehouseClient,
    dimension: &str,
    origin: &Origin,
) -> Result<Vec<Name>, UpstreamError> {
    let mut names = Vec::new();
    for page in 0..MAX_PAGES {
        let members = Members {
            dimension,
            offset: page * PAGE,
            limit: PAGE,
        };
        let catalogue = warehouse
            .catalogue(Language::En, Some(members), origin)
            .await?;
        let items = catalogue.members.map(|page| page.items).unwrap_or_default();
        let last = items.len() < PAGE;
        for name in items.iter().flat_map(|member| &member.names) {
            let shown = clean(name, 100);
            let folded = fold(&shown);
            names.push(Name { shown, folded });
        }
        if last {
            break;
        }
    }
    names.sort_by(|a, b| a.folded.cmp(&b.folded));
    names.dedup_by(|a, b| a.folded == b.folded);
    Ok(names)
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

/// Lower case, without accents.
fn fold(text: &str) -> String {
    let bare = text.nfd().filter(|letter| !is_combining_mark(*letter));
    bare.collect::<String>().to_lowercase()
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
