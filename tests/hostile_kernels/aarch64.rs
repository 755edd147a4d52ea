//! Code for EL1, and what only arm64 has: accesses that the hypervisor is told nothing about, other ways to the host, sleep, and a timer.

use std::time::Duration;

use guest_abi::memory::IO_PAGE;
use hyperlight_js::{Error, WallClockMonitor};

use crate::sandboxes::stretched;
use crate::{NO_PORT, behind, ends_and_leaves_nothing, leaves_nothing};

const NOP: u32 = 0xd503_201f;

/// The first call after a restore begins one instruction after the place where calls begin.
pub fn nothing(size: usize) -> Vec<u8> {
    words(&vec![NOP; 1 + size / 4])
}

pub fn endless_loop() -> Vec<u8> {
    // b .
    words(&[0x1400_0000])
}

pub fn read_port(port: u16) -> Vec<u8> {
    read_memory(address_of(port))
}

pub fn write_port(port: u16, word: u32) -> Vec<u8> {
    [load(0, word.into()), write_memory(address_of(port))].concat()
}

pub fn read_memory(address: u64) -> Vec<u8> {
    // ldr w0, [x9]
    [load(9, address), words(&[0xb940_0120])].concat()
}

pub fn write_memory(address: u64) -> Vec<u8> {
    // str w0, [x9]
    [load(9, address), words(&[STORE_WORD])].concat()
}

fn words(instructions: &[u32]) -> Vec<u8> {
    instructions.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Loads a register with a number.
fn load(register: u32, number: u64) -> Vec<u8> {
    const MOVZ: u32 = 0xd280_0000;
    const MOVK: u32 = 0xf280_0000;
    let part = |i: u32| (number >> (16 * i) & 0xffff) as u32;
    words(&[0, 1, 2, 3].map(|i| if i == 0 { MOVZ } else { MOVK } | i << 21 | part(i) << 5 | register))
}

/// A port is a place in a page.
fn address_of(port: u16) -> u64 {
    IO_PAGE + 8 * u64::from(port)
}

/// `str w0, [x9]`
const STORE_WORD: u32 = 0xb900_0120;
/// `strb w0, [x9]`
const STORE_BYTE: u32 = 0x3900_0120;
/// `str x0, [x9]`
const STORE_DOUBLE_WORD: u32 = 0xf900_0120;
/// `ldp x0, x1, [x9]`
const LOAD_PAIR: u32 = 0xa940_0520;
/// `stp x0, x1, [x9]`
const STORE_PAIR: u32 = 0xa900_0520;
/// `dc zva, x9`
const ZERO_LINE: u32 = 0xd50b_7429;
/// `wfi`
const WAIT: u32 = 0xd503_207f;
/// `hvc 0`
const HYPERVISOR_CALL: u32 = 0xd400_0002;

#[test]
fn an_access_that_the_hypervisor_cannot_make_out() {
    for instruction in [LOAD_PAIR, STORE_PAIR, ZERO_LINE] {
        leaves_nothing(|places| behind(0x30, &[&load(9, places.no_memory), &words(&[instruction])]));
    }
    leaves_nothing(|_| behind(0x30, &[&load(9, address_of(NO_PORT)), &words(&[STORE_PAIR])]));
}

#[test]
fn a_port_that_there_is_not_being_written_with_another_size_or_between_two() {
    let stores = [(STORE_BYTE, 0), (STORE_DOUBLE_WORD, 0), (STORE_WORD, 4), (STORE_WORD, 2)];
    for (store, distance) in stores {
        leaves_nothing(|_| behind(0x30, &[&load(9, address_of(NO_PORT) + distance), &words(&[store])]));
    }
}

#[test]
fn registers_that_no_other_kernel_sets() {
    // From X0: DBGBVR0_EL1, VBAR_EL1, TPIDR_EL1, CONTEXTIDR_EL1. From X1: DBGBCR0_EL1. From X2: MDSCR_EL1, with OSLAR_EL1 from XZR.
    let registers = [0xd510_0080, 0xd518_c000, 0xd518_d080, 0xd518_d020, 0xd510_00a1, 0xd510_109f, 0xd510_0242];
    leaves_nothing(|places| {
        let set = [load(0, 0x1234_5000), load(1, 0x1e5), load(2, 1 << 13 | 1 << 15), words(&registers)].concat();
        behind(0x30, &[&set, &read_memory(places.no_memory)])
    });
}

/// With such a kernel a call does not end of its own, and can be stopped.
fn is_stopped_and_leaves_nothing(code: &[u8]) {
    let limit = stretched(Duration::from_millis(200));
    ends_and_leaves_nothing(
        |sandbox| {
            let monitor = WallClockMonitor::new(limit).expect("a monitor");
            sandbox.handle_event_with_monitor("handler", "0".to_string(), &monitor, None).map(drop)
        },
        |error| matches!(error, Error::Cancelled),
        |_| behind(0x30, &[code]),
    );
}

#[test]
fn a_processor_that_sleeps_until_an_interrupt() {
    is_stopped_and_leaves_nothing(&words(&[WAIT]));
}

#[test]
fn a_processor_that_has_turned_itself_off() {
    // The function CPU_OFF of KVM's oldest interface for that, which a virtual machine has unless it is asked for another.
    is_stopped_and_leaves_nothing(&[load(0, 0x95c1_ba5f), words(&[HYPERVISOR_CALL])].concat());
}

#[test]
fn a_timer_that_has_gone_off() {
    // From XZR: CNTV_TVAL_EL0. From X0: CNTV_CTL_EL0, on, its interrupt not masked.
    is_stopped_and_leaves_nothing(&[load(0, 1), words(&[0xd51b_e31f, 0xd51b_e320])].concat());
}
