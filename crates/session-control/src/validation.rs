//! What may be said of a session (formats/convocate.md §5). On disk there is more than that: nobody checked it when it was
//! written.

/// Why something cannot be said of a session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// No name.
    #[error("session name cannot be empty")]
    NoName,
    /// Too long a name.
    #[error("session name cannot exceed 64 characters")]
    LongName,
    /// A name with something else in it than names have.
    #[error("session name contains invalid character: {0:?} (only letters, digits, spaces, _, -, . allowed)")]
    NameCharacter(char),
    /// A protocol that is none.
    #[error("protocol must be \"tcp\" or \"udp\", got {0:?}")]
    Protocol(String),
    /// A port that is none.
    #[error("invalid port: {0}")]
    Port(i64),
    /// Too long a DNS name.
    #[error("DNS name too long (max 253 chars)")]
    LongDnsName,
    /// A part of a DNS name that is empty or too long.
    #[error("DNS label length must be 1-63 chars")]
    LabelLength,
    /// A part of a DNS name with a hyphen at its end.
    #[error("DNS label cannot start or end with '-'")]
    LabelHyphen,
    /// A DNS name with something else in it than such names have.
    #[error("DNS name contains invalid character {0:?} (only a-z, 0-9, -, . allowed)")]
    DnsCharacter(char),
}

/// A name for a session, without the blanks around it, which nobody sees.
pub fn valid_name(name: &str) -> Result<&str, Invalid> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Invalid::NoName);
    }
    if name.len() > 64 {
        return Err(Invalid::LongName);
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '.' | '-');
    name.chars().find(|&c| !fits(c)).map_or(Ok(name), |c| Err(Invalid::NameCharacter(c)))
}

/// A protocol as it is compared: nothing said is `tcp`.
pub fn valid_protocol(protocol: &str) -> Result<&'static str, Invalid> {
    match &*protocol.trim().to_ascii_lowercase() {
        "" | "tcp" => Ok("tcp"),
        "udp" => Ok("udp"),
        other => Err(Invalid::Protocol(other.to_owned())),
    }
}

/// A port to ask for: 0 is none, -1 one that is free.
pub fn valid_port(port: i64) -> Result<i64, Invalid> {
    if (-1..=65535).contains(&port) { Ok(port) } else { Err(Invalid::Port(port)) }
}

/// A DNS name as it is compared; empty is none.
pub fn valid_dns_name(name: &str) -> Result<String, Invalid> {
    let name = name.trim().to_ascii_lowercase();
    if name.len() > 253 {
        return Err(Invalid::LongDnsName);
    }
    if name.is_empty() {
        return Ok(name);
    }
    name.split('.').try_for_each(label)?;
    Ok(name)
}

fn label(label: &str) -> Result<(), Invalid> {
    if !(1..=63).contains(&label.len()) {
        return Err(Invalid::LabelLength);
    }
    if label.starts_with('-') || label.ends_with('-') {
        return Err(Invalid::LabelHyphen);
    }
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    label.chars().find(|&c| !fits(c)).map_or(Ok(()), |c| Err(Invalid::DnsCharacter(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_an_agent_takes_is_taken_here_and_no_other() {
        let long = "a".repeat(65);
        for name in ["a", "my session", "v1.2_x-y", &long[..64]] {
            assert_eq!(valid_name(name), Ok(name));
        }
        assert_eq!(valid_name(" q "), Ok("q"));
        assert_eq!(valid_name(""), Err(Invalid::NoName));
        assert_eq!(valid_name("   "), Err(Invalid::NoName));
        assert_eq!(valid_name(&long), Err(Invalid::LongName));
        assert_eq!(valid_name("a/b"), Err(Invalid::NameCharacter('/')));
        let shown = valid_name("\u{e9}").unwrap_err().to_string();
        assert_eq!(
            shown,
            "session name contains invalid character: '\u{e9}' (only letters, digits, spaces, _, -, . allowed)"
        );
    }

    #[test]
    fn a_port_and_its_protocol_are_those_that_an_agent_takes() {
        assert_eq!(["", " TCP ", "udp"].map(valid_protocol), [Ok("tcp"), Ok("tcp"), Ok("udp")]);
        assert_eq!(
            valid_protocol("sctp").unwrap_err().to_string(),
            "protocol must be \"tcp\" or \"udp\", got \"sctp\""
        );
        assert!([0, -1, 1, 65535].into_iter().all(|port| valid_port(port) == Ok(port)));
        assert!([-2, 65536].into_iter().all(|port| valid_port(port) == Err(Invalid::Port(port))));
    }

    #[test]
    fn a_dns_name_is_one_that_a_resolver_finds() {
        assert_eq!(["", "Foo", "a.b-c.d"].map(|name| valid_dns_name(name).unwrap()), ["", "foo", "a.b-c.d"]);
        let (label, name) = ("a".repeat(64), "a.".repeat(127));
        for (wrong, why) in [
            ("-a", Invalid::LabelHyphen),
            ("a-", Invalid::LabelHyphen),
            ("a..b", Invalid::LabelLength),
            ("a.", Invalid::LabelLength),
            ("a_b", Invalid::DnsCharacter('_')),
            (&label, Invalid::LabelLength),
            (&name, Invalid::LongDnsName),
        ] {
            assert_eq!(valid_dns_name(wrong), Err(why), "{wrong}");
        }
    }
}
