//! What KVM shows of a virtual processor on x86-64, and the events that it may be about to deliver.

use hyperlight_js::LoadedJSSandbox;
use kvm_bindings::{KVM_VCPUEVENT_VALID_SHADOW, kvm_vcpu_events};

use crate::sandboxes::{call, guarded, loaded};
use crate::{COUNTER, alone, virtual_processor};

const KVM_GET_VCPU_EVENTS: libc::Ioctl = 0x8040_ae9f_u32 as libc::Ioctl;
const KVM_SET_VCPU_EVENTS: libc::Ioctl = 0x4040_aea0;
const LSTAR: u32 = 0xc000_0082;

/// Puts a mark into what nothing resets as long as the virtual machine is the same: the guest cannot write it.
pub fn mark() {
    msr(LSTAR, Some(MARK));
}

pub fn is_marked() -> bool {
    msr(LSTAR, None) == MARK
}

/// Unlike any address that the hypervisor gives out.
const MARK: u64 = 0x1234_5678_9000;

/// What of a virtual processor KVM gives and takes as one structure.
struct State {
    name: &'static str,
    /// Its size is in the number.
    get: u32,
    set: u32,
}

impl State {
    const DEBUG_REGISTERS: Self = Self { name: "debug registers", get: 0x8080_aea1, set: 0x4080_aea2 };
    const EXTENDED: Self = Self { name: "extended state", get: 0x9000_aea4, set: 0x5000_aea5 };
    const CONTROL: Self = Self { name: "extended control registers", get: 0x8188_aea6, set: 0x4188_aea7 };
    const REGISTERS: Self = Self { name: "registers", get: 0x8090_ae81, set: 0x4090_ae82 };
    const SPECIAL: Self = Self { name: "special registers", get: 0x8138_ae83, set: 0x4138_ae84 };
    const RUN: Self = Self { name: "run state", get: 0x8004_ae98, set: 0x4004_ae99 };

    fn get(&self) -> Vec<u8> {
        let mut state = vec![0; (self.get >> 16 & 0x3fff) as usize];
        // SAFETY: the buffer has the size that the number says.
        let result = unsafe { libc::ioctl(virtual_processor(), self.get as libc::Ioctl, state.as_mut_ptr()) };
        assert_eq!(result, 0, "{}", self.name);
        state
    }

    fn set(&self, state: &[u8]) {
        assert_eq!(state.len(), (self.set >> 16 & 0x3fff) as usize);
        // SAFETY: as above.
        let result = unsafe { libc::ioctl(virtual_processor(), self.set as libc::Ioctl, state.as_ptr()) };
        assert_eq!(result, 0, "{}: {}", self.name, std::io::Error::last_os_error());
    }
}

/// A model-specific register.
fn msr(number: u32, set: Option<u64>) -> u64 {
    let (get_number, set_number): (u32, u32) = (0xc008_ae88, 0x4008_ae89);
    // One entry: how many there are, the register, its value; each is followed by a gap.
    let mut list = [1, u64::from(number), set.unwrap_or(0)];
    let call = if set.is_some() { set_number } else { get_number };
    // SAFETY: the list has the entry that it says it has.
    let count = unsafe { libc::ioctl(virtual_processor(), call as libc::Ioctl, list.as_mut_ptr()) };
    assert_eq!(count, 1, "{number:#x}");
    list[2]
}

/// Has the hypervisor deliver something when the guest is entered next.
fn leave_behind(change: impl FnOnce(&mut kvm_vcpu_events)) {
    let file = virtual_processor();
    let mut events = kvm_vcpu_events::default();
    // SAFETY: the structure is the one that both calls take.
    unsafe {
        assert_eq!(libc::ioctl(file, KVM_GET_VCPU_EVENTS, &raw mut events), 0);
        events.flags &= !KVM_VCPUEVENT_VALID_SHADOW;
        change(&mut events);
        assert_eq!(libc::ioctl(file, KVM_SET_VCPU_EVENTS, &raw const events), 0);
    }
}

/// The result of the first or the second call after a restore, which something was left behind for.
fn result_of_call(sandbox: &mut LoadedJSSandbox, number: i32, change: impl FnOnce(&mut kvm_vcpu_events)) {
    for before in 1..number {
        assert_eq!(call(sandbox, "0").expect("a result"), before);
    }
    leave_behind(change);
    let result = guarded(sandbox, |sandbox| call(sandbox, "0"));
    assert_eq!(result.expect("a result"), number);
}

#[test]
fn an_event_that_was_left_behind_does_not_reach_the_next_call() {
    let _alone = alone();
    let mut sandbox = loaded(COUNTER);
    let snapshot = sandbox.snapshot().expect("a snapshot");
    // Vectors with their error codes: page faults of reading, writing and executing, and some others.
    let exceptions = [
        (14, Some(0)),
        (14, Some(0b101)),
        (14, Some(0b111)),
        (14, Some(0b1_0100)),
        (13, Some(0)),
        (6, None),
        (1, None),
        (0, None),
    ];
    for number in [1, 2] {
        for (vector, error) in exceptions {
            sandbox.restore(snapshot.clone()).expect("a restore");
            result_of_call(&mut sandbox, number, |events| {
                events.exception.injected = 1;
                events.exception.nr = vector;
                events.exception.has_error_code = error.is_some().into();
                events.exception.error_code = error.unwrap_or(0);
            });
        }
        // The gate: a software interrupt.
        sandbox.restore(snapshot.clone()).expect("a restore");
        result_of_call(&mut sandbox, number, |events| {
            events.interrupt.injected = 1;
            events.interrupt.nr = guest_abi::gate::VECTOR;
            events.interrupt.soft = 1;
        });
    }
}

#[test]
fn a_restore_sets_what_a_virtual_processor_has_beside_memory() {
    const KERNEL_GS_BASE: u32 = 0xc000_0102;

    let _alone = alone();
    let mut sandbox = loaded(COUNTER);
    let snapshot = sandbox.snapshot().expect("a snapshot");
    sandbox.restore(snapshot.clone()).expect("a restore");
    // Where in the state a number goes that is not there now.
    let changes: [(State, &[(usize, u64)]); 6] = [
        // Breakpoints at two addresses.
        (State::DEBUG_REGISTERS, &[(0, 0x4000_0000), (8, 0x4000_1000), (40, 0x40f)]),
        // The registers XMM0 and XMM15, rounding, and that they are valid.
        (State::EXTENDED, &[(160, !0), (400, !0), (24, 0xffff_0000_7f80), (512, 3)]),
        // The two oldest parts of the extended state are on.
        (State::CONTROL, &[(16, 0b11)]),
        (State::REGISTERS, &[(0, 0x1234), (120, 0x1234), (136, 0x4_0ed7)]),
        // CR2 and CR8.
        (State::SPECIAL, &[(232, 0x1234), (256, 5)]),
        (State::RUN, &[]),
    ];
    for (state, numbers) in changes {
        let before = state.get();
        let mut changed = before.clone();
        for (place, number) in numbers {
            changed[*place..place + 8].copy_from_slice(&number.to_le_bytes());
        }
        state.set(&changed);
        assert_eq!(state.get() != before, !numbers.is_empty(), "{} can be changed", state.name);
        sandbox.restore(snapshot.clone()).expect("a restore");
        assert!(state.get() == before, "{}", state.name);
        assert_eq!(guarded(&mut sandbox, |sandbox| call(sandbox, "0")).expect("a result"), 1, "{}", state.name);
        sandbox.restore(snapshot.clone()).expect("a restore");
    }
    let before = msr(KERNEL_GS_BASE, None);
    msr(KERNEL_GS_BASE, Some(before + 0x1000));
    sandbox.restore(snapshot.clone()).expect("a restore");
    assert_eq!(msr(KERNEL_GS_BASE, None), before);
    assert_eq!(guarded(&mut sandbox, |sandbox| call(sandbox, "0")).expect("a result"), 1);
}
