//! Inputs for a driver that does not see what they reach: random bytes, and changed and mixed inputs of the corpus.

use rand::rngs::StdRng;
use rand::{Rng, RngExt};

/// Numbers at which something may change.
const NUMBERS: [u64; 14] =
    [0, 1, 7, 8, 127, 255, 4095, 4096, 65_535, 65_536, 1 << 31, u32::MAX as u64, 1 << 63, u64::MAX];

/// Makes an input of at most `longest` bytes.
pub fn input(rng: &mut StdRng, corpus: &[Vec<u8>], longest: usize) -> Vec<u8> {
    let mut input = match corpus.len() {
        0 => random(rng, longest),
        _ if rng.random_ratio(1, 4) => random(rng, longest),
        entries => corpus[rng.random_range(0..entries)].clone(),
    };
    for _ in 0..rng.random_range(0..8) {
        change(rng, &mut input, corpus);
    }
    input.truncate(longest);
    input
}

/// Random bytes, more often few than many.
fn random(rng: &mut StdRng, longest: usize) -> Vec<u8> {
    let most = longest >> rng.random_range(0..longest.max(1).ilog2() + 1);
    let mut bytes = vec![0; rng.random_range(0..=most)];
    rng.fill_bytes(&mut bytes);
    bytes
}

fn change(rng: &mut StdRng, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
    let at = place(rng, input.len());
    let end = (at + rng.random_range(1..=16)).min(input.len());
    match rng.random_range(0..9) {
        0 if at < input.len() => input[at] ^= 1 << rng.random_range(0..8),
        1 if at < input.len() => input[at] = rng.random(),
        // At the end there is often what says how to read the rest.
        2 => {
            let last = rng.random_range(0..8);
            input.pop();
            input.push(last);
        }
        3 => {
            let number = NUMBERS[rng.random_range(0..NUMBERS.len())].to_le_bytes();
            let size = [1, 2, 4, 8][rng.random_range(0..4)].min(input.len() - at);
            input[at..at + size].copy_from_slice(&number[..size]);
        }
        4 => drop(input.drain(at..end)),
        5 => {
            let part = input[at..end].to_vec();
            let to = place(rng, input.len());
            input.splice(to..to, part);
        }
        6 => {
            let bytes = random(rng, 32);
            input.splice(at..at, bytes);
        }
        7 => input.truncate(at),
        _ => {
            let Some(other) = corpus.get(place(rng, corpus.len())) else { return };
            let part = &other[place(rng, other.len())..];
            input.splice(at.., part.iter().copied());
        }
    }
}

fn place(rng: &mut StdRng, length: usize) -> usize {
    rng.random_range(0..=length)
}
