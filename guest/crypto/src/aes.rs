//! AES in the modes CBC, CTR, GCM and KW.
//!
//! A cipher takes its data in pieces, for `createCipheriv`; `crypto.subtle` gives it all in one. GCM is put together here of its
//! counter mode and GHASH: the crate for it takes a nonce of one size only, and all data at once.

use alloc::boxed::Box;
use alloc::vec::Vec;

use aes::cipher::{
    Array, BlockCipherDecClosure, BlockCipherDecrypt, BlockCipherEncClosure, BlockCipherEncrypt, BlockModeDecrypt,
    BlockModeEncrypt, BlockSizeUser, InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper, common::InnerInit,
    consts::U16,
};
use aes::{Aes128, Aes192, Aes256};
use aes_kw::AesKw;
use ctr::CtrCore;
use ctr::flavors::{Ctr32BE, Ctr128BE};
use ghash::{GHash, universal_hash::UniversalHash};
use subtle::ConstantTimeEq;

pub const BLOCK_SIZE: usize = 16;
type Block = Array<u8, U16>;

/// AES with a key of any of its sizes.
#[derive(Clone)]
enum Aes {
    Aes128(Box<Aes128>),
    Aes192(Box<Aes192>),
    Aes256(Box<Aes256>),
}

impl Aes {
    fn new(key: &[u8]) -> Option<Self> {
        Some(match key.len() {
            16 => Self::Aes128(Box::new(Aes128::new_from_slice(key).ok()?)),
            24 => Self::Aes192(Box::new(Aes192::new_from_slice(key).ok()?)),
            32 => Self::Aes256(Box::new(Aes256::new_from_slice(key).ok()?)),
            _ => return None,
        })
    }
}

impl BlockSizeUser for Aes {
    type BlockSize = U16;
}

impl BlockCipherEncrypt for Aes {
    fn encrypt_with_backend(&self, f: impl BlockCipherEncClosure<BlockSize = U16>) {
        match self {
            Self::Aes128(aes) => aes.encrypt_with_backend(f),
            Self::Aes192(aes) => aes.encrypt_with_backend(f),
            Self::Aes256(aes) => aes.encrypt_with_backend(f),
        }
    }
}

impl BlockCipherDecrypt for Aes {
    fn decrypt_with_backend(&self, f: impl BlockCipherDecClosure<BlockSize = U16>) {
        match self {
            Self::Aes128(aes) => aes.decrypt_with_backend(f),
            Self::Aes192(aes) => aes.decrypt_with_backend(f),
            Self::Aes256(aes) => aes.decrypt_with_backend(f),
        }
    }
}

type Counter128 = StreamCipherCoreWrapper<CtrCore<Aes, Ctr128BE>>;
type Counter32 = StreamCipherCoreWrapper<CtrCore<Aes, Ctr32BE>>;

fn counter128(aes: Aes, counter: &Block) -> Counter128 {
    StreamCipherCoreWrapper::from_core(CtrCore::inner_iv_init(aes, counter))
}

/// Data that has begun to be encrypted or decrypted.
pub struct Cipher(Mode);

enum Mode {
    CbcEncryption { cbc: cbc::Encryptor<Aes>, pending: Vec<u8>, is_padded: bool },
    CbcDecryption { cbc: cbc::Decryptor<Aes>, pending: Vec<u8>, is_padded: bool },
    Counter(Counter128),
    Gcm(Box<Gcm>),
    Ended,
}

struct Gcm {
    counter: Counter32,
    sum: GcmSum,
    /// What the sum is encrypted with.
    mask: Block,
    is_encryption: bool,
}

/// GHASH of additional data and then of encrypted data, each filled up to whole blocks.
struct GcmSum {
    hash: GHash,
    pending: Vec<u8>,
    additional_size: u64,
    size: u64,
}

impl GcmSum {
    fn new(key: &Block) -> Self {
        Self { hash: GHash::new(key), pending: Vec::with_capacity(BLOCK_SIZE), additional_size: 0, size: 0 }
    }

    fn add(&mut self, mut bytes: &[u8]) {
        if !self.pending.is_empty() {
            let (first, rest) = bytes.split_at(bytes.len().min(BLOCK_SIZE - self.pending.len()));
            self.pending.extend_from_slice(first);
            bytes = rest;
            if self.pending.len() == BLOCK_SIZE {
                self.fill_up();
            }
        }
        let (whole, rest) = bytes.split_at(bytes.len() - bytes.len() % BLOCK_SIZE);
        self.hash.update_padded(whole);
        self.pending.extend_from_slice(rest);
    }

    /// Ends the additional data, or the encrypted.
    fn fill_up(&mut self) {
        self.hash.update_padded(&self.pending);
        self.pending.clear();
    }

    fn sum(mut self) -> Block {
        self.fill_up();
        let mut sizes = [0; BLOCK_SIZE];
        sizes[..8].copy_from_slice(&(self.additional_size * 8).to_be_bytes());
        sizes[8..].copy_from_slice(&(self.size * 8).to_be_bytes());
        self.hash.update_padded(&sizes);
        self.hash.finalize()
    }
}

impl Gcm {
    fn new(aes: Aes, nonce: &[u8], is_encryption: bool) -> Self {
        let mut key = Block::default();
        aes.encrypt_block(&mut key);
        let mut first = Block::default();
        if nonce.len() == 12 {
            first[..12].copy_from_slice(nonce);
            first[15] = 1;
        } else {
            let mut sum = GcmSum::new(&key);
            sum.add(nonce);
            sum.size = nonce.len() as u64;
            first = sum.sum();
        }
        let mut counter: Counter32 = StreamCipherCoreWrapper::from_core(CtrCore::inner_iv_init(aes, &first));
        let mut mask = Block::default();
        counter.apply_keystream(&mut mask);
        Self { counter, sum: GcmSum::new(&key), mask, is_encryption }
    }

    fn add_additional(&mut self, bytes: &[u8]) {
        self.sum.additional_size += bytes.len() as u64;
        self.sum.add(bytes);
    }

    fn update(&mut self, bytes: &mut [u8]) -> Option<()> {
        if self.sum.size == 0 {
            self.sum.fill_up();
        }
        self.sum.size += bytes.len() as u64;
        if !self.is_encryption {
            self.sum.add(bytes);
        }
        self.counter.try_apply_keystream(bytes).ok()?;
        if self.is_encryption {
            self.sum.add(bytes);
        }
        Some(())
    }

    fn tag(self) -> [u8; BLOCK_SIZE] {
        let mut tag: [u8; BLOCK_SIZE] = self.sum.sum().into();
        for (byte, mask) in tag.iter_mut().zip(self.mask) {
            *byte ^= mask;
        }
        tag
    }
}

impl Cipher {
    /// A cipher in a mode, `cbc`, `cbc-whole` (in which the data is whole blocks), `ctr` or `gcm`; none if the key or the
    /// initialization vector has a wrong size.
    pub fn new(mode: &str, is_encryption: bool, key: &[u8], iv: &[u8]) -> Option<Self> {
        let aes = Aes::new(key)?;
        if mode == "gcm" {
            return Some(Self(Mode::Gcm(Box::new(Gcm::new(aes, iv, is_encryption)))));
        }
        let iv = Block::try_from(iv).ok()?;
        let (pending, is_padded) = (Vec::with_capacity(BLOCK_SIZE), mode == "cbc");
        Some(Self(match (mode, is_encryption) {
            ("ctr", _) => Mode::Counter(counter128(aes, &iv)),
            (_, true) => Mode::CbcEncryption { cbc: cbc::Encryptor::inner_iv_init(aes, &iv), pending, is_padded },
            (_, false) => Mode::CbcDecryption { cbc: cbc::Decryptor::inner_iv_init(aes, &iv), pending, is_padded },
        }))
    }

    /// Adds what GCM authenticates and does not encrypt.
    pub fn add_additional(&mut self, data: &[u8]) {
        if let Mode::Gcm(gcm) = &mut self.0 {
            gcm.add_additional(data);
        }
    }

    /// Appends what comes of the next data: at most [`BLOCK_SIZE`] bytes more than that. None if it is too much data.
    pub fn update(&mut self, data: &[u8], bytes: &mut Vec<u8>) -> Option<()> {
        match &mut self.0 {
            Mode::CbcEncryption { cbc, pending, .. } => {
                take_blocks(bytes, pending, data, false);
                for block in blocks(bytes) {
                    cbc.encrypt_block(block);
                }
                Some(())
            }
            Mode::CbcDecryption { cbc, pending, is_padded } => {
                take_blocks(bytes, pending, data, *is_padded);
                cbc.decrypt_blocks(blocks(bytes));
                Some(())
            }
            Mode::Counter(counter) => {
                bytes.extend_from_slice(data);
                counter.try_apply_keystream(bytes).ok()
            }
            Mode::Gcm(gcm) => {
                bytes.extend_from_slice(data);
                gcm.update(bytes)
            }
            Mode::Ended => None,
        }
    }

    /// The last that comes of the data; none if it was not what it should have been. Of GCM that is the tag.
    pub fn finish(&mut self) -> Option<Vec<u8>> {
        match core::mem::replace(&mut self.0, Mode::Ended) {
            Mode::CbcEncryption { pending, is_padded: false, .. }
            | Mode::CbcDecryption { pending, is_padded: false, .. } => pending.is_empty().then_some(pending),
            Mode::CbcEncryption { mut cbc, pending, .. } => {
                let mut block = Block::from([(BLOCK_SIZE - pending.len()) as u8; BLOCK_SIZE]);
                block[..pending.len()].copy_from_slice(&pending);
                cbc.encrypt_block(&mut block);
                Some(block.to_vec())
            }
            Mode::CbcDecryption { mut cbc, pending, .. } => {
                let mut block = Block::try_from(pending.as_slice()).ok()?;
                cbc.decrypt_block(&mut block);
                unpadded(&block).map(<[u8]>::to_vec)
            }
            Mode::Counter(_) => Some(Vec::new()),
            Mode::Gcm(gcm) => Some(gcm.tag().into()),
            Mode::Ended => None,
        }
    }

    /// Whether the tag of GCM begins with these bytes.
    pub fn finish_with_tag(&mut self, tag: &[u8]) -> bool {
        let actual = self.finish();
        actual.is_some_and(|actual| actual.get(..tag.len()).is_some_and(|actual| actual.ct_eq(tag).into()))
    }
}

/// Moves whole blocks of what is pending and of new data; of all blocks but the last, if that is to be kept.
fn take_blocks(blocks: &mut Vec<u8>, pending: &mut Vec<u8>, data: &[u8], is_last_kept: bool) {
    let size = pending.len() + data.len();
    let mut kept = size % BLOCK_SIZE;
    if is_last_kept && kept == 0 && size > 0 {
        kept = BLOCK_SIZE;
    }
    if size - kept == 0 {
        pending.extend_from_slice(data);
        return;
    }
    let (now, later) = data.split_at(data.len() - kept.min(data.len()));
    blocks.append(pending);
    blocks.extend_from_slice(now);
    pending.extend_from_slice(later);
}

fn blocks(bytes: &mut [u8]) -> &mut [Block] {
    Block::slice_as_chunks_mut(bytes).0
}

/// A last block without its padding. What it takes depends on whether the padding is right, not on where it is wrong.
fn unpadded(block: &Block) -> Option<&[u8]> {
    let size = block[BLOCK_SIZE - 1];
    let mut wrong = u8::from(size == 0 || size as usize > BLOCK_SIZE);
    for (at, byte) in block.iter().enumerate() {
        let is_padding = u8::from(at + size as usize >= BLOCK_SIZE).wrapping_neg();
        wrong |= (byte ^ size) & is_padding;
    }
    if wrong == 0 { block.get(..BLOCK_SIZE - size as usize) } else { None }
}

/// Encrypts data in the counter mode, of whose counter only so many bits count; none if that is less than the data needs, or
/// if a size is wrong.
pub fn counter(key: &[u8], counter: &[u8], bits: u32, data: &mut [u8]) -> Option<()> {
    let aes = Aes::new(key)?;
    let start = u128::from_be_bytes(counter.try_into().ok()?);
    let mask = if bits >= 128 { u128::MAX } else { (1 << bits) - 1 };
    let count = data.len().div_ceil(BLOCK_SIZE) as u128;
    if count > 0 && count - 1 > mask {
        return None;
    }
    // Blocks until it begins anew.
    let before = (mask - (start & mask)).saturating_add(1).min(count) as usize;
    let (first, second) = data.split_at_mut(data.len().min(before * BLOCK_SIZE));
    let apply = |counter: u128, bytes: &mut [u8]| {
        counter128(aes.clone(), &counter.to_be_bytes().into()).try_apply_keystream(bytes).ok()
    };
    apply(start, first)?;
    apply(start & !mask, second)
}

/// How many bytes more a wrapped key has.
pub const WRAPPING_SIZE: usize = 8;

/// Encrypts a key's bytes with another key, into an array with room for them; none if their size is wrong.
pub fn wrap(key: &[u8], data: &[u8], out: &mut [u8]) -> Option<()> {
    if data.len() < 2 * WRAPPING_SIZE {
        return None;
    }
    AesKw::inner_init(Aes::new(key)?).wrap_key(data, out).ok().map(|_| ())
}

/// The opposite; none if it is not what this key has encrypted.
pub fn unwrap(key: &[u8], data: &[u8], out: &mut [u8]) -> Option<()> {
    if data.len() < 3 * WRAPPING_SIZE {
        return None;
    }
    AesKw::inner_init(Aes::new(key)?).unwrap_key(data, out).ok().map(|_| ())
}
