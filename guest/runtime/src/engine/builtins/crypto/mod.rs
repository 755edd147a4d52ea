//! `crypto.subtle` and the module `crypto`.
//!
//! The JavaScript beside this says what a key may be used for, and what is wrong, as the Web Cryptography API and Node.js have
//! it; what is computed is in the crate `guest-crypto`, and runs where the guest's code does. A function that gives nothing has
//! been given something wrong: which error that is depends on the operation.
//!
//! Keys are objects ([`key::KeyObject`]) that JavaScript can only hand back. What needs as much memory as it is given has it before
//! it begins, or throws; what needs a bounded amount asks once whether there is that much.

mod cipher;
mod derivation;
pub mod digest;
mod json;
mod key;
mod signature;

use alloc::vec::Vec;

use rquickjs::function::Func;
use rquickjs::module::{Declarations, Exports, ModuleDef};
use rquickjs::{Ctx, Result};

use crate::engine::bytes::bytes_of;
use crate::engine::new_value::{Bytes, has_room};
use crate::engine::{exception, random};

fn check_room(ctx: &Ctx<'_>) -> Result<()> {
    if has_room(guest_crypto::ROOM) { Ok(()) } else { Err(exception::throw_out_of_memory(ctx)) }
}

/// An empty vector with room for so many bytes.
fn room_for(ctx: &Ctx<'_>, size: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(size).map_err(|_| exception::throw_out_of_memory(ctx))?;
    Ok(bytes)
}

fn zeros(ctx: &Ctx<'_>, size: f64) -> Result<Vec<u8>> {
    let mut bytes = room_for(ctx, size as usize)?;
    bytes.resize(size as usize, 0);
    Ok(bytes)
}

fn copied(ctx: &Ctx<'_>, bytes: &[u8]) -> Result<Vec<u8>> {
    let mut copy = room_for(ctx, bytes.len())?;
    copy.extend_from_slice(bytes);
    Ok(copy)
}

/// Fills the array with random bytes and gives it back.
pub fn fill_random<'js>(ctx: Ctx<'js>, array: Bytes<'js>) -> Bytes<'js> {
    let mut bytes = bytes_of(&ctx, &array);
    // SAFETY: the array is alive, and no JavaScript runs before this is done.
    random::fill(unsafe { bytes.as_mut() });
    array
}

/// The module that holds it, but for what `hyperlight:native` has of it: it is made when the first module imports it.
pub struct Crypto;

impl ModuleDef for Crypto {
    fn declare(declarations: &Declarations<'_>) -> Result<()> {
        let names = [
            "addAdditional",
            "agree",
            "cipher",
            "counter",
            "decodeText",
            "signData",
            "verifyData",
            "ed25519Sign",
            "ed25519Verify",
            "encodeText",
            "exportKey",
            "exportParts",
            "finish",
            "finishWithTag",
            "generateKey",
            "generateRsa",
            "hkdf",
            "hmacSign",
            "importKey",
            "importParts",
            "joined",
            "jsonBytes",
            "parseJson",
            "pbkdf2",
            "publicOf",
            "randomKey",
            "rsaDecrypt",
            "rsaEncrypt",
            "scrypt",
            "secretKey",
            "secretSize",
            "truncatedSecret",
            "unwrap",
            "update",
            "wrap",
        ];
        for name in names {
            declarations.declare(name)?;
        }
        Ok(())
    }

    fn evaluate<'js>(_: &Ctx<'js>, exports: &Exports<'js>) -> Result<()> {
        exports.export("addAdditional", Func::from(cipher::add_additional))?;
        exports.export("agree", Func::from(key::agree))?;
        exports.export("cipher", Func::from(cipher::cipher))?;
        exports.export("counter", Func::from(cipher::counter))?;
        exports.export("decodeText", Func::from(json::decode_text))?;
        exports.export("signData", Func::from(signature::sign))?;
        exports.export("verifyData", Func::from(signature::verify))?;
        exports.export("ed25519Sign", Func::from(signature::sign_whole))?;
        exports.export("ed25519Verify", Func::from(signature::verify_whole))?;
        exports.export("encodeText", Func::from(json::encode_text))?;
        exports.export("exportKey", Func::from(key::export))?;
        exports.export("exportParts", Func::from(key::export_parts))?;
        exports.export("finish", Func::from(cipher::finish))?;
        exports.export("finishWithTag", Func::from(cipher::finish_with_tag))?;
        exports.export("generateKey", Func::from(key::generate))?;
        exports.export("generateRsa", Func::from(key::generate_rsa))?;
        exports.export("hkdf", Func::from(derivation::hkdf))?;
        exports.export("hmacSign", Func::from(digest::sign))?;
        exports.export("importKey", Func::from(key::import))?;
        exports.export("importParts", Func::from(key::import_parts))?;
        exports.export("joined", Func::from(cipher::joined))?;
        exports.export("jsonBytes", Func::from(json::bytes_of))?;
        exports.export("parseJson", Func::from(json::parse))?;
        exports.export("pbkdf2", Func::from(derivation::pbkdf2))?;
        exports.export("publicOf", Func::from(key::public_of))?;
        exports.export("randomKey", Func::from(key::random_key))?;
        exports.export("rsaDecrypt", Func::from(signature::decrypt))?;
        exports.export("rsaEncrypt", Func::from(signature::encrypt))?;
        exports.export("scrypt", Func::from(derivation::scrypt))?;
        exports.export("secretKey", Func::from(key::secret_key))?;
        exports.export("secretSize", Func::from(key::secret_size))?;
        exports.export("truncatedSecret", Func::from(key::truncated))?;
        exports.export("unwrap", Func::from(cipher::unwrap))?;
        exports.export("update", Func::from(cipher::update))?;
        exports.export("wrap", Func::from(cipher::wrap))?;
        Ok(())
    }
}
