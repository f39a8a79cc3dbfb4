//! Turns a certificate's short name into real DER bytes (made by `certificates/make.sh`), alone or as the chain a server
//! would send. Judged at 2026-11-02T09:00:00Z, where scripts start. Must not parse certificates.

macro_rules! certificates {
    ($($name:literal)*) => {
        /// Names of all certificates of the kit.
        pub const NAMES: &[&str] = &[$($name),*];

        /// One certificate as DER, by the name of its file; none when there is no such file.
        pub fn der(name: &str) -> Option<&'static [u8]> {
            match name {
                $($name => Some(include_bytes!(concat!("../certificates/", $name, ".der"))),)*
                _ => None,
            }
        }
    };
}

certificates! {
    "valid" "expired" "notyet" "expiring" "expiring-days" "selfsigned" "wrongname" "wildcard" "sha1" "rsa1024" "ecdsa"
    "nosan" "nosni" "clientauth" "keyagreement" "expiredchain" "privateca" "interception" "client" "client-expired"
    "intermediate" "intermediate-expired" "private-root" "shield-root"
}

/// A stapled OCSP answer for the certificate `valid`: "good" or "revoked" (RFC 6960).
pub fn ocsp(state: &str) -> Option<&'static [u8]> {
    match state {
        "good" => Some(include_bytes!("../certificates/ocsp-good.der")),
        "revoked" => Some(include_bytes!("../certificates/ocsp-revoked.der")),
        _ => None,
    }
}

/// The certificates a server with this leaf sends, leaf first. Several names joined by commas are taken as given;
/// `nointermediate` is the valid leaf alone, `wrongorder` the intermediate first.
pub fn chain(name: &str) -> Result<Vec<&'static [u8]>, String> {
    let names: Vec<&str> = match name {
        "empty" | "none" => vec![],
        "nointermediate" => vec!["valid"],
        "wrongorder" => vec!["intermediate", "valid"],
        "selfsigned" => vec!["selfsigned"],
        "nosni" => vec!["nosni"],
        "expiredchain" => vec!["expiredchain", "intermediate-expired"],
        "privateca" => vec!["privateca", "private-root"],
        "interception" => vec!["interception", "shield-root"],
        "client" => vec!["client"],
        "client-expired" => vec!["client-expired"],
        _ if name.contains(',') => name.split(',').collect(),
        _ => vec![name, "intermediate"],
    };
    names
        .into_iter()
        .map(|name| {
            der(name).ok_or_else(|| {
                format!(
                    "no certificate \"{name}\"; there are {}, nointermediate, wrongorder",
                    NAMES.join(", ")
                )
            })
        })
        .collect()
}

/// Bytes of the leaf's signatures: 256 for a 2048-bit RSA key, 128 for 1024 bits, 71 for ECDSA on P-256.
pub fn signature_length(name: &str) -> usize {
    match name {
        "rsa1024" => 128,
        "ecdsa" => 71,
        _ => 256,
    }
}
