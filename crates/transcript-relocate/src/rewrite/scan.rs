//! One pass over one text: the mapped places it names, and what it names that stays behind.

use std::borrow::Cow;
use std::ops::Range;

use session_model::{PathRoot, PathStyle};

use super::bounds::{may_begin, may_end, verbatim_prefix};
use super::leftovers::{Group, LeftoverScan};
use super::literal::Quotes;
use super::matcher::{Path, Reached};
use super::rules::{Links, PathRules, Rule};
use super::spelling::{Alphabet, COMPONENT, percent_byte, percent_encode, separator_at};
use super::tail::{Separators, Tail, is_whole_path, tail_in_prose};
use super::urls::{self, Scheme, Url, url_at};

/// What extraction made of the name of a file, so that paths name what is there.
pub type NameMap<'n> = dyn Fn(&str) -> Cow<'_, str> + Sync + 'n;

/// A range of the text and what has to stand there instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) at: Range<usize>,
    pub(super) text: String,
}

/// What the pass comes across, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// A mapped place.
    Match {
        rule: usize,
        /// The path, as far as it was understood.
        at: Range<usize>,
        /// How much deeper than the text it is escaped.
        depth: u32,
        changes: Vec<Change>,
    },
    /// A link that stays because it was asked to.
    Kept,
    /// Something that names an old place and stays.
    Leftover { group: Group, at: usize },
}

/// A text and how to take it.
#[derive(Clone, Copy)]
pub(super) struct Site<'s> {
    pub(super) rules: &'s PathRules,
    pub(super) names: &'s NameMap<'s>,
    pub(super) text: &'s [u8],
    /// Where the text stands, it can only be a path.
    pub(super) known_path: bool,
}

/// Passes over a text of one line.
pub(super) fn scan(site: Site<'_>, sink: &mut dyn FnMut(Piece)) {
    let whole = is_whole_path(site.text, site.known_path);
    let leftovers = LeftoverScan::new(site.rules, site.text);
    Scan { site, whole, quotes: Quotes::new(site.text), leftovers, floor: 0, sink }.run();
}

struct Scan<'s, 'o> {
    site: Site<'s>,
    /// The text is one path from its beginning to its end.
    whole: bool,
    quotes: Quotes<'s>,
    leftovers: LeftoverScan<'s>,
    /// What is before it has been dealt with.
    floor: usize,
    sink: &'o mut dyn FnMut(Piece),
}

/// How the beginning of a path is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `C:\`
    Drive,
    /// `\\?\C:\`, with the place where that begins
    Verbatim { begin: usize },
    /// `/c/` or, if mounted, `/mnt/c/`
    Unixy { mounted: bool },
    /// `/`
    Posix,
    /// `C%3A%5C`
    Percent { lower_hex: bool },
}

/// A place at which a path seems to begin.
struct Root {
    form: Form,
    start: usize,
    letter: u8,
    /// Where its first separator is.
    path: usize,
}

impl Root {
    fn begin(&self) -> usize {
        match self.form {
            Form::Verbatim { begin } => begin,
            _ => self.start,
        }
    }
}

impl Scan<'_, '_> {
    fn run(mut self) {
        let text = self.site.text;
        let mut from = 0;
        while let Some(more) = memchr::memchr3(b':', b'/', b'%', &text[from..]) {
            let sign = from + more;
            from = self.at_sign(sign).unwrap_or(sign + 1).max(self.floor);
        }
        self.leave(text.len());
    }

    /// What begins around this sign, if anything does; the answer is where to go on.
    fn at_sign(&mut self, sign: usize) -> Option<usize> {
        let text = self.site.text;
        if text[sign..].starts_with(b"://")
            && let Some(url) = url_at(text, sign, self.floor)
        {
            return Some(self.url(&url));
        }
        let roots = self.roots_at(sign);
        roots.into_iter().flatten().find_map(|root| {
            let begins = root.start >= self.floor && may_begin(text, root.begin());
            begins.then(|| self.path(&root))?
        })
    }

    fn roots_at(&self, sign: usize) -> [Option<Root>; 2] {
        if self.site.text[sign] == b'/' { self.slash_roots(sign) } else { [self.drive_root(sign), None] }
    }

    /// A colon behind the letter of a drive, as it is or percent-encoded.
    fn drive_root(&self, sign: usize) -> Option<Root> {
        let text = self.site.text;
        let sources = &self.site.rules.sources;
        let letter = sign.checked_sub(1).map(|at| text[at]).filter(|&letter| sources.has_drive(letter))?;
        let start = sign - 1;
        if text[sign] == b'%' {
            let form = Form::Percent { lower_hex: text.get(sign + 2) == Some(&b'a') };
            return (percent_byte(text, sign) == Some(b':')).then_some(Root {
                form,
                start,
                letter,
                path: sign + 3,
            });
        }
        separator_at(text, sign + 1, Alphabet::Plain)?;
        let form = verbatim_prefix(text, start).map_or(Form::Drive, |begin| Form::Verbatim { begin });
        Some(Root { form, start, letter, path: sign + 1 })
    }

    /// A slash begins `/c/…`, `/mnt/c/…` or a POSIX path; it may be escaped.
    fn slash_roots(&self, slash: usize) -> [Option<Root>; 2] {
        let text = self.site.text;
        let start = super::literal::backslashes_before(text, slash).max(self.floor);
        let mount = mount_point(&text[slash + 1..]);
        let letter_at = slash + 1 + mount;
        let letter = text.get(letter_at).copied().filter(|&letter| self.site.rules.sources.has_drive(letter));
        let separated = separator_at(text, letter_at + 1, Alphabet::Plain).is_some_and(|it| it.slash);
        let form = Form::Unixy { mounted: mount > 0 };
        let unixy =
            letter.filter(|_| separated).map(|letter| Root { form, start, letter, path: letter_at + 1 });
        [unixy, Some(Root { form: Form::Posix, start, letter: 0, path: start })]
    }

    /// A path from its root: rewritten, or left with the reason. `None` if no rule concerns it.
    fn path(&mut self, root: &Root) -> Option<usize> {
        let site = self.site;
        let percent = matches!(root.form, Form::Percent { .. });
        let alphabet = if percent { Alphabet::Percent } else { Alphabet::Plain };
        let whole = self.whole && root.begin() == 0;
        // what is encoded as a whole ends at what delimits it
        let delimits =
            |at: usize| percent && matches!(site.text.get(at), Some(b'&' | b'=' | b';' | b',' | b'+'));
        let ends = |at: usize| delimits(at) || may_end(site.text, at, alphabet, whole || percent);
        let path = Path { text: site.text, at: root.path, alphabet, ends: &ends };
        let reached = match root.form {
            Form::Posix => site.rules.sources.on_posix(path),
            _ => site.rules.sources.on_drive(root.letter, path),
        }?;
        let rule = &site.rules.rules[reached.rule];
        if is_elsewhere(rule, site.text, reached.end, alphabet) {
            return Some(self.leave_behind(Group::UnmappedMount, root.start, reached.end));
        }
        let has_tail = separator_at(site.text, reached.end, alphabet).is_some();
        let Some(place) = place_in_form(rule, root.form, reached.first.slash, has_tail) else {
            return Some(self.leave_behind(Group::Other, root.start, reached.end));
        };
        let depth = match reached.depth {
            Some(depth) => depth,
            None => self.quotes.depth_of(root.start..reached.end),
        };
        let separators = match rule.from.style() {
            PathStyle::Posix => Separators::Slashes,
            PathStyle::Windows => Separators::Both(depth),
        };
        let tail = match self.tail_of(rule, root, reached, whole, separators) {
            Tail::Ends(end) => end,
            Tail::Ambiguous => return Some(self.leave_behind(Group::AmbiguousTail, root.start, reached.end)),
        };
        let mut changes = vec![Change { at: root.start..reached.end, text: place }];
        if rule.changes_style() {
            changes.extend(self.turned(rule, root.form, reached.end..tail, separators));
        }
        self.take(root.start..tail, reached, depth, changes);
        self.floor = if whole { site.text.len() } else { tail };
        Some(self.floor)
    }

    /// The part behind the source that changes with it: nothing, if both systems write it alike.
    fn tail_of(
        &self,
        rule: &Rule,
        root: &Root,
        reached: Reached,
        whole: bool,
        separators: Separators,
    ) -> Tail {
        let text = self.site.text;
        match root.form {
            _ if !rule.changes_style() => Tail::Ends(reached.end),
            Form::Percent { .. } => {
                let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~%!*'()+".contains(byte);
                Tail::Ends(reached.end + text[reached.end..].iter().take_while(|byte| is_part(byte)).count())
            }
            _ if whole => Tail::Ends(text.len()),
            _ => tail_in_prose(text, root.start, reached.end, separators),
        }
    }

    /// The separators of a tail as the new system writes them, and its names as extraction changed them.
    fn turned(&self, rule: &Rule, form: Form, tail: Range<usize>, separators: Separators) -> Vec<Change> {
        let mut separator = rule.to.style().separator().to_string();
        if let Form::Percent { lower_hex } = form {
            separator = percent_encode(&separator, COMPONENT, lower_hex);
        }
        let separator_at = |text: &[u8], at: usize| match form {
            Form::Percent { .. } => separator_at(text, at, Alphabet::Percent),
            _ => separators.at(text, at),
        };
        let text = &self.site.text[..tail.end];
        let mut changes = Vec::new();
        let mut at = tail.start;
        let mut name = tail.start;
        while at < tail.end {
            let Some(found) = separator_at(text, at) else {
                at += 1;
                continue;
            };
            changes.extend(self.renamed(rule, name..at));
            let mut end = at + found.len;
            while text.get(end) == Some(&b'/') {
                end += 1; // doubled slashes are one separator; doubled backslashes would not be
            }
            changes.push(Change { at: at..end, text: separator.clone() });
            (at, name) = (end, end);
        }
        changes.extend(self.renamed(rule, name..tail.end));
        changes
    }

    fn renamed(&self, rule: &Rule, at: Range<usize>) -> Option<Change> {
        let name = std::str::from_utf8(&self.site.text[at.clone()]).ok()?;
        self.new_name(rule, name).map(|text| Change { at, text })
    }

    fn new_name(&self, rule: &Rule, name: &str) -> Option<String> {
        if !rule.changes_names() || name.is_empty() || matches!(name, "." | "..") {
            return None;
        }
        Some((self.site.names)(name)).filter(|renamed| renamed != name).map(Cow::into_owned)
    }

    /// A URL: one that names a file is rewritten like a path, any other stays as a whole. Answers where to go on.
    fn url(&mut self, url: &Url) -> usize {
        let Site { rules, text, .. } = self.site;
        if url.scheme == Scheme::Other {
            self.leave(url.start);
            self.leftovers.inside_url(url.end, self.sink);
            self.floor = self.floor.max(url.end);
            return url.end;
        }
        let Some(reached) = urls::reached_by(rules, text, url) else { return url.rest };
        let rule = &rules.rules[reached.rule];
        if is_elsewhere(rule, text, reached.end, Alphabet::Percent) {
            return self.leave_behind(Group::UnmappedMount, url.start, reached.end);
        }
        if url.scheme == Scheme::Computer
            && rules.links == Links::Keep
            && rule.from.style() == PathStyle::Posix
        {
            self.leave(url.start);
            (self.sink)(Piece::Kept);
            self.leftovers.skip_to(url.end);
            self.floor = url.end;
            return url.end;
        }
        let rename = |name: &str| self.new_name(rule, name);
        let Some(changes) = urls::changes(rule, text, url, reached, &rename) else {
            return self.leave_behind(Group::Url, url.start, reached.end);
        };
        self.take(url.start..url.end, reached, 0, changes);
        self.floor = url.end;
        url.end
    }

    fn take(&mut self, at: Range<usize>, reached: Reached, depth: u32, mut changes: Vec<Change>) {
        self.leave(at.start);
        self.leftovers.skip_to(reached.end);
        let rule = &self.site.rules.rules[reached.rule];
        if rule.from == rule.to {
            changes.clear(); // the place stays, in whatever case it was written
        }
        (self.sink)(Piece::Match { rule: reached.rule, at, depth, changes });
    }

    /// Names the path as a leftover and goes on behind its source.
    fn leave_behind(&mut self, group: Group, start: usize, end: usize) -> usize {
        self.leave(start);
        self.leftovers.skip_to(end);
        (self.sink)(Piece::Leftover { group, at: start });
        self.floor = end;
        end
    }

    /// Everything up to here stays: says what of it names an old place.
    fn leave(&mut self, until: usize) {
        self.leftovers.until(until, self.sink);
    }
}

/// Below the `mnt` of a virtual machine there are only mounts, and this one has no rule.
fn is_elsewhere(rule: &Rule, text: &[u8], end: usize, alphabet: Alphabet) -> bool {
    rule.class == super::RuleClass::VmHome && super::leftovers::is_below_mnt(text, end, alphabet)
}

/// How long the `mnt` and its separator are, if the text begins with them.
fn mount_point(text: &[u8]) -> usize {
    if !text.starts_with(b"mnt") {
        return 0;
    }
    separator_at(text, 3, Alphabet::Plain).filter(|it| it.slash).map_or(0, |separator| 3 + separator.len)
}

/// The new place written as the old one was; `None` if that cannot be.
fn place_in_form(rule: &Rule, form: Form, slashes: bool, has_tail: bool) -> Option<String> {
    let separator = match (rule.to.style(), form) {
        (PathStyle::Posix, _) | (_, Form::Unixy { .. }) => '/',
        (PathStyle::Windows, Form::Posix) => '\\',
        (PathStyle::Windows, _) if slashes => '/',
        (PathStyle::Windows, _) => '\\',
    };
    let spelled = rule.to.spelled(separator);
    let spelled = if has_tail { spelled.trim_end_matches(separator) } else { &spelled };
    match (form, rule.to.root()) {
        (Form::Verbatim { .. }, PathRoot::Drive(_)) => Some(spelled.to_owned()),
        (Form::Verbatim { .. }, _) => None,
        (Form::Unixy { mounted }, PathRoot::Drive(letter)) => {
            let mount = if mounted { "/mnt/" } else { "/" };
            Some(format!("{mount}{}{}", letter.to_ascii_lowercase(), spelled.get(2..)?))
        }
        (Form::Percent { lower_hex }, _) => Some(percent_encode(spelled, COMPONENT, lower_hex)),
        (Form::Drive | Form::Posix | Form::Unixy { .. }, _) => Some(spelled.to_owned()),
    }
}
