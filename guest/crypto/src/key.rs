//! Keys of all kinds, and what can be done with them.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::digest::Hash;
use crate::{Generator, curve25519, elliptic, rsa};

pub enum Key {
    Secret(Vec<u8>),
    P256(p256::SecretKey),
    P256Public(p256::PublicKey),
    P384(p384::SecretKey),
    P521(p521::SecretKey),
    P384Public(p384::PublicKey),
    P521Public(p521::PublicKey),
    Ed25519([u8; 32]),
    Ed25519Public([u8; 32]),
    X25519([u8; 32]),
    X25519Public([u8; 32]),
    Rsa(Box<::rsa::PrivateKey>),
    RsaPublic(Box<::rsa::PublicKey>),
}

impl Key {
    /// The bytes of a secret key; of others none.
    pub fn secret(&self) -> &[u8] {
        if let Self::Secret(bytes) = self { bytes } else { &[] }
    }

    /// A new private key on a curve.
    pub fn generated(kind: &str, generator: &mut Generator) -> Option<Self> {
        match kind {
            "P-256" => Some(Self::P256(elliptic::p256::generate(generator))),
            "P-384" => Some(Self::P384(elliptic::p384::generate(generator))),
            "P-521" => Some(Self::P521(elliptic::p521::generate(generator))),
            "Ed25519" => Some(Self::Ed25519(curve25519::generate(generator))),
            "X25519" => Some(Self::X25519(curve25519::generate(generator))),
            _ => None,
        }
    }

    /// The public key of a private one.
    pub fn public(&self) -> Option<Self> {
        match self {
            Self::P256(key) => Some(Self::P256Public(key.public_key())),
            Self::P384(key) => Some(Self::P384Public(key.public_key())),
            Self::P521(key) => Some(Self::P521Public(key.public_key())),
            Self::Ed25519(seed) => Some(Self::Ed25519Public(curve25519::ed25519_public(seed))),
            Self::X25519(secret) => Some(Self::X25519Public(curve25519::x25519_public(secret))),
            Self::Rsa(key) => Some(Self::RsaPublic(Box::new(key.to_public_key()))),
            _ => None,
        }
    }

    /// From bytes in a format; none if they are wrong.
    pub fn imported(kind: &str, format: &str, bytes: &[u8]) -> Option<Self> {
        match kind {
            "P-256" => elliptic::p256::import(format, bytes),
            "P-384" => elliptic::p384::import(format, bytes),
            "P-521" => elliptic::p521::import(format, bytes),
            "Ed25519" | "X25519" => curve25519::import(kind, format, bytes),
            _ => rsa::import(format, bytes),
        }
    }

    /// From what a JSON Web Key has of it; none if it is wrong.
    pub fn of_parts(kind: &str, parts: &[Option<Vec<u8>>]) -> Option<Self> {
        match kind {
            "P-256" => elliptic::p256::of_parts(parts),
            "P-384" => elliptic::p384::of_parts(parts),
            "P-521" => elliptic::p521::of_parts(parts),
            "Ed25519" | "X25519" => curve25519::of_parts(kind, parts),
            _ => rsa::of_parts(parts),
        }
    }

    /// The bytes in a format, if it can be had in that. Those of a secret key are [`Key::secret`].
    pub fn exported(&self, format: &str) -> Option<Vec<u8>> {
        match self {
            Self::Secret(_) => None,
            Self::P256(key) => elliptic::p256::export(key, format),
            Self::P256Public(key) => elliptic::p256::export_public(key, format),
            Self::P384(key) => elliptic::p384::export(key, format),
            Self::P521(key) => elliptic::p521::export(key, format),
            Self::P384Public(key) => elliptic::p384::export_public(key, format),
            Self::P521Public(key) => elliptic::p521::export_public(key, format),
            Self::Ed25519(secret) => curve25519::export("Ed25519", secret, format),
            Self::Ed25519Public(key) => curve25519::export_public("Ed25519", key, format),
            Self::X25519(secret) => curve25519::export("X25519", secret, format),
            Self::X25519Public(key) => curve25519::export_public("X25519", key, format),
            Self::Rsa(key) => rsa::export(key, format),
            Self::RsaPublic(key) => rsa::export_public(key, format),
        }
    }

    /// What a JSON Web Key has of it, in the order of [`Key::of_parts`].
    pub fn parts(&self) -> Option<Vec<Vec<u8>>> {
        match self {
            Self::Secret(_) => None,
            Self::P256(key) => Some(elliptic::p256::parts(key)),
            Self::P256Public(key) => Some(elliptic::p256::public_parts(key)),
            Self::P384(key) => Some(elliptic::p384::parts(key)),
            Self::P521(key) => Some(elliptic::p521::parts(key)),
            Self::P384Public(key) => Some(elliptic::p384::public_parts(key)),
            Self::P521Public(key) => Some(elliptic::p521::public_parts(key)),
            Self::Ed25519(seed) => Some([curve25519::ed25519_public(seed).into(), seed.to_vec()].into()),
            Self::X25519(secret) => Some([curve25519::x25519_public(secret).into(), secret.to_vec()].into()),
            Self::Ed25519Public(key) | Self::X25519Public(key) => Some([key.to_vec()].into()),
            Self::Rsa(key) => rsa::parts(key),
            Self::RsaPublic(key) => Some(rsa::public_parts(&**key)),
        }
    }

    /// A new private key for RSA of so many bits; none if they are too few or too many, or this is no public exponent.
    pub fn generated_rsa(bits: u32, exponent: &[u8], generator: &mut Generator) -> Option<Self> {
        rsa::generate(bits, exponent, generator).map(|key| Self::Rsa(Box::new(key)))
    }

    /// The secret that a private key and the public key of another have in common; none if they do not fit.
    pub fn agreed(&self, public: &Self) -> Option<Vec<u8>> {
        match (self, public) {
            (Self::P256(private), Self::P256Public(public)) => Some(elliptic::p256::agree(private, public)),
            (Self::P384(private), Self::P384Public(public)) => Some(elliptic::p384::agree(private, public)),
            (Self::P521(private), Self::P521Public(public)) => Some(elliptic::p521::agree(private, public)),
            (Self::X25519(private), Self::X25519Public(public)) => {
                curve25519::agree(private, public).map(|secret| secret.to_vec())
            }
            _ => None,
        }
    }

    /// The signature of data by ECDSA, as its two numbers one after the other, or by RSA: with a salt of a size, or by
    /// PKCS #1 v1.5.
    pub fn signed(
        &self,
        hash: Hash,
        salt_size: Option<f64>,
        data: &[u8],
        generator: &mut Generator,
    ) -> Option<Vec<u8>> {
        let digest = hash.of(data);
        match self {
            Self::P256(key) => elliptic::p256::sign(key, digest.bytes(), generator),
            Self::P384(key) => elliptic::p384::sign(key, digest.bytes(), generator),
            Self::P521(key) => elliptic::p521::sign(key, digest.bytes(), generator),
            Self::Rsa(key) => rsa::sign(key, hash, salt_size, digest.bytes(), generator),
            _ => None,
        }
    }

    pub fn verifies(&self, hash: Hash, salt_size: Option<f64>, data: &[u8], signature: &[u8]) -> bool {
        let digest = hash.of(data);
        match self {
            Self::P256Public(key) => elliptic::p256::verify(key, digest.bytes(), signature),
            Self::P384Public(key) => elliptic::p384::verify(key, digest.bytes(), signature),
            Self::P521Public(key) => elliptic::p521::verify(key, digest.bytes(), signature),
            Self::RsaPublic(key) => rsa::verify(key, hash, salt_size, digest.bytes(), signature),
            _ => false,
        }
    }

    /// The signature by Ed25519, which makes a digest of its own.
    pub fn signed_whole(&self, data: &[u8]) -> Option<Vec<u8>> {
        if let Self::Ed25519(seed) = self { Some(curve25519::sign(seed, data)) } else { None }
    }

    pub fn verifies_whole(&self, data: &[u8], signature: &[u8]) -> bool {
        if let Self::Ed25519Public(key) = self { curve25519::verify(key, data, signature) } else { false }
    }

    /// Data encrypted by RSA-OAEP; none if it is too much.
    pub fn encrypted(&self, hash: Hash, label: Box<[u8]>, data: &[u8], generator: &mut Generator) -> Option<Vec<u8>> {
        if let Self::RsaPublic(key) = self { rsa::encrypt(key, hash, label, data, generator) } else { None }
    }

    /// The opposite; none if this key and this label have not encrypted it.
    pub fn decrypted(&self, hash: Hash, label: Box<[u8]>, data: &[u8], generator: &mut Generator) -> Option<Vec<u8>> {
        if let Self::Rsa(key) = self { rsa::decrypt(key, hash, label, data, generator) } else { None }
    }
}
