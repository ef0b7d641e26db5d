//! Which keys of the configuration hold secrets. It keeps none of them; who prints a configuration, or what is
//! wrong with it, asks here first.

/// Keys whose values are secrets; an address may hold a password.
const SECRETS: [&str; 3] = ["postgres.url", "kafka.security.password", "kafka.security.key_password"];

/// librdkafka's own properties, as they stand in the file.
const PROPERTIES: &str = "kafka.client.";

/// Parts of the names of properties that hold secrets: passwords and passphrases, private keys, logins, and the two
/// free texts in which a login may stand.
const PARTS: [&str; 6] = ["pass", "secret", "pem", "jaas", "oauthbearer.config", "kinit.cmd"];

/// Whether the value of a key is never to be shown.
pub(super) fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let property = key.strip_prefix(PROPERTIES);
    SECRETS.contains(&key.as_str()) || property.is_some_and(|name| PARTS.iter().any(|part| name.contains(part)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_that_name_a_secret_hold_one() {
        for name in [
            "sasl.password",
            "ssl.key.password",
            "ssl.key.pem",
            "SSL.Key.PEM",
            "sasl.jaas.config",
            "sasl.oauthbearer.client.secret",
            "sasl.oauthbearer.config",
            "sasl.kerberos.kinit.cmd",
        ] {
            assert!(is_secret(&format!("kafka.client.{name}")), "{name}");
        }
        assert!(["postgres.url", "kafka.security.password", "kafka.security.key_password"].into_iter().all(is_secret));
        let shown = ["kafka.client.linger.ms", "kafka.client.sasl.username", "kafka.security.password_file", "postgres.password_file"];
        assert!(!shown.into_iter().any(is_secret));
    }
}
