//! Words for a POSIX shell. Whatever a session is called, to the far shell it is one word.

/// One word, as a POSIX shell reads it back byte for byte.
///
/// Single quotes keep everything but themselves. A word cannot hold NUL, which no argument of a program can either.
///
/// ```
/// assert_eq!(remote_transfer::quote(b"it's $(here)"), br"'it'\''s $(here)'");
/// assert_eq!(remote_transfer::quote(b""), b"''");
/// ```
pub fn quote(word: &[u8]) -> Vec<u8> {
    let mut quoted = vec![b'\''];
    for &byte in word {
        match byte {
            b'\'' => quoted.extend_from_slice(br"'\''"),
            byte => quoted.push(byte),
        }
    }
    quoted.push(b'\'');
    quoted
}
