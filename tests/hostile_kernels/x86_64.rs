//! Code for CPL 0, and what only x86-64 has: instructions that do their work many times.

use crate::{NO_PORT, behind, leaves_nothing};

pub fn nothing(size: usize) -> Vec<u8> {
    const NOP: u8 = 0x90;
    vec![NOP; size]
}

pub fn endless_loop() -> Vec<u8> {
    vec![0xeb, 0xfe]
}

pub fn read_port(port: u16) -> Vec<u8> {
    // in eax, dx
    [load_edx(port), vec![0xed]].concat()
}

pub fn write_port(port: u16, word: u32) -> Vec<u8> {
    // mov eax, WORD; out dx, eax
    [load_edx(port), [&[0xb8][..], &word.to_le_bytes(), &[0xef]].concat()].concat()
}

pub fn read_memory(address: u64) -> Vec<u8> {
    // mov rax, [rbx]
    [load_rbx(address), vec![0x48, 0x8b, 0x03]].concat()
}

pub fn write_memory(address: u64) -> Vec<u8> {
    // mov [rbx], rax
    [load_rbx(address), vec![0x48, 0x89, 0x03]].concat()
}

/// `mov edx, PORT`
fn load_edx(port: u16) -> Vec<u8> {
    [&[0xba][..], &u32::from(port).to_le_bytes()].concat()
}

/// `mov rbx, ADDRESS`
fn load_rbx(address: u64) -> Vec<u8> {
    [&[0x48, 0xbb][..], &address.to_le_bytes()].concat()
}

#[test]
fn a_port_that_is_being_read_into_memory() {
    // lea rdi, [rsp - 64]; mov ecx, 1; rep insd
    let code = [0x48, 0x8d, 0x7c, 0x24, 0xc0, 0xb9, 1, 0, 0, 0, 0xf3, 0x6d];
    leaves_nothing(|_| behind(0x30, &[&load_edx(0x80), &code]));
}

#[test]
fn memory_that_there_is_not_being_filled() {
    // mov rdi, rbx; mov ecx, 100; rep stosq
    let code = [0x48, 0x89, 0xdf, 0xb9, 100, 0, 0, 0, 0xf3, 0x48, 0xab];
    leaves_nothing(|places| behind(0x30, &[&load_rbx(places.no_memory), &code]));
}

#[test]
fn a_port_that_there_is_not_being_written_from_memory() {
    // mov ecx, 100; lea rsi, [rsp - 64]; rep outsd
    let code = [0xb9, 100, 0, 0, 0, 0x48, 0x8d, 0x74, 0x24, 0xc0, 0xf3, 0x6f];
    leaves_nothing(|_| behind(0x30, &[&load_edx(NO_PORT), &code]));
}
