//! What KVM shows of a virtual processor on arm64, and the events that it may be about to deliver.

use std::collections::BTreeMap;

use kvm_bindings::kvm_vcpu_events;

use crate::sandboxes::{call, guarded, loaded};
use crate::{COUNTER, alone, virtual_processor};

const KVM_GET_MP_STATE: libc::Ioctl = 0x8004_ae98_u32 as libc::Ioctl;
const KVM_SET_MP_STATE: libc::Ioctl = 0x4004_ae99;
const KVM_GET_VCPU_EVENTS: libc::Ioctl = 0x8040_ae9f_u32 as libc::Ioctl;
const KVM_SET_VCPU_EVENTS: libc::Ioctl = 0x4040_aea0;
const KVM_GET_ONE_REG: libc::Ioctl = 0x4010_aeab;
const KVM_SET_ONE_REG: libc::Ioctl = 0x4010_aeac;
const KVM_GET_REG_LIST: libc::Ioctl = 0xc008_aeb0_u32 as libc::Ioctl;

/// The virtual and the physical counter, which go on.
const VIRTUAL_COUNTER: u64 = 0x6030_0000_0013_df1a;
const PHYSICAL_COUNTER: u64 = 0x6030_0000_0013_df01;

/// Puts a mark into what nothing resets as long as the virtual machine is the same: the guest's time, which it cannot set.
pub fn mark() {
    assert!(set_register(VIRTUAL_COUNTER, &MARK.to_le_bytes()), "the guest's time can be set");
}

pub fn is_marked() -> bool {
    let bytes = register(VIRTUAL_COUNTER).expect("the guest's time");
    u64::from_le_bytes(bytes.try_into().expect("eight bytes")) >= MARK
}

/// Years from now.
const MARK: u64 = 1 << 60;

/// A register, of the size that its number says.
fn register(number: u64) -> Option<Vec<u8>> {
    let mut value = vec![0u8; 1 << (number >> 52 & 0xf)];
    let request = [number, value.as_mut_ptr() as u64];
    // SAFETY: the buffer has the size of the register.
    let result = unsafe { libc::ioctl(virtual_processor(), KVM_GET_ONE_REG, request.as_ptr()) };
    (result == 0).then_some(value)
}

/// Whether KVM has taken it.
fn set_register(number: u64, value: &[u8]) -> bool {
    assert_eq!(value.len(), 1 << (number >> 52 & 0xf));
    let request = [number, value.as_ptr() as u64];
    // SAFETY: as above.
    unsafe { libc::ioctl(virtual_processor(), KVM_SET_ONE_REG, request.as_ptr()) == 0 }
}

/// The registers that a guest may have changed: those of the processor's core and of its system, but not the hypervisor's own.
fn registers() -> BTreeMap<u64, Vec<u8>> {
    const CORE: u64 = 0x10;
    const SYSTEM: u64 = 0x13;
    let mut list = vec![0u64; 2048];
    list[0] = list.len() as u64 - 1;
    // SAFETY: the list has room for as many numbers as it says.
    let result = unsafe { libc::ioctl(virtual_processor(), KVM_GET_REG_LIST, list.as_mut_ptr()) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
    let numbers = &list[1..=list[0] as usize];
    numbers
        .iter()
        .filter(|number| matches!(**number >> 16 & 0xfff, CORE | SYSTEM))
        .filter(|number| ![VIRTUAL_COUNTER, PHYSICAL_COUNTER].contains(*number))
        .filter_map(|number| Some((*number, register(*number)?)))
        .collect()
}

/// Gives a register another value if it takes one, and says whether it did.
fn change(number: u64, value: &[u8]) -> bool {
    // Which bits can be changed depends on the register.
    [0, 4, 12, 28].iter().filter(|bit| *bit / 8 < value.len()).any(|bit| {
        let mut other = value.to_vec();
        other[bit / 8] ^= 1 << (bit % 8);
        set_register(number, &other) && register(number).is_some_and(|now| now != value)
    })
}

#[test]
fn a_restore_sets_what_a_virtual_processor_has_beside_memory() {
    /// What stays, and only a kernel can read: where the last exception was taken (ELR_EL1, SPSR_EL1; ours sets both before it enters
    /// EL0), and when the virtual timer would go off, which is off (CNTV_CVAL_EL0).
    const KEPT: [u64; 3] = [0x6030_0000_0010_0046, 0x6030_0000_0010_0048, 0x6030_0000_0013_df02];

    let _alone = alone();
    let mut sandbox = loaded(COUNTER);
    let snapshot = sandbox.snapshot().expect("a snapshot");
    sandbox.restore(snapshot.clone()).expect("a restore");
    let before = registers();
    let changed: Vec<_> =
        before.iter().filter(|(number, value)| change(**number, value)).map(|(number, _)| *number).collect();
    // Those for general use, the stack pointers, those of floating point, and the system's.
    assert!(changed.len() > 100, "{} of {} registers could be changed", changed.len(), before.len());
    sandbox.restore(snapshot).expect("a restore");
    let after = registers();
    let differ: Vec<_> = before
        .iter()
        .filter(|(number, value)| !KEPT.contains(*number) && after.get(*number) != Some(*value))
        .map(|(number, value)| format!("{number:#x}: {value:x?}, then {:x?}", after.get(number)))
        .collect();
    assert!(differ.is_empty(), "{differ:#?}");
    assert_eq!(guarded(&mut sandbox, |sandbox| call(sandbox, "0")).expect("a result"), 1);
}

/// Changes what the virtual processor is about to do, and expects that nothing of that is left after a restore.
fn is_left_behind_and_gone(change: impl Fn(&mut kvm_vcpu_events)) {
    let _alone = alone();
    let mut sandbox = loaded(COUNTER);
    let snapshot = sandbox.snapshot().expect("a snapshot");
    for _ in 0..2 {
        let mut events = kvm_vcpu_events::default();
        // SAFETY: the structure is the one that both calls take.
        unsafe {
            assert_eq!(libc::ioctl(virtual_processor(), KVM_GET_VCPU_EVENTS, &raw mut events), 0);
            change(&mut events);
            assert_eq!(libc::ioctl(virtual_processor(), KVM_SET_VCPU_EVENTS, &raw const events), 0);
        }
        sandbox.restore(snapshot.clone()).expect("a restore");
        for count in [1, 2] {
            assert_eq!(guarded(&mut sandbox, |sandbox| call(sandbox, "0")).expect("a result"), count);
        }
    }
}

#[test]
fn a_system_error_that_was_left_behind_does_not_reach_the_next_call() {
    is_left_behind_and_gone(|events| events.exception.serror_pending = 1);
}

#[test]
fn an_abort_that_was_left_behind_does_not_reach_the_next_call() {
    is_left_behind_and_gone(|events| events.exception.ext_dabt_pending = 1);
}

#[test]
fn a_processor_that_was_turned_off_is_on_again() {
    const RUNNABLE: u32 = 0;
    const STOPPED: u32 = 5;

    let _alone = alone();
    let mut sandbox = loaded(COUNTER);
    let snapshot = sandbox.snapshot().expect("a snapshot");
    let mut state = STOPPED;
    // SAFETY: the state is one number.
    unsafe { assert_eq!(libc::ioctl(virtual_processor(), KVM_SET_MP_STATE, &raw const state), 0) };
    sandbox.restore(snapshot).expect("a restore");
    // SAFETY: as above.
    unsafe { assert_eq!(libc::ioctl(virtual_processor(), KVM_GET_MP_STATE, &raw mut state), 0) };
    assert_eq!(state, RUNNABLE);
    assert_eq!(guarded(&mut sandbox, |sandbox| call(sandbox, "0")).expect("a result"), 1);
}
