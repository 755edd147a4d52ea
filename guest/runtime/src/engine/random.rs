//! Random numbers.
//!
//! QuickJS seeds its own generator when a context is made, which here happens before the sandboxes part: all of them would
//! draw the same numbers. So `Math.random` is replaced by a generator that each call seeds afresh from the host.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rquickjs::{Ctx, Function, Object};

use crate::global::Global;

static GENERATOR: Global<ChaCha12Rng> = Global::new();

/// Seeds the generator at the start of a call.
pub fn seed(seed: [u8; 32]) {
    GENERATOR.set(ChaCha12Rng::from_seed(seed));
}

/// Replaces `Math.random`.
pub fn install(ctx: &Ctx<'_>) -> rquickjs::Result<()> {
    let math: Object = ctx.globals().get("Math")?;
    math.set("random", Function::new(ctx.clone(), random)?.with_name("random")?)
}

/// Fills bytes with random ones.
pub fn fill(bytes: &mut [u8]) {
    GENERATOR.with(|generator| generator.fill_bytes(bytes));
}

/// Gives a function the generator.
pub fn with<T>(f: impl FnOnce(&mut ChaCha12Rng) -> T) -> T {
    GENERATOR.with(f)
}

/// A number from 0 up to but not including 1, with the 53 bits of precision that a double has there.
fn random() -> f64 {
    let bits = GENERATOR.with(|generator| generator.next_u64() >> 11);
    bits as f64 / (1u64 << 53) as f64
}
