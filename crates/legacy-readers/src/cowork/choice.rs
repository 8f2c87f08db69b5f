//! Which base to use when several are there (formats/cowork.md A1): a pure function of what they hold.

use super::base::Base;
use super::environment::Origin;
use super::image::DiskImage;

/// What a base is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Something is going to be written there.
    Write,
    /// It is only looked at.
    Read,
}

/// The base to use, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice<'a> {
    /// The one that the user named.
    Named(&'a Base),
    /// The only one that comes into question.
    Only(&'a Base),
    /// The one whose log is newest; the report must say so and name the others.
    Newest {
        /// The one to use.
        chosen: &'a Base,
        /// The others that have a folder of sessions.
        others: Vec<&'a Base>,
    },
    /// Several come into question: the user must name one of these.
    Undecided(Vec<&'a Base>),
    /// None has a folder of sessions.
    Nothing,
}

impl<'a> Choice<'a> {
    /// The base to use.
    pub fn base(&self) -> Option<&'a Base> {
        match self {
            Self::Named(base) | Self::Only(base) | Self::Newest { chosen: base, .. } => Some(base),
            Self::Undecided(_) | Self::Nothing => None,
        }
    }
}

/// Chooses among the bases that [`super::bases`] found.
///
/// A base with a folder of sessions but no session still counts when something is to be written: it may be the one that
/// a newer app has just made, and the old one beside it is no longer read by anybody.
pub fn choose(bases: &[Base], purpose: Purpose) -> Choice<'_> {
    if let Some(named) = bases.iter().find(|base| base.is_named()) {
        return Choice::Named(named);
    }
    let listed: Vec<&Base> = bases.iter().filter(|base| base.has_sessions_folder).collect();
    match listed.as_slice() {
        [] => Choice::Nothing,
        [only] => Choice::Only(only),
        _ if purpose == Purpose::Write => Choice::Undecided(listed),
        _ => of_several(listed),
    }
}

fn of_several(listed: Vec<&Base>) -> Choice<'_> {
    let with_sessions: Vec<&Base> = listed.iter().copied().filter(|base| base.readable > 0).collect();
    if let [only] = with_sessions.as_slice() {
        return Choice::Only(only);
    }
    let newest = listed.iter().filter_map(|base| base.newest_log).max();
    let is_newest = |base: &&Base| newest.is_some() && base.newest_log == newest;
    let (chosen, others): (Vec<&Base>, Vec<&Base>) = listed.iter().partition(|base| is_newest(base));
    match chosen.as_slice() {
        [chosen] => Choice::Newest { chosen, others },
        _ => Choice::Undecided(listed),
    }
}

/// The disk image that goes with a base: its own. A base that was moved may have left it behind; then the one image
/// that any other base has.
pub fn image_of<'a>(base: &'a Base, bases: &'a [Base]) -> Option<&'a DiskImage> {
    let left_behind = || {
        let mut images =
            bases.iter().filter(|_| base.is(Origin::Moved)).filter_map(|base| base.image.as_ref());
        images.next().filter(|_| images.next().is_none())
    };
    base.image.as_ref().or_else(left_behind)
}

#[cfg(test)]
mod tests {
    use super::super::environment::Candidate;
    use super::*;
    use session_model::Timestamp;

    fn base(path: &str, readable: usize, log: Option<i64>) -> Base {
        Base {
            path: path.into(),
            names: vec![Candidate { path: path.into(), origin: Origin::Classic, enterprise: false }],
            has_sessions_folder: true,
            readable,
            unreadable: 0,
            newest_activity: None,
            newest_log: log.map(|second| Timestamp::from_second(second).unwrap()),
            image: None,
        }
    }

    fn chosen(bases: &[Base], purpose: Purpose) -> String {
        let path = |base: &Base| base.path.display().to_string();
        let paths = |bases: &[&Base]| bases.iter().map(|base| path(base)).collect::<Vec<_>>().join(" ");
        match choose(bases, purpose) {
            Choice::Named(base) => format!("named {}", path(base)),
            Choice::Only(base) => format!("only {}", path(base)),
            Choice::Newest { chosen, others } => format!("newest {} not {}", path(chosen), paths(&others)),
            Choice::Undecided(bases) => format!("undecided {}", paths(&bases)),
            Choice::Nothing => "nothing".to_owned(),
        }
    }

    #[test]
    fn nothing_is_written_to_a_base_that_was_only_guessed() {
        let bases = [base("a", 3, Some(1)), base("b", 2, Some(5))];
        assert_eq!(chosen(&bases, Purpose::Write), "undecided a b");
        assert_eq!(chosen(&bases, Purpose::Read), "newest b not a");
        let stale_and_new = [base("a", 3, Some(1)), base("b", 0, Some(5))];
        assert_eq!(chosen(&stale_and_new, Purpose::Write), "undecided a b");
        assert_eq!(chosen(&stale_and_new, Purpose::Read), "only a");
    }

    #[test]
    fn logs_that_decide_nothing_leave_the_question_to_the_user() {
        for logs in [(None, None), (Some(5), Some(5))] {
            let bases = [base("a", 1, logs.0), base("b", 1, logs.1)];
            assert_eq!(chosen(&bases, Purpose::Read), "undecided a b");
        }
        let empty = [base("a", 0, None), base("b", 0, Some(1))];
        assert_eq!(chosen(&empty, Purpose::Read), "newest b not a");
    }

    #[test]
    fn a_named_base_wins_and_one_without_sessions_does_not_count() {
        let mut named = base("a", 0, None);
        named.names[0].origin = Origin::Named;
        let mut bare = base("b", 0, Some(9));
        bare.has_sessions_folder = false;
        assert_eq!(chosen(&[base("c", 1, Some(1)), named], Purpose::Write), "named a");
        assert_eq!(chosen(&[bare.clone(), base("c", 0, None)], Purpose::Write), "only c");
        assert_eq!(chosen(&[bare], Purpose::Read), "nothing");
        assert_eq!(chosen(&[], Purpose::Write), "nothing");
    }

    #[test]
    fn a_moved_base_finds_the_image_that_stayed_behind_unless_two_did() {
        let image = |path: &str| DiskImage {
            path: path.into(),
            format: super::super::image::ImageFormat::Vhdx,
            bytes: 1,
            mtime: Timestamp::UNIX_EPOCH,
        };
        let mut moved = base("a", 1, None);
        let mut usual = base("b", 0, None);
        usual.image = Some(image("b"));
        assert_eq!(image_of(&moved, &[moved.clone(), usual.clone()]), None);
        moved.names[0].origin = Origin::Moved;
        assert_eq!(image_of(&moved, &[moved.clone(), usual.clone()]), Some(&image("b")));
        assert_eq!(image_of(&moved, &[usual.clone(), usual.clone()]), None);
        moved.image = Some(image("a"));
        assert_eq!(image_of(&moved, &[usual]), Some(&image("a")));
    }
}
