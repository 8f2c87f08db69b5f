//! The name of the directory in which Claude Code looks for the transcripts of a working directory.

/// The longest slug that is not cut, in characters (all of them ASCII).
pub(crate) const LONGEST: usize = 200;

/// The slug of a working directory, as the client makes it (formats/claude-code.md, "Where a transcript lives").
///
/// `resolved_path` is the physical path: symlinks resolved, and spelled as the platform of the client spells it. This
/// function asks no file system and normalises no Unicode.
///
/// Every UTF-16 code unit that is no ASCII letter or digit becomes one `-`, so an emoji gives two, and a backslash
/// gives what a slash gives:
///
/// ```
/// use transcript_relocate::project_slug;
///
/// assert_eq!(project_slug("/srv/zoë/😀x"), "-srv-zo----x");
/// assert_eq!(project_slug(r"C:\work\a.b"), "C--work-a-b");
/// ```
///
/// What is longer than 200 characters is cut there and told apart by a hash of the path:
///
/// ```
/// use transcript_relocate::project_slug;
///
/// let slug = project_slug(&format!("/{}", "a".repeat(300)));
/// assert_eq!(slug, format!("-{}-vtkmfl", "a".repeat(199)));
/// ```
pub fn project_slug(resolved_path: &str) -> String {
    let mut slug = dashed(resolved_path);
    if slug.len() > LONGEST {
        slug.truncate(LONGEST);
        slug.push('-');
        slug.push_str(&base36(path_hash(resolved_path)));
    }
    slug
}

/// Whether a directory of this name may be the slug of the path: it is, or both are long and begin alike.
///
/// Builds of the client are reported that hash long paths differently, so the end of a long name proves nothing when
/// *looking for* transcripts; the `cwd` inside them has the last word. A mover writes only to [`project_slug`].
///
/// ```
/// use transcript_relocate::may_be_slug_of;
///
/// let path = format!("/{}", "a".repeat(300));
/// assert!(may_be_slug_of(&format!("-{}-anotherhash", "a".repeat(199)), &path));
/// assert!(!may_be_slug_of("-aaa-anotherhash", "/aaa"));
/// ```
pub fn may_be_slug_of(directory_name: &str, resolved_path: &str) -> bool {
    let uncut = dashed(resolved_path);
    if uncut.len() > LONGEST {
        directory_name.starts_with(&uncut[..LONGEST])
    } else {
        directory_name == uncut
    }
}

fn dashed(path: &str) -> String {
    path.encode_utf16().map(|unit| ascii_alphanumeric(unit).unwrap_or('-')).collect()
}

fn ascii_alphanumeric(unit: u16) -> Option<char> {
    u8::try_from(unit).ok().map(char::from).filter(char::is_ascii_alphanumeric)
}

/// `h = h * 31 + unit` over the *original* path, in wrapping signed 32-bit arithmetic; then its absolute value.
fn path_hash(path: &str) -> u32 {
    let hash =
        path.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    hash.unsigned_abs()
}

fn base36(mut number: u32) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(char::from_digit(number % 36, 36).expect("a remainder of 36 is a digit in base 36"));
        number /= 36;
        if number == 0 {
            return digits.iter().rev().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_moved_session_is_looked_for_where_the_real_client_looks() {
        let nfd = "/cafe\u{301}";
        for (path, slug) in [
            ("/w/a.b_c d/日本語/x😀y/café", "-w-a-b-c-d-----x--y-caf-"),
            ("/srv/kim/.ao/data/worktrees/web_shop.v2/ws-3", "-srv-kim--ao-data-worktrees-web-shop-v2-ws-3"),
            ("/srv/zoë/😀x", "-srv-zo----x"),
            (r"C:\Users\kim\a b", "C--Users-kim-a-b"),
            ("/a//b--c", "-a--b--c"),
            ("/", "-"),
            ("", ""),
            (nfd, "-cafe-"),
        ] {
            assert_eq!(project_slug(path), slug, "{path}");
        }
    }

    #[test]
    fn a_slug_of_200_is_whole_and_one_of_201_is_cut_and_hashed() {
        let fits = format!("/{}", "b".repeat(199));
        assert_eq!(project_slug(&fits), format!("-{}", "b".repeat(199)));
        let cut = project_slug(&format!("/{}", "b".repeat(200)));
        assert!(cut.starts_with(&format!("-{}-", "b".repeat(199))), "{cut}");
        assert!(cut.len() > 201, "{cut}");
    }

    #[test]
    fn the_hash_is_of_the_path_and_not_of_its_slug() {
        let tail = "c".repeat(200);
        let slugs = [project_slug(&format!("/a_b/{tail}")), project_slug(&format!("/a-b/{tail}"))];
        assert_eq!(slugs[0][..LONGEST], slugs[1][..LONGEST]);
        assert_ne!(slugs[0], slugs[1]);
    }

    #[test]
    fn the_hash_counts_utf16_units_in_signed_32_bits() {
        assert_eq!(path_hash("ab"), 97 * 31 + 98);
        assert_eq!(path_hash("😀"), 0xD83D * 31 + 0xDE00);
        // "polygenelubricants" is the word whose hash is the one number without a positive twin.
        assert_eq!(path_hash("polygenelubricants"), 1 << 31);
        assert_eq!(base36(1 << 31), "zik0zk");
        assert_eq!(base36(0), "0");
    }

    #[test]
    fn a_short_slug_is_recognised_only_by_its_whole_name() {
        assert!(may_be_slug_of("-a-b", "/a/b"));
        assert!(!may_be_slug_of("-a-b-c", "/a/b"));
    }

    proptest! {
        #[test]
        fn a_slug_is_a_single_safe_file_name_of_bounded_length(path in any::<String>()) {
            let slug = project_slug(&path);
            prop_assert!(slug.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
            prop_assert!(slug.len() <= LONGEST + 1 + 6, "{} characters", slug.len());
        }

        #[test]
        fn a_short_path_keeps_one_character_for_each_utf16_unit(path in "\\PC{0,100}") {
            prop_assert_eq!(project_slug(&path).len(), path.encode_utf16().count());
        }

        #[test]
        fn a_path_recognises_its_own_slug(path in any::<String>(), tail in "[a-z😀]{0,300}") {
            let path = path + &tail;
            prop_assert!(may_be_slug_of(&project_slug(&path), &path));
        }
    }
}
