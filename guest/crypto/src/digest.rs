//! Digests, and digests with a key.

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

#[derive(Clone, Copy)]
pub enum Hash {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// By the name that the module `crypto` has for it.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "md5" => Some(Self::Md5),
            "sha1" => Some(Self::Sha1),
            "sha256" => Some(Self::Sha256),
            "sha384" => Some(Self::Sha384),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }
}

/// Evaluates an expression with the type of a digest.
macro_rules! with_hash {
    ($hash:expr, $Digest:ident => $result:expr) => {
        match $hash {
            $crate::digest::Hash::Md5 => {
                type $Digest = md5::Md5;
                $result
            }
            $crate::digest::Hash::Sha1 => {
                type $Digest = sha1::Sha1;
                $result
            }
            $crate::digest::Hash::Sha256 => {
                type $Digest = sha2::Sha256;
                $result
            }
            $crate::digest::Hash::Sha384 => {
                type $Digest = sha2::Sha384;
                $result
            }
            $crate::digest::Hash::Sha512 => {
                type $Digest = sha2::Sha512;
                $result
            }
        }
    };
}
pub(crate) use with_hash;

/// Room for the longest digest.
const SIZE_MAX: usize = 64;

/// A digest, of the size that its algorithm has.
pub struct Digested {
    bytes: [u8; SIZE_MAX],
    size: usize,
}

impl Digested {
    fn new(digest: &[u8]) -> Self {
        let mut bytes = [0; SIZE_MAX];
        bytes[..digest.len()].copy_from_slice(digest);
        Self { bytes, size: digest.len() }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.size]
    }
}

impl Hash {
    pub fn of(self, data: &[u8]) -> Digested {
        match self {
            Self::Md5 => Digested::new(&Md5::digest(data)),
            Self::Sha1 => Digested::new(&Sha1::digest(data)),
            Self::Sha256 => Digested::new(&Sha256::digest(data)),
            Self::Sha384 => Digested::new(&Sha384::digest(data)),
            Self::Sha512 => Digested::new(&Sha512::digest(data)),
        }
    }

    /// The HMAC.
    pub fn keyed(self, key: &[u8], data: &[u8]) -> Digested {
        fn keyed<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Digested {
            let mut mac = <M as KeyInit>::new_from_slice(key).expect("any length will do");
            mac.update(data);
            Digested::new(&mac.finalize().into_bytes())
        }
        with_hash!(self, D => keyed::<Hmac<D>>(key, data))
    }
}
