//! Ed25519 and X25519.

use alloc::vec::Vec;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use pkcs8::der::asn1::{BitStringRef, OctetStringRef};
use pkcs8::der::{Decode, Encode};
use pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfo, SubjectPublicKeyInfoRef};
use pkcs8::{ObjectIdentifier, PrivateKeyInfoRef};
use rand_chacha::rand_core::Rng;
use x25519_dalek::{X25519_BASEPOINT_BYTES, x25519};

use crate::Generator;
use crate::key::Key;

const X25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.110");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

type Bytes32 = [u8; 32];

pub fn generate(generator: &mut Generator) -> Bytes32 {
    let mut secret = [0; 32];
    generator.fill_bytes(&mut secret);
    secret
}

pub fn ed25519_public(seed: &Bytes32) -> Bytes32 {
    SigningKey::from_bytes(seed).verifying_key().to_bytes()
}

pub fn x25519_public(secret: &Bytes32) -> Bytes32 {
    x25519(*secret, X25519_BASEPOINT_BYTES)
}

fn algorithm(kind: &str) -> AlgorithmIdentifierRef<'static> {
    AlgorithmIdentifierRef { oid: if kind == "X25519" { X25519 } else { ED25519 }, parameters: None }
}

fn private(kind: &str, secret: Bytes32) -> Key {
    if kind == "X25519" { Key::X25519(secret) } else { Key::Ed25519(secret) }
}

fn public(kind: &str, key: Bytes32) -> Key {
    if kind == "X25519" { Key::X25519Public(key) } else { Key::Ed25519Public(key) }
}

pub fn import(kind: &str, format: &str, bytes: &[u8]) -> Option<Key> {
    match format {
        "raw" => Some(public(kind, bytes.try_into().ok()?)),
        "spki" => {
            let info = SubjectPublicKeyInfoRef::from_der(bytes).ok()?;
            let key = info.subject_public_key.as_bytes()?.try_into().ok()?;
            (info.algorithm == algorithm(kind)).then(|| public(kind, key))
        }
        "pkcs8" => {
            let info = PrivateKeyInfoRef::from_der(bytes).ok()?;
            let secret: &OctetStringRef = Decode::from_der(info.private_key.as_bytes()).ok()?;
            let secret = secret.as_bytes().try_into().ok()?;
            (info.algorithm == algorithm(kind)).then(|| private(kind, secret))
        }
        _ => None,
    }
}

/// From the public key, and the secret if it is a private one.
pub fn of_parts(kind: &str, parts: &[Option<Vec<u8>>]) -> Option<Key> {
    let [Some(x), rest @ ..] = parts else { return None };
    let x = x.as_slice().try_into().ok()?;
    let [Some(d)] = rest else { return Some(public(kind, x)) };
    let d = d.as_slice().try_into().ok()?;
    let actual = if kind == "X25519" { x25519_public(&d) } else { ed25519_public(&d) };
    (actual == x).then(|| private(kind, d))
}

pub fn export(kind: &str, secret: &Bytes32, format: &str) -> Option<Vec<u8>> {
    if format != "pkcs8" {
        return None;
    }
    let inner = OctetStringRef::new(secret).ok()?.to_der().ok()?;
    PrivateKeyInfoRef::new(algorithm(kind), OctetStringRef::new(&inner).ok()?).to_der().ok()
}

pub fn export_public(kind: &str, key: &Bytes32, format: &str) -> Option<Vec<u8>> {
    match format {
        "raw" => Some(key.to_vec()),
        "spki" => {
            let subject_public_key = BitStringRef::from_bytes(key).ok()?;
            SubjectPublicKeyInfo { algorithm: algorithm(kind), subject_public_key }.to_der().ok()
        }
        _ => None,
    }
}

/// None if the public key is one with which any secret gives the same.
pub fn agree(private: &Bytes32, public: &Bytes32) -> Option<Bytes32> {
    let secret = x25519(*private, *public);
    (secret != [0; 32]).then_some(secret)
}

pub fn sign(seed: &Bytes32, data: &[u8]) -> Vec<u8> {
    SigningKey::from_bytes(seed).sign(data).to_bytes().into()
}

/// Keys and signatures with points of a small order, which fit many messages, are refused.
pub fn verify(key: &Bytes32, data: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (VerifyingKey::from_bytes(key), Signature::from_slice(signature)) else {
        return false;
    };
    key.verify_strict(data, &signature).is_ok()
}
