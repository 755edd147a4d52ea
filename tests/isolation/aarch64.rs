//! What the boundary says on arm64, and ways across it that only arm64 has.

use guest_abi::function::Fault;
use guest_abi::memory::{IO_PAGE, KERNEL_START};

use crate::{aborts, test_guest};

pub const PAGE_FAULT: &str = "page fault (syndrome 0x";
/// At EL0 the registers and instructions of higher levels do not exist.
pub const PRIVILEGED_INSTRUCTION: &[&str] = &["invalid instruction (syndrome 0x", "at instruction 0x4", "EL0"];
pub const SYSTEM_REGISTER: &[&str] = PRIVILEGED_INSTRUCTION;
pub const UNDEFINED_INSTRUCTION: &[&str] = PRIVILEGED_INSTRUCTION;
pub const NON_CANONICAL: &[&str] = &[PAGE_FAULT, "cannot read 0x8000000000000000", "by instruction 0x4"];
/// A port is a place in a page that is the kernel's.
pub const PORT_OUTPUT: &[&str] = &[PAGE_FAULT, "cannot write 0xffffffffe360", "by instruction 0x4"];
pub const SYSTEM_CALL: &[&[&str]] = &[&["system call (syndrome 0x56000000)", "at instruction 0x4", "EL0"]];
/// There is no such code.
pub const PREFAULT_CODE: &[&str] = &[PAGE_FAULT, "cannot execute 0x4fff3000"];
pub const FILL_CODE: &[&str] = &[PAGE_FAULT, "cannot execute 0x4fff5000"];

const _: () = assert!(IO_PAGE + 8 * guest_abi::gate::port::HALT as u64 == 0xffff_ffff_e360);

pub fn the_engine_has_no_privileges() {
    // It cannot even ask.
    aborts(Fault::CurrentPrivilegeLevel, PRIVILEGED_INSTRUCTION);
}

#[test]
fn a_division_by_zero_is_zero() {
    assert_eq!(test_guest().commit_fault(Fault::DivideByZero).expect("a number"), 0);
}

#[test]
fn calls_of_hypervisor_and_secure_monitor_abort() {
    aborts(Fault::HypervisorCall, PRIVILEGED_INSTRUCTION);
    aborts(Fault::SecureMonitorCall, PRIVILEGED_INSTRUCTION);
}

#[test]
fn a_breakpoint_aborts() {
    aborts(Fault::Breakpoint, &["breakpoint (syndrome 0xf2000007)", "at instruction 0x4", "EL0"]);
}

#[test]
fn what_must_be_aligned_and_is_not_aborts() {
    aborts(Fault::MisalignedAtomic, &["bus error (syndrome 0x92000021)", "at instruction 0x4"]);
    aborts(Fault::MisalignedJump, &["misaligned instruction address (syndrome 0x", "at instruction 0x4"]);
}

#[test]
fn cache_maintenance_aborts() {
    aborts(Fault::CleanForeignCache, &["access to a system register (syndrome 0x", "at instruction 0x4"]);
}

#[test]
fn a_write_to_a_debug_register_aborts() {
    aborts(Fault::DebugRegister, PRIVILEGED_INSTRUCTION);
}

#[test]
fn waiting_for_an_interrupt_aborts() {
    aborts(Fault::WaitForInterrupt, &["wait for an event or interrupt (syndrome 0x", "at instruction 0x4"]);
}

#[test]
fn only_the_counter_of_the_guest_s_own_time_can_be_read() {
    aborts(Fault::PhysicalCounter, &["access to a system register (syndrome 0x", "at instruction 0x4"]);
}

#[test]
fn allowing_interrupts_aborts() {
    aborts(Fault::UnmaskInterrupts, &["access to a system register (syndrome 0x", "at instruction 0x4"]);
}

#[test]
fn a_jump_to_the_kernel_aborts() {
    let place = format!("cannot execute {:#x}", KERNEL_START + 0x4000);
    aborts(Fault::JumpToKernel, &[PAGE_FAULT, &place]);
}
