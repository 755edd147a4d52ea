//! Keys from passwords and from other keys.

use hkdf::Hkdf;
use hmac::Hmac;
use scrypt::Params;

use crate::digest::{Hash, with_hash};

/// Fills an array; none if it is more than can be had.
pub fn hkdf(hash: Hash, key: &[u8], salt: &[u8], info: &[u8], out: &mut [u8]) -> Option<()> {
    with_hash!(hash, D => Hkdf::<D>::new(Some(salt), key).expand(info, out).ok())
}

pub fn pbkdf2(hash: Hash, password: &[u8], salt: &[u8], rounds: u32, out: &mut [u8]) -> Option<()> {
    with_hash!(hash, D => pbkdf2::pbkdf2::<Hmac<D>>(password, salt, rounds, out).ok())
}

/// What scrypt costs: 2 to the power of `log_n`, times the size of a block, times how many are done.
pub struct Cost(Params);

impl Cost {
    /// None if it is out of its ranges.
    pub fn new(log_n: u8, block_size: u32, parallelism: u32) -> Option<Self> {
        // The product is computed before it is checked.
        block_size.checked_mul(parallelism)?;
        Params::new(log_n, block_size, parallelism).ok().map(Self)
    }

    /// Bytes of memory that it takes at most, without a way to fail.
    pub fn memory(&self) -> u128 {
        let per_block = u128::from(self.0.r()) * 128;
        per_block * (u128::from(self.0.n()) + u128::from(self.0.p()) + 1)
    }
}

pub fn scrypt(password: &[u8], salt: &[u8], cost: &Cost, out: &mut [u8]) -> Option<()> {
    scrypt::scrypt(password, salt, &cost.0, out).ok()
}
