//! Halves of characters, as JavaScript leaves them in JSON when it cuts text.

/// Reads JSON, once more without lone surrogates if that is what was in the way; then the second value is `true`.
pub(crate) fn mending<T>(
    json: &str,
    read: impl Fn(&str) -> serde_json::Result<T>,
) -> serde_json::Result<(T, bool)> {
    read(json).map(|value| (value, false)).or_else(|error| {
        let mended = without_lone_surrogates(json).ok_or(error)?;
        read(&mended).map(|value| (value, true))
    })
}

/// The same JSON with each escaped half of a surrogate pair replaced by the replacement character, or `None` when
/// there is none. JavaScript cuts text between such halves, writes them and reads them back; no other program does.
/// Every character keeps its place.
fn without_lone_surrogates(json: &str) -> Option<String> {
    let mut mended = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        mended.push_str(before);
        let len = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                mended.push_str("\\uFFFD");
                rest = &escape[6..];
                continue;
            }
            _ => escape.char_indices().nth(2).map_or(escape.len(), |(end, _)| end),
        };
        let (kept, after) = escape.split_at(len);
        mended.push_str(kept);
        rest = after;
    }
    mended.push_str(rest);
    (mended != json).then_some(mended)
}

/// The UTF-16 unit that an escape at the beginning of `text` stands for.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::without_lone_surrogates;

    #[test]
    fn half_a_character_is_mended_and_nothing_else_is_touched() {
        for (json, mended) in [
            (r#""\ud83d""#, Some(r#""\uFFFD""#)),
            (r#""\ude00\ud83d\ude00""#, Some(r#""\uFFFD\ud83d\ude00""#)),
            (r#""\ud83d\ud83d\ude00""#, Some(r#""\uFFFD\ud83d\ude00""#)),
            (r#""\ud83dx\DE00""#, Some(r#""\uFFFDx\DE00""#)),
            (r#""\ud83d\ude00""#, None),
            (r#""\\ud83d""#, None),
            (r#""\u00e9 \n \" \""#, None),
            (r#""\ud8"#, None),
            (r#""\u+d83""#, None),
            ("\\", None),
            ("\\é", None),
        ] {
            assert_eq!(without_lone_surrogates(json).as_deref(), mended, "{json}");
        }
    }
}
