//! The longest source that a text names at a place.

use session_model::{ForeignPath, PathRoot, fold_case};

use super::spelling::{Alphabet, Separator, char_at, separator_at};

/// All sources, component by component.
#[derive(Debug, Clone, Default)]
pub(super) struct Sources {
    nodes: Vec<Node>,
    /// By letter.
    drives: [Option<usize>; 26],
    posix: Option<usize>,
}

#[derive(Debug, Clone, Default)]
struct Node {
    /// Names as they are compared, and where they lead.
    children: Vec<(Box<[char]>, usize)>,
    /// The rule whose source ends here.
    rule: Option<usize>,
}

/// A source that a text names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reached {
    pub(super) rule: usize,
    /// Where it ends, before the separator that may follow.
    pub(super) end: usize,
    /// The first separator of the path.
    pub(super) first: Separator,
    /// How much deeper than the text it is escaped, if any separator tells.
    pub(super) depth: Option<u32>,
}

/// Decides whether a source may end at this place of the text.
pub(super) type EndsName<'e> = &'e dyn Fn(usize) -> bool;

impl Sources {
    /// Takes in the source of a rule; a share has no spelling that is looked for.
    pub(super) fn insert(&mut self, source: &ForeignPath, rule: usize) {
        let mut node = match source.root() {
            PathRoot::Drive(letter) => self.drive_root(*letter),
            PathRoot::Posix => self.posix_root(),
            PathRoot::Share { .. } => return,
        };
        let exact = matches!(source.root(), PathRoot::Posix);
        for name in source.components() {
            let name: Box<[char]> = name.chars().map(|c| if exact { c } else { fold_case(c) }).collect();
            node = self.child(node, name);
        }
        self.nodes[node].rule = Some(rule);
    }

    fn drive_root(&mut self, letter: char) -> usize {
        let index = drive_index(letter as u8).expect("because a drive is an ASCII letter");
        let root = self.drives[index].unwrap_or_else(|| self.new_node());
        self.drives[index] = Some(root);
        root
    }

    fn posix_root(&mut self) -> usize {
        let root = self.posix.unwrap_or_else(|| self.new_node());
        self.posix = Some(root);
        root
    }

    fn child(&mut self, node: usize, name: Box<[char]>) -> usize {
        if let Some((_, child)) = self.nodes[node].children.iter().find(|(known, _)| *known == name) {
            return *child;
        }
        let child = self.new_node();
        self.nodes[node].children.push((name, child));
        child
    }

    fn new_node(&mut self) -> usize {
        self.nodes.push(Node::default());
        self.nodes.len() - 1
    }

    /// Whether any source is on this drive.
    pub(super) fn has_drive(&self, letter: u8) -> bool {
        drive_index(letter).is_some_and(|index| self.drives[index].is_some())
    }

    /// The longest source on a drive whose path goes on with the separator at `at`.
    pub(super) fn on_drive(&self, letter: u8, path: Path<'_>) -> Option<Reached> {
        self.longest(self.drives[drive_index(letter)?]?, true, path)
    }

    /// The longest POSIX source that begins with the separator at `at`.
    pub(super) fn on_posix(&self, path: Path<'_>) -> Option<Reached> {
        self.longest(self.posix?, false, path)
    }

    fn longest(&self, root: usize, fold: bool, path: Path<'_>) -> Option<Reached> {
        let first = separator_at(path.text, path.at, path.alphabet)?;
        let slash_only = !fold;
        let mut ahead = vec![(root, path.at, None)];
        let mut best: Option<Reached> = None;
        while let Some((node, at, depth)) = ahead.pop() {
            let node = &self.nodes[node];
            let may_end = at == path.at || (path.ends)(at);
            if let Some(rule) = node.rule.filter(|_| may_end && best.is_none_or(|best| best.end <= at)) {
                best = Some(Reached { rule, end: at, first, depth });
            }
            let Some(separator) = separator_at(path.text, at, path.alphabet) else { continue };
            if slash_only && !separator.slash {
                continue;
            }
            let depth = depth.or(separator.depth);
            let name = Path { at: at + separator.len, ..path };
            let named = node.children.iter().filter_map(|(child, next)| {
                Some((*next, name.end_of(child, fold, depth.unwrap_or(0))?, depth))
            });
            ahead.extend(named);
        }
        best
    }
}

/// A place in a text from which a path is read.
#[derive(Clone, Copy)]
pub(super) struct Path<'p> {
    pub(super) text: &'p [u8],
    pub(super) at: usize,
    pub(super) alphabet: Alphabet,
    pub(super) ends: EndsName<'p>,
}

impl Path<'_> {
    /// Where the name ends, if it begins here.
    fn end_of(&self, name: &[char], fold: bool, depth: u32) -> Option<usize> {
        name.iter().try_fold(self.at, |at, &wanted| {
            let (letter, len) = char_at(self.text, at, self.alphabet, depth)?;
            let same = letter == wanted || (fold && fold_case(letter) == wanted);
            same.then_some(at + len)
        })
    }
}

fn drive_index(letter: u8) -> Option<usize> {
    letter.is_ascii_alphabetic().then(|| usize::from(letter.to_ascii_lowercase() - b'a'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn longest(sources: &[&str], text: &str, at: usize) -> Option<(usize, usize)> {
        let mut all = Sources::default();
        for (rule, source) in sources.iter().enumerate() {
            all.insert(&source.parse().unwrap(), rule);
        }
        let ends = |at: usize| !text[at..].starts_with(char::is_alphanumeric);
        let path = Path { text: text.as_bytes(), at, alphabet: Alphabet::Plain, ends: &ends };
        let reached = if at == 2 { all.on_drive(text.as_bytes()[0], path) } else { all.on_posix(path) };
        reached.map(|reached| (reached.rule, reached.end))
    }

    #[test]
    fn the_longest_source_wins_in_whatever_order_they_came() {
        let sources = [r"C:\work", r"C:\work\drafts", r"C:\work\drafts (2)"];
        let reversed: Vec<&str> = sources.into_iter().rev().collect();
        for (text, rule) in [
            (r"C:\work\x", 0),
            (r"c:/WORK\drafts/x", 1),
            (r"C:\work\drafts (2)\x", 2),
            (r"C:\work\drafts2", 0),
        ] {
            assert_eq!(longest(&sources, text, 2).map(|it| it.0), Some(rule), "{text}");
            assert_eq!(longest(&reversed, text, 2).map(|it| it.0), Some(2 - rule), "{text}");
        }
        assert_eq!(longest(&sources, r"C:\workshop", 2), None);
        assert_eq!(longest(&sources, r"D:\work", 2), None);
    }

    #[test]
    fn a_source_of_a_system_that_tells_case_apart_is_compared_exactly() {
        assert_eq!(longest(&["/srv/Mail"], "/srv/Mail/x", 0), Some((0, 9)));
        assert_eq!(longest(&["/srv/Mail"], "/srv/mail", 0), None);
        assert_eq!(longest(&["/srv/Mail"], r"\srv\Mail", 0), None);
        assert_eq!(longest(&["/srv/Mail"], r"\/srv\/Mail\/x", 0), Some((0, 11)));
    }
}
