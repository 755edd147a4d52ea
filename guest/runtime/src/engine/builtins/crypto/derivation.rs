//! Keys from passwords and from other keys: so many bytes.

use guest_crypto::derivation::{self, Cost};
use rquickjs::{Class, Ctx, Result, Value};

use super::digest::HashName;
use super::key::KeyObject;
use super::{check_room, zeros};
use crate::engine::bytes::with_bytes;
use crate::engine::exception;
use crate::engine::new_value::{Bytes, has_room, new_bytes};

pub fn hkdf<'js>(
    ctx: Ctx<'js>,
    HashName(hash): HashName,
    key: Class<'js, KeyObject>,
    salt: Bytes<'js>,
    info: Bytes<'js>,
    size: f64,
) -> Result<Option<Value<'js>>> {
    let mut bytes = zeros(&ctx, size)?;
    let done = with_bytes(&ctx, &salt, |salt| {
        with_bytes(&ctx, &info, |info| derivation::hkdf(hash, key.borrow().0.secret(), salt, info, &mut bytes))
    });
    done.map(|()| new_bytes(&ctx, &bytes)).transpose()
}

pub fn pbkdf2<'js>(
    ctx: Ctx<'js>,
    HashName(hash): HashName,
    password: Class<'js, KeyObject>,
    salt: Bytes<'js>,
    rounds: u32,
    size: f64,
) -> Result<Option<Value<'js>>> {
    let mut bytes = zeros(&ctx, size)?;
    let done = with_bytes(&ctx, &salt, |salt| {
        derivation::pbkdf2(hash, password.borrow().0.secret(), salt, rounds, &mut bytes)
    });
    done.map(|()| new_bytes(&ctx, &bytes)).transpose()
}

pub fn scrypt<'js>(
    ctx: Ctx<'js>,
    password: Class<'js, KeyObject>,
    salt: Bytes<'js>,
    log_n: u8,
    block_size: u32,
    parallelism: u32,
    size: f64,
) -> Result<Option<Value<'js>>> {
    let Some(cost) = Cost::new(log_n, block_size, parallelism) else { return Ok(None) };
    let mut bytes = zeros(&ctx, size)?;
    check_room(&ctx)?;
    if !usize::try_from(cost.memory()).is_ok_and(has_room) {
        return Err(exception::throw_out_of_memory(&ctx));
    }
    let done =
        with_bytes(&ctx, &salt, |salt| derivation::scrypt(password.borrow().0.secret(), salt, &cost, &mut bytes));
    done.map(|()| new_bytes(&ctx, &bytes)).transpose()
}
