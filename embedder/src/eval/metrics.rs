//! Ranking and no-match measures.

use contracts::ImageId;

use super::{JudgedQuery, USABLE};

/// Normalised discounted cumulative gain over the first ten, with gain `2^grade - 1` and discount
/// `log2(rank + 1)` (Järvelin and Kekäläinen 2002; Burges et al. 2005). 0 to 1.
pub fn ndcg_at_10(query: &JudgedQuery, ranking: &[ImageId]) -> f64 {
    let dcg = |grades: &mut dyn Iterator<Item = u8>| -> f64 {
        grades
            .take(10)
            .zip(2_u32..)
            .map(|(grade, rank)| (2_f64.powi(i32::from(grade)) - 1.0) / f64::from(rank).log2())
            .sum()
    };
    let mut ideal: Vec<u8> = query.relevant.values().copied().collect();
    ideal.sort_unstable_by(|a, b| b.cmp(a));
    let best = dcg(&mut ideal.into_iter());
    if best == 0.0 {
        return 0.0;
    }
    dcg(&mut ranking.iter().map(|id| query.grade(id))) / best
}

/// Share of the usable documents that are among the first five; of five, when there are more.
pub fn recall_at_5(query: &JudgedQuery, ranking: &[ImageId]) -> f64 {
    let usable = query
        .relevant
        .values()
        .filter(|grade| **grade >= USABLE)
        .count()
        .min(5);
    if usable == 0 {
        return 0.0;
    }
    let found = ranking
        .iter()
        .take(5)
        .filter(|id| query.grade(id) >= USABLE)
        .count();
    found as f64 / usable as f64
}

/// One over the rank of the first usable document; 0 when there is none.
pub fn reciprocal_rank(query: &JudgedQuery, ranking: &[ImageId]) -> f64 {
    ranking
        .iter()
        .position(|id| query.grade(id) >= USABLE)
        .map_or(0.0, |place| 1.0 / (place + 1) as f64)
}

/// How well "nothing fits" is told from "something does".
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NoMatch {
    /// Of the empty answers, the share that should be empty. 1 when there are none.
    pub precision: f64,
    /// Of the answers that should be empty, the share that are.
    pub recall: f64,
}

/// From pairs (should be empty, is empty).
pub fn no_match(outcomes: impl IntoIterator<Item = (bool, bool)>) -> NoMatch {
    let (mut right, mut empty, mut expected) = (0_u32, 0_u32, 0_u32);
    for (should, is) in outcomes {
        right += u32::from(should && is);
        empty += u32::from(is);
        expected += u32::from(should);
    }
    let share = |whole: u32| {
        if whole == 0 {
            1.0
        } else {
            f64::from(right) / f64::from(whole)
        }
    };
    NoMatch {
        precision: share(empty),
        recall: share(expected),
    }
}

/// The mean; 0 of nothing.
pub fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, count) = values
        .into_iter()
        .fold((0.0, 0_u32), |(s, n), value| (s + value, n + 1));
    if count == 0 {
        0.0
    } else {
        sum / f64::from(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::Language;

    fn id(text: &str) -> ImageId {
        text.parse().expect("a slug")
    }

    fn query() -> JudgedQuery {
        JudgedQuery {
            id: "q".to_owned(),
            language: Language::En,
            kind: "plain".to_owned(),
            twin: None,
            text: "beach".to_owned(),
            relevant: [(id("a"), 3), (id("b"), 1)].into(),
        }
    }

    #[test]
    fn the_ideal_order_scores_one_and_a_worse_one_less() {
        assert!((ndcg_at_10(&query(), &[id("a"), id("b")]) - 1.0).abs() < 1e-12);
        // By hand: (1/log2 2 + 7/log2 3) / (7/log2 2 + 1/log2 3).
        let swapped = ndcg_at_10(&query(), &[id("b"), id("a")]);
        assert!((swapped - 0.709_8).abs() < 1e-4, "{swapped}");
        assert_eq!(ndcg_at_10(&query(), &[]), 0.0);
    }

    #[test]
    fn only_usable_documents_count_for_recall_and_rank() {
        assert_eq!(recall_at_5(&query(), &[id("b")]), 0.0);
        assert_eq!(reciprocal_rank(&query(), &[id("b"), id("a")]), 0.5);
    }

    #[test]
    fn no_match_counts_both_kinds_of_mistake() {
        let outcomes = [(true, true), (true, false), (false, true), (false, false)];
        assert_eq!(
            no_match(outcomes),
            NoMatch {
                precision: 0.5,
                recall: 0.5
            }
        );
    }
}
