//! Numbers of sessions, unique within a project and stable from run to run (formats/ao.md §6.1).

use std::collections::BTreeSet;

/// A session that the database does not hold and that is to have a number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim<'a> {
    pub(super) id: &'a str,
    /// As it is written, so that the order of texts is the order of times.
    pub(super) created_at: &'a str,
}

/// Where the trailing digits of an id begin.
pub(super) fn split(id: &str) -> usize {
    id.trim_end_matches(|last: char| last.is_ascii_digit()).len()
}

/// The number in an id: its trailing digits, if there are any and 64 bits with a sign can hold them.
pub(super) fn natural(id: &str) -> Option<i64> {
    id[split(id)..].parse().ok()
}

/// The number of each claim of one project. `taken` are the numbers of all rows that the database holds for it.
pub(super) fn assign(claims: &[Claim<'_>], mut taken: BTreeSet<i64>) -> Vec<i64> {
    let mut order: Vec<usize> = (0..claims.len()).collect();
    order.sort_by_key(|at| (claims[*at].created_at, claims[*at].id));
    let mut numbers: Vec<Option<i64>> = vec![None; claims.len()];
    for at in &order {
        numbers[*at] = natural(claims[*at].id).filter(|number| taken.insert(*number));
    }
    for at in order {
        numbers[at] = numbers[at].or_else(|| Some(next_free(&mut taken)));
    }
    numbers.into_iter().flatten().collect()
}

/// Takes the next number above all others; where there is no room above, the lowest free one.
fn next_free(taken: &mut BTreeSet<i64>) -> i64 {
    let above = taken.last().copied().unwrap_or(0).max(0).checked_add(1);
    let mut from_below = 1..=i64::MAX;
    let number = above.or_else(|| from_below.find(|number| !taken.contains(number)));
    let number = number.expect("because no project has 2^63 sessions");
    taken.insert(number);
    number
}
