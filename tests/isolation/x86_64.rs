//! What the boundary says on x86-64, and ways across it that only x86-64 has.

use guest_abi::function::Fault;

use crate::{aborts, test_guest};

pub const PAGE_FAULT: &str = "page fault (vector 14";
pub const PRIVILEGED_INSTRUCTION: &[&str] = &["general protection fault (vector 13", "at instruction 0x4", "CPL 3"];
pub const NON_CANONICAL: &[&str] = &["general protection fault (vector 13", "at instruction 0x4"];
pub const PORT_OUTPUT: &[&str] = NON_CANONICAL;
pub const SYSTEM_REGISTER: &[&str] = NON_CANONICAL;
pub const UNDEFINED_INSTRUCTION: &[&str] = &["invalid instruction (vector 6", "at instruction 0x4"];
pub const PREFAULT_CODE: &[&str] = &[PAGE_FAULT, "cannot read 0x7f80", "by instruction 0x4fff3"];
pub const FILL_CODE: &[&str] = &[PAGE_FAULT, "cannot read 0x7f8000800000", "by instruction 0x4fff5"];
/// The instruction is not enabled; a hypervisor that does it nevertheless finds no address to go to.
pub const SYSTEM_CALL: &[&[&str]] = &[
    &["invalid instruction (vector 6", "at instruction 0x4", "CPL 3"],
    // On kvm_pvm at CPL 3, on SVM at CPL 0.
    &[PAGE_FAULT, "cannot execute 0x0", "by instruction 0x0"],
    &["page fault in the kernel: execute 0x0 by instruction 0x0"],
];

pub fn the_engine_has_no_privileges() {
    assert_eq!(test_guest().commit_fault(Fault::CurrentPrivilegeLevel).expect("a level"), 3);
}

#[test]
fn a_division_by_zero_aborts() {
    aborts(Fault::DivideByZero, &["divide error (vector 0", "at instruction 0x4"]);
}

#[test]
fn the_direction_flag_of_interrupted_code_does_not_mislead_the_kernel() {
    let mut sandbox = test_guest();
    // A page that is filled with zeroes, then, after a snapshot, one that is copied.
    for count in 1..4 {
        assert_eq!(sandbox.commit_fault(Fault::FaultWithDirectionFlag).expect("a number"), count);
        let snapshot = sandbox.snapshot().expect("a snapshot");
        sandbox.restore(snapshot).expect("a restore");
    }
}
