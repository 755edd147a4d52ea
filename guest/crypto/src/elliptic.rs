//! ECDSA and ECDH over the curves P-256, P-384 and P-521.

macro_rules! curve {
    ($curve:ident, $Private:ident, $Public:ident) => {
        pub mod $curve {
            use alloc::vec::Vec;

            use ::$curve::ecdsa::signature::hazmat::{PrehashVerifier, RandomizedPrehashSigner};
            use ::$curve::ecdsa::{Signature, SigningKey, VerifyingKey};
            use ::$curve::elliptic_curve::Generate;
            use ::$curve::elliptic_curve::sec1::ToSec1Point;
            use ::$curve::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
            use ::$curve::{PublicKey, SecretKey};

            use crate::Generator;
            use crate::key::Key;

            pub fn generate(generator: &mut Generator) -> SecretKey {
                SecretKey::generate_from_rng(generator)
            }

            pub fn import(format: &str, bytes: &[u8]) -> Option<Key> {
                match format {
                    "raw" => PublicKey::from_sec1_bytes(bytes).ok().map(Key::$Public),
                    "spki" => PublicKey::from_public_key_der(bytes).ok().map(Key::$Public),
                    "pkcs8" => SecretKey::from_pkcs8_der(bytes).ok().map(Key::$Private),
                    _ => None,
                }
            }

            /// From the coordinates, and the secret if it is a private key.
            pub fn of_parts(parts: &[Option<Vec<u8>>]) -> Option<Key> {
                let [Some(x), Some(y), rest @ ..] = parts else { return None };
                let size = SIGNATURE_SIZE / 2;
                if x.len() != size || y.len() != size {
                    return None;
                }
                let public = PublicKey::from_sec1_bytes(&[&[4], x.as_slice(), y.as_slice()].concat()).ok()?;
                match rest {
                    [Some(d)] if d.len() == size => {
                        let private = SecretKey::from_slice(d).ok()?;
                        (private.public_key() == public).then_some(Key::$Private(private))
                    }
                    [Some(_)] => None,
                    _ => Some(Key::$Public(public)),
                }
            }

            pub fn export(key: &SecretKey, format: &str) -> Option<Vec<u8>> {
                (format == "pkcs8").then(|| key.to_pkcs8_der().ok().map(|der| der.as_bytes().to_vec()))?
            }

            pub fn export_public(key: &PublicKey, format: &str) -> Option<Vec<u8>> {
                match format {
                    "raw" => Some(key.to_sec1_point(false).as_bytes().to_vec()),
                    "spki" => key.to_public_key_der().ok().map(|der| der.as_bytes().to_vec()),
                    _ => None,
                }
            }

            pub fn public_parts(key: &PublicKey) -> Vec<Vec<u8>> {
                let point = key.to_sec1_point(false);
                let (x, y) = point.as_bytes()[1..].split_at(SIGNATURE_SIZE / 2);
                [x.to_vec(), y.to_vec()].into()
            }

            pub fn parts(key: &SecretKey) -> Vec<Vec<u8>> {
                let mut parts = public_parts(&key.public_key());
                parts.push(key.to_bytes().to_vec());
                parts
            }

            pub fn agree(private: &SecretKey, public: &PublicKey) -> Vec<u8> {
                private.diffie_hellman(public).raw_secret_bytes().to_vec()
            }

            const SIGNATURE_SIZE: usize = size_of::<::$curve::FieldBytes>() * 2;

            /// A digest as the crate takes it: one that is short is a number with zeros before it.
            fn filled(digest: &[u8]) -> Vec<u8> {
                let mut filled = [0u8].repeat((SIGNATURE_SIZE / 2).saturating_sub(digest.len()));
                filled.extend_from_slice(digest);
                filled
            }

            pub fn sign(key: &SecretKey, digest: &[u8], generator: &mut Generator) -> Option<Vec<u8>> {
                let key = SigningKey::from(key);
                let signature: Signature = key.sign_prehash_with_rng(generator, &filled(digest)).ok()?;
                Some(signature.to_bytes().to_vec())
            }

            pub fn verify(key: &PublicKey, digest: &[u8], signature: &[u8]) -> bool {
                let Ok(signature) = Signature::from_slice(signature) else { return false };
                VerifyingKey::from(key).verify_prehash(&filled(digest), &signature).is_ok()
            }
        }
    };
}

curve!(p256, P256, P256Public);
curve!(p384, P384, P384Public);
curve!(p521, P521, P521Public);
