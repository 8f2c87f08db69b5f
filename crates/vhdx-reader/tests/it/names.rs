//! Whatever names a directory has, Windows can have what is made of them.

use std::collections::{BTreeSet, HashMap, HashSet};

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use vhdx_reader::{safe_name, safe_names};

/// Names that come near the rules: their characters, their devices, their lengths.
fn name() -> impl Strategy<Value = Vec<u8>> {
    let anything = vec(any::<u8>(), 1..40);
    let near = "[aAbBßſ<>:\"|?*% .~1\\\\é]{1,8}".prop_map(String::into_bytes);
    let device = "(?i)(con|nul|com[0-9]|lpt¹|aux|prn)[ .]{0,2}[a-z]{0,3}".prop_map(String::into_bytes);
    let long =
        ("[aA.é?]{0,4}", 1..255_usize).prop_map(|(end, length)| [vec![b'?'; length], end.into()].concat());
    prop_oneof![anything, near, device, long.boxed()].prop_map(|name: Vec<u8>| {
        let kept = name.into_iter().filter(|byte| *byte != b'/' && *byte != 0);
        let name: Vec<u8> = kept.take(255).collect();
        if name.is_empty() || name == b"." || name == b".." { b"x".to_vec() } else { name }
    })
}

fn directory() -> impl Strategy<Value = BTreeSet<Vec<u8>>> {
    btree_set(name(), 0..30)
}

fn all(names: &[&[u8]]) -> Vec<String> {
    safe_names(names.iter().copied())
}

#[test]
fn letters_that_only_some_systems_take_for_one_are_kept_apart() {
    let safe = all(&["a.\u{212a}".as_bytes(), b"A.k", "\u{17f}".as_bytes(), b"s"]);
    let folded: HashSet<String> = safe.iter().map(|name| name.to_lowercase()).collect();
    assert_eq!(folded.len(), 4, "{safe:?}");
}

proptest! {
    #[test]
    fn windows_can_have_every_name(name in name()) {
        let safe = safe_name(&name);
        prop_assert!(!safe.is_empty() && safe.encode_utf16().count() <= 255, "{safe}");
        let illegal = |it: char| it < ' ' || "<>:\"|?*\\/".contains(it);
        prop_assert!(!safe.contains(illegal), "{safe}");
        prop_assert!(!safe.ends_with(['.', ' ']), "{safe}");
        let stem = safe.split('.').next().unwrap().trim_end().to_uppercase();
        prop_assert!(!["CON", "PRN", "AUX", "NUL", "COM1", "COM0", "LPT9", "LPT¹"].contains(&stem.as_str()), "{safe}");
        prop_assert_eq!(safe_name(safe.as_bytes()), safe);
    }

    #[test]
    fn no_two_names_of_a_directory_become_one(names in directory()) {
        let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
        let safe = all(&names);
        let folded: HashSet<String> = safe.iter().map(|name| name.to_uppercase().to_lowercase()).collect();
        let lower: HashSet<String> = safe.iter().map(|name| name.to_lowercase()).collect();
        prop_assert_eq!(lower.len(), names.len(), "{:?}", safe);
        prop_assert!(folded.len() <= names.len());
        for name in &safe {
            prop_assert!(name.encode_utf16().count() <= 255, "{name}");
        }
    }

    #[test]
    fn the_order_of_a_directory_makes_no_difference(names in directory(), seed in any::<u64>()) {
        let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
        let mut shuffled = names.clone();
        let length = shuffled.len().max(1);
        shuffled.rotate_left(usize::try_from(seed % length as u64).unwrap());
        shuffled.reverse();
        let expected: HashMap<&[u8], String> = names.iter().copied().zip(all(&names)).collect();
        for (name, safe) in shuffled.iter().zip(all(&shuffled)) {
            prop_assert_eq!(&expected[name], &safe);
        }
    }
}

#[test]
fn names_that_windows_can_have_stay_as_they_are() {
    for name in ["notes.md", ".bashrc", "a b", "100%", "naïve 日本.txt", "console", "com10", "nul_", "a~2"]
    {
        assert_eq!(safe_name(name.as_bytes()), name);
    }
}

#[test]
fn every_rule_gives_the_name_that_is_written_down() {
    for (name, safe) in [
        (b"a<b>c:d\"e|f?g*h\\i".as_slice(), "a%3Cb%3Ec%3Ad%22e%7Cf%3Fg%2Ah%5Ci"),
        (b"tab\there\x1F", "tab%09here%1F"),
        (b"caf\xE9 \xE2\x82", "caf%E9 %E2%82"),
        (b"dot.", "dot%2E"),
        (b"dots...", "dots..%2E"),
        (b"space ", "space%20"),
        (b"CON", "_CON"),
        (b"aux.tar.gz", "_aux.tar.gz"),
        (b"Com0 .txt", "_Com0 .txt"),
        (b"LPT9", "_LPT9"),
    ] {
        assert_eq!(safe_name(name), safe);
    }
}

#[test]
fn clashes_are_numbered_and_the_untouched_name_wins() {
    assert_eq!(all(&[b"a%3A", b"a:", b"A:"]), ["a%3A", "a%3A~3", "A%3A~2"]);
    assert_eq!(all(&[b"x.tar.gz", b"X.tar.gz", b"x~2.tar.gz"]), ["x.tar~2.gz", "X.tar.gz", "x~2.tar.gz"]);
    assert_eq!(all(&[b".env", b".ENV", b".Env", b".env~2"]), [".env~4", ".ENV", ".Env~3", ".env~2"]);
}

#[test]
fn what_becomes_too_long_is_cut_and_stays_apart() {
    let (one, two) =
        ([b"?".repeat(200), b"1.txt".to_vec()].concat(), [b"?".repeat(200), b"2.txt".to_vec()].concat());
    let safe = all(&[&one, &two]);
    assert!(
        safe.iter().all(|name| name.len() == 255 && name[251..] == *".txt" && name.starts_with("%3F%3F"))
    );
    assert_ne!(safe[0], safe[1]);
}
