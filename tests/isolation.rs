//! The boundary between the JavaScript engine at CPL 3, the kernel at CPL 0, and the host: whatever the engine does, it
//! ends as an error of that call.

#![cfg(feature = "test-guest")]

#[cfg_attr(target_arch = "aarch64", path = "isolation/aarch64.rs")]
#[cfg_attr(target_arch = "x86_64", path = "isolation/x86_64.rs")]
mod architecture;
mod sandboxes;

use std::time::Duration;

use architecture::PAGE_FAULT;
use guest_abi::function::Fault;
use guest_abi::memory::{KERNEL_START, KERNEL_TABLES, PAGE_SIZE, SCRATCH_END};
use hyperlight_js::{Error, LoadedJSSandbox, SandboxBuilder, bench};
use sandboxes::{call, guarded, load};

fn test_guest() -> LoadedJSSandbox {
    load(SandboxBuilder::new().with_test_guest(), "let n = 0; function handler() { return ++n; }")
        .expect("the test guest")
}

/// Commits a fault that must end in an abort whose message holds all of `words`, and shows that the sandbox is poisoned by
/// it and works again after a restore.
fn aborts(fault: Fault, words: &[&str]) {
    aborts_in_one_of(fault, &[words]);
}

/// The same of a fault on which hypervisors differ: the message holds all words of one of these.
fn aborts_in_one_of(fault: Fault, ways: &[&[&str]]) {
    let mut sandbox = test_guest();
    assert_eq!(call(&mut sandbox, "0").expect("a result"), 1);
    let snapshot = sandbox.snapshot().expect("a snapshot");
    let error = guarded(&mut sandbox, |sandbox| sandbox.commit_fault(fault)).expect_err("the guest must not survive");
    match &error {
        Error::GuestAbort(message) => {
            let is_one = ways.iter().any(|words| words.iter().all(|word| message.contains(word)));
            assert!(is_one, "{fault:?}: {message:?} is none of {ways:?}");
        }
        other => panic!("{fault:?}: {other:?}"),
    }
    assert!(sandbox.poisoned(), "{fault:?}");
    assert!(matches!(call(&mut sandbox, "0"), Err(Error::Poisoned)), "{fault:?}");
    assert!(matches!(sandbox.snapshot().map(drop), Err(Error::Poisoned)), "{fault:?}");
    sandbox.restore(snapshot).expect("a restore");
    assert!(!sandbox.poisoned(), "{fault:?}");
    assert_eq!(call(&mut sandbox, "0").expect("a result after a restore"), 2, "{fault:?}");
}

#[test]
fn the_engine_runs_at_cpl_3() {
    architecture::the_engine_has_no_privileges();
}

#[test]
fn a_privileged_instruction_aborts() {
    aborts(Fault::PrivilegedInstruction, architecture::PRIVILEGED_INSTRUCTION);
}

#[test]
fn a_write_to_code_aborts() {
    aborts(Fault::WriteToCode, &[PAGE_FAULT, "cannot write 0x4", "by instruction 0x4"]);
}

#[test]
fn a_write_to_constants_aborts() {
    aborts(Fault::WriteToConstants, &[PAGE_FAULT, "cannot write 0x4", "by instruction 0x4"]);
}

#[test]
fn a_jump_to_data_aborts() {
    aborts(Fault::JumpToData, &[PAGE_FAULT, "cannot execute 0x100040000", "by instruction 0x100040000"]);
}

#[test]
fn a_touch_of_the_guard_page_aborts() {
    aborts(Fault::TouchGuardPage, &["stack overflow", "write 0x6feffff8", "by instruction 0x4"]);
}

#[test]
fn the_code_that_prepares_pages_reaches_no_tables_when_the_engine_runs_it() {
    aborts(Fault::RunPrefault, architecture::PREFAULT_CODE);
}

#[test]
fn nobody_but_the_kernel_can_end_the_preparing_of_pages() {
    aborts(Fault::ClaimToBePrefault, &["the gate has no operation 6"]);
}

#[test]
fn a_write_to_the_plan_of_what_to_prepare_aborts() {
    aborts(Fault::WritePlan, &[PAGE_FAULT, "cannot write 0x4fff4000"]);
}

#[test]
fn the_code_that_maps_fresh_pages_reaches_no_tables_when_the_engine_runs_it() {
    aborts(Fault::RunFill, architecture::FILL_CODE);
}

#[test]
fn nobody_but_the_kernel_can_end_the_mapping_of_fresh_pages() {
    aborts(Fault::ClaimToBeFilled, &["the gate has no operation 8"]);
}

#[test]
fn the_mapping_and_the_copying_of_runs_of_pages_change_no_register() {
    let mut sandbox = test_guest();
    let touch = |sandbox: &mut LoadedJSSandbox| {
        assert_eq!(sandbox.commit_fault(Fault::TouchWithAllRegisters).expect("it lives on"), 1);
        bench::guest_counters(sandbox).expect("counters")
    };
    let before = bench::guest_counters(&mut sandbox).expect("counters");
    let mapped = touch(&mut sandbox);
    assert!(mapped.mapped >= before.mapped + 8, "{before:?} {mapped:?}");
    let snapshot = sandbox.snapshot().expect("a snapshot");
    sandbox.restore(snapshot).expect("a restore");
    let copied = touch(&mut sandbox);
    assert!(copied.copied + copied.copied_in_runs > 200, "{copied:?}");
}

#[test]
fn a_counter_is_the_kernel_s_or_none() {
    assert_eq!(test_guest().commit_fault(Fault::CounterWithUpperHalf).expect("it lives on"), 1);
    aborts(Fault::CounterOutOfRange, &["the gate has no operation 4"]);
}

#[test]
fn a_plan_to_prepare_foreign_pages_changes_nothing() {
    let mut sandbox = test_guest();
    assert_eq!(call(&mut sandbox, "0").expect("a result"), 1);
    assert_eq!(sandbox.commit_fault(Fault::PlanForeignPages).expect("it lives on"), 1);
    let snapshot = sandbox.snapshot().expect("a snapshot");
    for _ in 0..3 {
        sandbox.restore(snapshot.clone()).expect("a restore");
        assert_eq!(call(&mut sandbox, "0").expect("a result"), 2);
        assert_eq!(call(&mut sandbox, "0").expect("a result"), 3);
    }
}

#[test]
fn an_endless_native_recursion_aborts() {
    aborts(Fault::ExhaustStack, &["stack overflow", "by instruction 0x4"]);
}

#[test]
fn a_read_of_kernel_memory_aborts() {
    let place = format!("cannot read {KERNEL_START:#x}");
    aborts(Fault::ReadKernelMemory, &[PAGE_FAULT, &place, "by instruction 0x4"]);
}

#[test]
fn a_write_to_kernel_memory_aborts() {
    let place = format!("cannot write {KERNEL_TABLES:#x}");
    aborts(Fault::WriteKernelMemory, &[PAGE_FAULT, &place, "by instruction 0x4"]);
}

#[test]
fn a_read_of_scratch_memory_outside_the_transport_aborts() {
    let place = format!("cannot read {:#x}", SCRATCH_END - PAGE_SIZE);
    aborts(Fault::ReadPageTables, &[PAGE_FAULT, &place, "by instruction 0x4"]);
}

#[test]
fn a_read_of_the_null_page_aborts() {
    aborts(Fault::ReadNull, &[PAGE_FAULT, "cannot read 0x0", "by instruction 0x4"]);
}

#[test]
fn a_read_of_a_non_canonical_address_aborts() {
    aborts(Fault::ReadNonCanonical, architecture::NON_CANONICAL);
}

#[test]
fn port_output_aborts() {
    aborts(Fault::PortOutput, architecture::PORT_OUTPUT);
}

#[test]
fn an_undefined_instruction_aborts() {
    aborts(Fault::UndefinedInstruction, architecture::UNDEFINED_INSTRUCTION);
}

#[test]
fn a_system_call_aborts() {
    aborts_in_one_of(Fault::SystemCall, architecture::SYSTEM_CALL);
}

#[test]
fn a_write_to_a_model_specific_register_aborts() {
    aborts(Fault::WriteModelSpecificRegister, architecture::SYSTEM_REGISTER);
}

#[test]
fn a_gate_operation_that_does_not_exist_aborts() {
    aborts(Fault::BadGateOperation, &["the gate has no operation 77"]);
    aborts(Fault::GateWithoutStack, &["the gate has no operation 77"]);
    aborts(Fault::GateForNothing, &["the gate has no operation 0"]);
}

#[test]
fn a_panic_aborts_with_its_message() {
    aborts(Fault::Panic, &["faults.rs", "told to panic"]);
}

#[test]
fn a_call_that_ends_without_an_answer_aborts() {
    aborts(Fault::HaltWithoutReply, &["no guest function result"]);
    aborts(Fault::ClaimToBeReady, &["no guest function result"]);
}

#[test]
fn a_guest_that_offers_no_buffers_aborts_and_hangs_nobody() {
    let mut sandbox = test_guest();
    let snapshot = sandbox.snapshot().expect("a snapshot");
    sandbox.commit_fault(Fault::WithholdBuffers).expect("it answers once more");
    let error = guarded(&mut sandbox, |sandbox| (0..100).find_map(|_| call(sandbox, "0").err()));
    let error = error.expect("the buffers run out");
    assert!(matches!(&error, Error::GuestAbort(message) if message.contains("buffers")), "{error:?}");
    assert!(sandbox.poisoned());
    sandbox.restore(snapshot).expect("a restore");
    assert_eq!(call(&mut sandbox, "0").expect("a result"), 1);
}

#[test]
fn an_answer_of_the_wrong_kind_aborts() {
    aborts(Fault::GarbageReply, &["not a number"]);
}

#[test]
fn using_up_all_memory_aborts() {
    // Past the end of the heap nothing may be mapped, so the write there is what ends it.
    aborts(Fault::ExhaustHeap, &[PAGE_FAULT, "cannot write 0x104800040"]);
}

#[test]
fn an_endless_loop_can_be_stopped() {
    let mut sandbox = test_guest();
    let snapshot = sandbox.snapshot().expect("a snapshot");
    // As it is entered, and after it has gone round for a while.
    for milliseconds in [0, 1, 5, 50] {
        let handle = sandbox.interrupt_handle();
        let killer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(milliseconds));
            while !handle.kill() {
                std::thread::yield_now();
            }
        });
        let result = guarded(&mut sandbox, |sandbox| sandbox.commit_fault(Fault::Loop));
        assert!(matches!(result, Err(Error::Cancelled)), "{result:?}");
        killer.join().expect("no panic");
        assert!(sandbox.poisoned());
        sandbox.restore(snapshot.clone()).expect("a restore");
        assert_eq!(call(&mut sandbox, "0").expect("a result"), 1);
        sandbox.restore(snapshot.clone()).expect("a restore");
    }
}

#[test]
fn javascript_that_uses_up_the_heap_gets_an_exception() {
    let source = "let keep = [];
        function handler(event) {
            if (event.fill === undefined) {
                for (let i = 0; i < event; i++) keep.push(new Array(1000).fill(i));
                return keep.length;
            }
            try {
                keep.push('x'.repeat(event.fill));
                for (let i = 0; ; i++) keep.push({ i, list: [i] });
            } catch (error) {
                return String(error);
            }
        }";
    let mut sandbox = load(SandboxBuilder::new(), source).expect("the handler loads");
    let snapshot = sandbox.snapshot().expect("a snapshot");
    match guarded(&mut sandbox, |sandbox| call(sandbox, "100000")).expect_err("too much") {
        Error::Guest { message, .. } => assert!(message.contains("memory"), "{message}"),
        other => panic!("{other:?}"),
    }
    assert!(!sandbox.poisoned());
    // There is room for the error however little is left.
    for left in 0..20 {
        sandbox.restore(snapshot.clone()).expect("a restore");
        let event = format!("{{ \"fill\": {} }}", 100 * left);
        assert_eq!(call(&mut sandbox, &event).expect("a result"), "InternalError: out of memory", "{event}");
    }
    sandbox.restore(snapshot).expect("a restore");
    assert_eq!(call(&mut sandbox, "3").expect("a result"), 3);
}

#[test]
fn any_number_of_faults_in_a_row_leaves_nothing_behind() {
    let mut sandbox = test_guest();
    let snapshot = sandbox.snapshot().expect("a snapshot");
    for fault in [Fault::WriteToCode, Fault::ReadNull, Fault::Panic, Fault::HaltWithoutReply, Fault::TouchGuardPage] {
        for _ in 0..3 {
            assert!(sandbox.commit_fault(fault).is_err());
            sandbox.restore(snapshot.clone()).expect("a restore");
            assert_eq!(call(&mut sandbox, "0").expect("a result"), 1, "after {fault:?}");
        }
    }
}
