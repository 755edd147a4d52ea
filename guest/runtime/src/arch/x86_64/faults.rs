//! Faults that take instructions of x86-64.

use core::arch::asm;
use core::sync::atomic::AtomicU64;

use guest_abi::counters::Counter;
use guest_abi::function::Fault;
use guest_abi::gate::COUNTER;
use guest_abi::memory::{FILL_CODE, HEAP_START, PAGE_SIZE};

/// Commits a fault if it is one of these. Most do not come back.
pub fn commit(fault: i32) -> Option<i32> {
    let is = |wanted: Fault| fault == wanted as i32;
    // SAFETY: none of this is sound. That the kernel and the host survive it is what is tested.
    unsafe {
        if is(Fault::CurrentPrivilegeLevel) {
            let selector: u64;
            asm!("mov {}, cs", out(reg) selector);
            return Some((selector & 3) as i32);
        } else if is(Fault::PrivilegedInstruction) {
            asm!("hlt");
        } else if is(Fault::PortOutput) {
            asm!("out dx, eax", in("dx") guest_abi::gate::port::HALT, in("eax") 0);
        } else if is(Fault::UndefinedInstruction) {
            asm!("ud2");
        } else if is(Fault::DivideByZero) {
            asm!("div {0:r}", in(reg) 0u64, inout("rax") 1u64 => _, inout("rdx") 0u64 => _);
        } else if is(Fault::SystemCall) {
            asm!("syscall", out("rcx") _, out("r11") _);
        } else if is(Fault::WriteModelSpecificRegister) {
            asm!("wrmsr", in("ecx") 0xc000_0080u32, in("eax") 0, in("edx") 0);
        } else if is(Fault::Loop) {
            loop {
                asm!("pause");
            }
        } else if is(Fault::GateWithoutStack) {
            asm!("xor esp, esp", "int 4", in("rax") 77);
        } else if is(Fault::FaultWithDirectionFlag) {
            // A page that nothing has touched: the kernel fills it while the flag is set in the interrupted code.
            let address = HEAP_START + PAGE_SIZE * 2048;
            asm!("std", "add byte ptr [{}], 1", "cld", in(reg) address);
            return Some(i32::from((address as *const u8).read_volatile()));
        } else if is(Fault::RaisePageFault) {
            asm!("int 14");
        } else if is(Fault::RaiseSystemCall) {
            asm!("int 0x80", inout("rax") 0u64 => _);
        } else if is(Fault::CounterWithUpperHalf) {
            let prepared = Counter::Prepared as u64;
            let get = |number: u64| {
                let count: u64;
                asm!("int 4", inout("rax") u64::from(COUNTER) => count, inout("rcx") number => _, out("rdx") _);
                count
            };
            return Some(i32::from(get(prepared) == get(prepared | 1 << 32 | 1 << 44)));
        } else if is(Fault::RunFill) {
            // As the kernel would: for one page of the heap.
            asm!("call {}", in(reg) FILL_CODE, in("rdi") 0x7f80_0080_0000u64, in("ecx") 1, in("rdx") 0u64);
        } else if is(Fault::TouchWithAllRegisters) {
            // Pages far enough from each other to be mapped apart, and then those that follow one of them.
            let far = (2..9).map(|i| PAGE_SIZE * 512 * i);
            let near = (0..200).map(|i| PAGE_SIZE * (512 * 9 + i));
            let kept = far.chain(near).all(|offset| touch_with_all_registers(HEAP_START + offset) == 0x8000);
            return Some(i32::from(kept));
        } else {
            return None;
        }
    }
    Some(-1)
}

/// Writes to an address with a bit of its own in each register and the carry flag set; gives the sum of all.
unsafe fn touch_with_all_registers(address: u64) -> u64 {
    let sum: u64;
    // SAFETY: as in `commit`; the registers that may not be named are put back.
    unsafe {
        asm!(
            "push rbx",
            "push rbp",
            "mov [rip + {address}], rax",
            "mov eax, 0x1",
            "mov ebx, 0x2",
            "mov ecx, 0x4",
            "mov edx, 0x8",
            "mov esi, 0x10",
            "mov edi, 0x20",
            "mov ebp, 0x40",
            "mov r8d, 0x80",
            "mov r9d, 0x100",
            "mov r10d, 0x200",
            "mov r11d, 0x400",
            "mov r12d, 0x800",
            "mov r13d, 0x1000",
            "mov r14d, 0x2000",
            "mov r15, [rip + {address}]",
            "stc",
            "mov byte ptr [r15], 1",
            "adc rax, rbx",
            "add rax, rcx",
            "add rax, rdx",
            "add rax, rsi",
            "add rax, rdi",
            "add rax, rbp",
            "add rax, r8",
            "add rax, r9",
            "add rax, r10",
            "add rax, r11",
            "add rax, r12",
            "add rax, r13",
            "add rax, r14",
            "sub r15, [rip + {address}]",
            "add rax, r15",
            "add rax, 0x4000",
            "pop rbp",
            "pop rbx",
            address = sym TOUCHED,
            inout("rax") address => sum,
            out("rcx") _, out("rdx") _, out("rsi") _, out("rdi") _, out("r8") _, out("r9") _, out("r10") _,
            out("r11") _, out("r12") _, out("r13") _, out("r14") _, out("r15") _,
        );
    }
    sum
}

static TOUCHED: AtomicU64 = AtomicU64::new(0);
