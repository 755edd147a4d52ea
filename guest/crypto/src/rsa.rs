//! RSASSA-PKCS1-v1_5, RSA-PSS and RSA-OAEP.

use alloc::boxed::Box;
use alloc::vec::Vec;

use pkcs8::der::Decode;
use pkcs8::spki::SubjectPublicKeyInfoRef;
use pkcs8::{EncodePrivateKey, EncodePublicKey, PrivateKeyInfoRef};
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use rsa::{BoxedUint, Oaep, Pkcs1v15Sign, PrivateKey, Pss, PublicKey};

use crate::Generator;
use crate::digest::Hash;
use crate::key::Key;

/// The most bytes of a private key in DER: one of 8,192 bits, the most that there can be, has fewer. What is computed with it
/// takes a small multiple of that.
const DER_SIZE_MAX: usize = 8 << 10;
const PUBLIC_EXPONENT_SIZE_MAX: usize = 5;

/// Evaluates an expression with the type of a digest that may be part of a signature.
macro_rules! with_sha {
    ($hash:expr, $Digest:ident => $result:expr) => {
        match $hash {
            Hash::Md5 => None,
            Hash::Sha1 => {
                type $Digest = sha1::Sha1;
                $result
            }
            Hash::Sha256 => {
                type $Digest = sha2::Sha256;
                $result
            }
            Hash::Sha384 => {
                type $Digest = sha2::Sha384;
                $result
            }
            Hash::Sha512 => {
                type $Digest = sha2::Sha512;
                $result
            }
        }
    };
}

fn number(bytes: &[u8]) -> Option<BoxedUint> {
    if bytes.is_empty() || bytes.len() > DER_SIZE_MAX {
        return None;
    }
    BoxedUint::from_be_slice(bytes, bytes.len() as u32 * 8).ok()
}

fn bytes_of(number: &BoxedUint) -> Vec<u8> {
    number.to_be_bytes_trimmed_vartime().into()
}

pub fn generate(bits: u32, exponent: &[u8], generator: &mut Generator) -> Option<PrivateKey> {
    let first = exponent.iter().position(|byte| *byte != 0)?;
    let exponent = &exponent[first..];
    let is_odd = exponent.last().is_some_and(|byte| byte % 2 == 1);
    // With another there is no key, and the search would never end.
    if !is_odd || exponent == [1] || exponent.len() > PUBLIC_EXPONENT_SIZE_MAX {
        return None;
    }
    let exponent = number(exponent)?;
    if exponent > BoxedUint::from(PublicKey::MAX_PUB_EXPONENT) || bits as usize > PublicKey::MAX_SIZE {
        return None;
    }
    PrivateKey::new_with_exp(generator, bits as usize, exponent).ok()
}

pub fn import(format: &str, bytes: &[u8]) -> Option<Key> {
    if bytes.len() > DER_SIZE_MAX {
        return None;
    }
    match format {
        "spki" => {
            let info = SubjectPublicKeyInfoRef::from_der(bytes).ok()?;
            let is_rsa = info.algorithm.oid == rsa::pkcs1::ALGORITHM_OID;
            is_rsa.then(|| PublicKey::try_from(info).ok().map(|key| Key::RsaPublic(Box::new(key))))?
        }
        "pkcs8" => {
            let info = PrivateKeyInfoRef::from_der(bytes).ok()?;
            let is_rsa = info.algorithm.oid == rsa::pkcs1::ALGORITHM_OID;
            let key = is_rsa.then(|| PrivateKey::try_from(info).ok())??;
            bounded(key)
        }
        _ => None,
    }
}

fn bounded(key: PrivateKey) -> Option<Key> {
    (key.size() <= PublicKey::MAX_SIZE / 8).then(|| Key::Rsa(Box::new(key)))
}

/// From the modulus and the exponents, the primes, and what is derived from these.
pub fn of_parts(parts: &[Option<Vec<u8>>]) -> Option<Key> {
    let part = |at: usize| parts.get(at).and_then(|part| part.as_deref());
    let (n, e) = (number(part(0)?)?, number(part(1)?)?);
    let Some(d) = part(2) else { return PublicKey::new(n, e).ok().map(|key| Key::RsaPublic(Box::new(key))) };
    if part(0)?.len() > PublicKey::MAX_SIZE / 8 + 1 {
        return None;
    }
    let d = number(d)?;
    let primes = match (part(3), part(4)) {
        (Some(p), Some(q)) => [number(p)?, number(q)?].into(),
        (None, None) => Vec::new(),
        _ => return None,
    };
    let key = PrivateKey::from_components(n, e, d, primes).ok()?;
    let derived = self::parts(&key)?;
    let differs = |(at, derived): (usize, &Vec<u8>)| {
        part(at).is_some_and(|part| number(part).is_none_or(|number| bytes_of(&number) != *derived))
    };
    if derived.iter().enumerate().skip(5).any(differs) {
        return None;
    }
    bounded(key)
}

pub fn public_parts(key: &impl PublicKeyParts) -> Vec<Vec<u8>> {
    [key.n_bytes().into(), key.e_bytes().into()].into()
}

pub fn parts(key: &PrivateKey) -> Option<Vec<Vec<u8>>> {
    let [p, q] = key.primes() else { return None };
    let mut parts = public_parts(key);
    parts.push(bytes_of(key.d()));
    for number in [p.as_ref(), q.as_ref(), key.dp()?, key.dq()?, &key.crt_coefficient()?] {
        parts.push(bytes_of(number));
    }
    Some(parts)
}

pub fn export(key: &PrivateKey, format: &str) -> Option<Vec<u8>> {
    (format == "pkcs8").then(|| key.to_pkcs8_der().ok().map(|der| der.as_bytes().to_vec()))?
}

pub fn export_public(key: &PublicKey, format: &str) -> Option<Vec<u8>> {
    (format == "spki").then(|| key.to_public_key_der().ok().map(|der| der.as_bytes().to_vec()))?
}

/// Whether a signature of PSS with a key of this size can have such a salt.
fn has_room_for_salt(size: usize, digest: &[u8], salt_size: f64) -> bool {
    salt_size + digest.len() as f64 + 2.0 <= size as f64
}

/// The signature of a digest. Without the size of a salt it is that of PKCS #1 v1.5.
pub fn sign(
    key: &PrivateKey,
    hash: Hash,
    salt_size: Option<f64>,
    digest: &[u8],
    generator: &mut Generator,
) -> Option<Vec<u8>> {
    match salt_size {
        None => with_sha!(hash, D => key.sign_with_rng(generator, Pkcs1v15Sign::new::<D>(), digest).ok()),
        Some(size) if has_room_for_salt(key.size(), digest, size) => {
            with_sha!(hash, D => key.sign_with_rng(generator, Pss::<D>::new_with_salt(size as usize), digest).ok())
        }
        Some(_) => None,
    }
}

pub fn verify(key: &PublicKey, hash: Hash, salt_size: Option<f64>, digest: &[u8], signature: &[u8]) -> bool {
    let verified = match salt_size {
        _ if signature.len() != key.size() => None,
        None => with_sha!(hash, D => key.verify(Pkcs1v15Sign::new::<D>(), digest, signature).ok()),
        Some(size) if has_room_for_salt(key.size(), digest, size) => {
            with_sha!(hash, D => key.verify(Pss::<D>::new_with_salt(size as usize), digest, signature).ok())
        }
        Some(_) => None,
    };
    verified.is_some()
}

/// Data encrypted by OAEP; none if it is too much.
pub fn encrypt(
    key: &PublicKey,
    hash: Hash,
    label: Box<[u8]>,
    data: &[u8],
    generator: &mut Generator,
) -> Option<Vec<u8>> {
    if data.len() > key.size() {
        return None;
    }
    with_sha!(hash, D => key.encrypt(generator, Oaep::<D>::new_with_label(label), data).ok())
}

/// The opposite; none if this key and this label have not encrypted it.
pub fn decrypt(
    key: &PrivateKey,
    hash: Hash,
    label: Box<[u8]>,
    data: &[u8],
    generator: &mut Generator,
) -> Option<Vec<u8>> {
    if data.len() != key.size() {
        return None;
    }
    with_sha!(hash, D => key.decrypt_blinded(generator, Oaep::<D>::new_with_label(label), data).ok())
}
