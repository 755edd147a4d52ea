//! Faults that take instructions of arm64.

use core::arch::asm;

use guest_abi::counters::Counter;
use guest_abi::function::Fault;
use guest_abi::gate::{COUNTER, port};
use guest_abi::memory::{FILL_CODE, HEAP_START, IO_PAGE, KERNEL_START, PAGE_SIZE};

/// Commits a fault if it is one of these. Most do not come back.
pub fn commit(fault: i32) -> Option<i32> {
    let is = |wanted: Fault| fault == wanted as i32;
    // SAFETY: none of this is sound. That the kernel and the host survive it is what is tested.
    unsafe {
        if is(Fault::CurrentPrivilegeLevel) {
            asm!("mrs {}, CurrentEL", out(reg) _);
        } else if is(Fault::PrivilegedInstruction) {
            asm!("tlbi vmalle1");
        } else if is(Fault::PortOutput) {
            asm!("str wzr, [{}]", in(reg) IO_PAGE + 8 * u64::from(port::HALT));
        } else if is(Fault::UndefinedInstruction) {
            asm!("udf 0");
        } else if is(Fault::DivideByZero) {
            let quotient: u64;
            asm!("udiv {}, {}, xzr", out(reg) quotient, in(reg) 1u64);
            return Some(quotient as i32);
        } else if is(Fault::SystemCall) {
            asm!("svc 0", inout("x0") 0u64 => _);
        } else if is(Fault::WriteModelSpecificRegister) {
            asm!("msr ttbr0_el1, xzr");
        } else if is(Fault::Loop) {
            loop {
                asm!("yield");
            }
        } else if is(Fault::GateWithoutStack) {
            asm!("mov sp, x1", "svc 4", in("x0") 77, in("x1") 0);
        } else if is(Fault::RaiseSystemCall) {
            asm!("svc 0x80", inout("x0") 0u64 => _);
        } else if is(Fault::CounterWithUpperHalf) {
            let prepared = Counter::Prepared as u64;
            let get = |number: u64| {
                let count: u64;
                asm!("svc 4", inout("x0") u64::from(COUNTER) => count, in("x1") number);
                count
            };
            return Some(i32::from(get(prepared) == get(prepared | 1 << 32 | 1 << 44)));
        } else if is(Fault::HypervisorCall) {
            asm!("hvc 0");
        } else if is(Fault::SecureMonitorCall) {
            asm!("smc 0");
        } else if is(Fault::Breakpoint) {
            asm!("brk 7");
        } else if is(Fault::MisalignedAtomic) {
            asm!("ldaxr {}, [{}]", out(reg) _, in(reg) HEAP_START + PAGE_SIZE * 2048 + 15);
        } else if is(Fault::MisalignedJump) {
            asm!("br {}", in(reg) commit as *const () as u64 + 2);
        } else if is(Fault::CleanForeignCache) {
            asm!("dc civac, {}", in(reg) KERNEL_START);
        } else if is(Fault::DebugRegister) {
            asm!("msr mdscr_el1, {}", in(reg) 1u64 << 15);
        } else if is(Fault::WaitForInterrupt) {
            asm!("wfi");
        } else if is(Fault::PhysicalCounter) {
            asm!("mrs {}, cntpct_el0", out(reg) _);
        } else if is(Fault::UnmaskInterrupts) {
            asm!("msr daifclr, 15");
        } else if is(Fault::JumpToKernel) {
            asm!("br {}", in(reg) KERNEL_START + 0x4000);
        } else if is(Fault::RunFill) {
            // On x86-64 there is code of the kernel's that maps pages.
            asm!("blr {}", in(reg) FILL_CODE, clobber_abi("C"));
        } else if is(Fault::TouchWithAllRegisters) {
            // Pages far enough from each other to be mapped apart, and then those that follow one of them.
            let far = (2..9).map(|i| PAGE_SIZE * 512 * i);
            let near = (0..200).map(|i| PAGE_SIZE * (512 * 9 + i));
            let kept = far.chain(near).all(|offset| touch_with_all_registers(HEAP_START + offset) == 0x1_ffff);
            return Some(i32::from(kept));
        } else {
            return None;
        }
    }
    Some(-1)
}

/// Writes to an address with a bit of its own in each register that the kernel uses, and the flags set; gives the sum of all.
unsafe fn touch_with_all_registers(address: u64) -> u64 {
    let sum: u64;
    // SAFETY: as in `commit`; the register that may not be named is put back.
    unsafe {
        asm!(
            "stp x29, x30, [sp, -32]!",
            "str x18, [sp, 16]",
            "mov x30, x0",
            "mov x0, 1",
            "mov x1, 0x2",
            "mov x2, 0x4",
            "mov x3, 0x8",
            "mov x4, 0x10",
            "mov x5, 0x20",
            "mov x6, 0x40",
            "mov x7, 0x80",
            "mov x8, 0x100",
            "mov x9, 0x200",
            "mov x10, 0x400",
            "mov x11, 0x800",
            "mov x12, 0x1000",
            "mov x13, 0x2000",
            "mov x14, 0x4000",
            "mov x15, 0x8000",
            "mov x16, x30",
            "mov x17, x30",
            "mov x18, x30",
            "cmp xzr, xzr",
            "strb w0, [x30]",
            "cset x29, eq",
            "add x0, x0, x29, lsl 16",
            "sub x16, x16, x30",
            "sub x17, x17, x30",
            "sub x18, x18, x30",
            ".irp number, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18",
            "add x0, x0, x\\number",
            ".endr",
            "ldr x18, [sp, 16]",
            "ldp x29, x30, [sp], 32",
            inout("x0") address => sum,
            out("x1") _, out("x2") _, out("x3") _, out("x4") _, out("x5") _, out("x6") _, out("x7") _, out("x8") _,
            out("x9") _, out("x10") _, out("x11") _, out("x12") _, out("x13") _, out("x14") _, out("x15") _,
            out("x16") _, out("x17") _,
        );
    }
    sum
}
