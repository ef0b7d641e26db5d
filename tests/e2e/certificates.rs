//! An authority, what it signs for servers and clients, and a configuration that uses them, in a folder; beside them
//! what must be refused: a stranger's authority, an expired certificate, a wrong password.
//!
//! Made anew for each test, so that none expires in the source and none is worth stealing.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use std::path::Path;

/// The password of the user `ballast`, in Kafka and in Postgres.
pub const PASSWORD: &str = "a-well-kept-secret-7361";
/// Another one.
pub const WRONG_PASSWORD: &str = "a-wrong-secret-9917";

/// The address that the servers' certificate names.
const HOST: &str = "127.0.0.1";

/// Writes all of it.
pub fn write(folder: &Path) {
    let put = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("the folder can be written to");
    let (authority, certificate) = authority("authority of the test");
    put("ca.pem", &certificate);
    put("stranger.pem", &self::authority("stranger").1);
    for (name, expired) in [("server", false), ("client", false), ("expired", true)] {
        let (certificate, key) = signed(&authority, name, expired);
        put(&format!("{name}.pem"), &certificate);
        put(&format!("{name}.key"), &key);
    }
    put("password", PASSWORD);
    put("wrong-password", WRONG_PASSWORD);
    put("ballast.toml", &configuration(folder));
}

fn authority(name: &str) -> (Issuer<'static, KeyPair>, String) {
    let key = KeyPair::generate().expect("a key");
    let mut params = named(name, Vec::new());
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let certificate = params.self_signed(&key).expect("a certificate").pem();
    (Issuer::new(params, key), certificate)
}

fn signed(authority: &Issuer<'static, KeyPair>, name: &str, expired: bool) -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let mut params = named(name, vec![HOST.to_owned()]);
    if expired {
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    }
    let certificate = params.signed_by(&key, authority).expect("a certificate");
    (certificate.pem(), key.serialize_pem())
}

fn named(name: &str, hosts: Vec<String>) -> CertificateParams {
    let mut params = CertificateParams::new(hosts).expect("an address");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn configuration(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        r#"
[kafka.security]
protocol = "SASL_SSL"
ca_file = "{folder}/ca.pem"
cert_file = "{folder}/client.pem"
key_file = "{folder}/client.key"
sasl_mechanism = "SCRAM-SHA-512"
user = "ballast"
password_file = "{folder}/password"

[postgres]
tls = "verify-full"
root_cert = "{folder}/ca.pem"
password_file = "{folder}/password"
"#
    )
}
