//! "Or" between conditions. All conditions of a query hold at once, so an "or" says the same only between members
//! of one dimension; anything else asks back.

use crate::reading::{
    parts::{Part, What},
    shaping::{Ask, Shaper},
    vocabulary::Role,
};

/// What stands on one side of an "or".
#[derive(PartialEq)]
enum Side {
    /// A member of this dimension.
    Member(usize),
    /// A number that a metric is held against, or a metric of which there is none.
    Number,
    Time,
    /// No condition: metrics, dimensions.
    Other,
}

impl Shaper<'_> {
    /// Refuses an "or" that would be answered as an "and".
    pub(in crate::reading::shaping) fn alternatives(&self) -> Result<(), Ask> {
        for at in 0..self.parts.len() {
            if !self.parts[at].is(Role::Or) {
                continue;
            }
            let (left, right) = (self.left_of(at), self.right_of(at));
            let condition = |side: &Side| *side != Side::Other;
            let times = left == Side::Time && right == Side::Time;
            let members =
                matches!((&left, &right), (Side::Member(one), Side::Member(other)) if one == other);
            if condition(&left) && condition(&right) && !times && !members {
                return Err(Ask::Unexplained(vec![at]));
            }
        }
        Ok(())
    }

    /// The condition that ends before an "or".
    fn left_of(&self, or: usize) -> Side {
        let mut before = (0..or).rev().filter(|at| !self.passes(*at));
        let Some(at) = before.next() else {
            return Side::Other;
        };
        match self.side(at) {
            // "No clicks or no leads."
            Side::Other if self.none_of(at) => Side::Number,
            // "In Mexico the CTR or …": the words between are what it is about.
            side => side,
        }
    }

    /// The condition that begins after an "or", up to the next one.
    fn right_of(&self, or: usize) -> Side {
        let after = or + 1..self.parts.len();
        let ends = |part: &Part| {
            matches!(part.role(), Some(Role::Or | Role::And)) || part.what == What::Break
        };
        let mut none = false;
        for at in after.take_while(|at| !ends(&self.parts[*at])) {
            none |= self.parts[at].is(Role::Not);
            match self.side(at) {
                Side::Other if none && self.parts[at].metric().is_some() => return Side::Number,
                Side::Other => {}
                side => return side,
            }
        }
        Side::Other
    }

    fn side(&self, at: usize) -> Side {
        match &self.parts[at].what {
            What::Members(members) => members.first().map_or(Side::Other, |member| {
                Side::Member(self.lexicon.members[*member].dimension)
            }),
            What::Number(_) if self.parts[at].used => Side::Number,
            What::Time(_) => Side::Time,
            _ => Side::Other,
        }
    }

    /// Whether a metric is one that there is none of.
    fn none_of(&self, at: usize) -> bool {
        self.absent
            && self.parts[at].metric().is_some()
            && at > 0
            && self.parts[at - 1].is(Role::Not)
    }

    /// Words that belong to the condition before them: "LinkedIn campaigns or …".
    fn passes(&self, at: usize) -> bool {
        let part = &self.parts[at];
        part.is(Role::Filler) || matches!(part.what, What::Dimension(_) | What::Either { .. })
    }
}
