//! A guest that does as it is told: the code of a saved snapshot is replaced by an interpreter, and each call brings it a
//! script.
//!
//! In place of the runtime it runs at CPL 3: this is what native code can do that has taken over the JavaScript engine. In
//! place of the kernel it runs at CPL 0: the most hostile guest that there is. The interpreter needs no stack and no memory of
//! its own. It looks for the script where the host's messages to the guest are: [`MARK`], then two letters from `a` to `p` for
//! each byte, since an event is text.
//!
//! An instruction is a byte, its lower four bits the operation, then three operands `a` (64 bits), `b` and `c` (32 bits), and
//! for some of them more. See [`Instruction`].

use std::io::{Error, Result};
use std::path::Path;
use std::sync::Arc;

use guest_abi::memory::{IMAGE_END, IMAGE_START, PAGE_SIZE};
use hyperlight_common::layout::{QueueDims, TransportArena, scratch_base_gva};
use hyperlight_js::{LoadedJSSandbox, Snapshot};

use crate::folder::Folder;

/// What a script begins with.
const MARK: &str = "FUZZ";

std::arch::global_asm!(
    ".pushsection .rodata",
    ".globl hostile_guest_start, hostile_guest_end",
    "hostile_guest_start:",
    "    cld",
    // Where the messages from the host are; see `hostile`.
    "    movabs rsi, 0x1122334455667788",
    "20: cmp dword ptr [rsi], 0x5a5a5546", // MARK
    "    je 21f",
    "    inc rsi",
    "    jmp 20b",
    "21: add rsi, 4",
    "    mov r12, rsi", // where the script begins
    "    mov rdi, rsi",
    "22: movzx eax, byte ptr [rsi]",
    "    sub eax, 0x61",
    "    cmp eax, 15",
    "    ja 23f",
    "    movzx ecx, byte ptr [rsi + 1]",
    "    sub ecx, 0x61",
    "    shl eax, 4",
    "    or eax, ecx",
    "    mov [rdi], al",
    "    inc rdi",
    "    add rsi, 2",
    "    jmp 22b",
    "23: mov r13, rdi", // where it ends
    "24: cmp r12, r13",
    "    jae 25f",
    "    movzx ebx, byte ptr [r12]",
    "    and ebx, 15",
    "    mov rdi, [r12 + 1]",
    "    mov ecx, [r12 + 9]",
    "    mov edx, [r12 + 13]",
    "    add r12, 17",
    "    mov eax, ecx",
    "    cmp ebx, 1",
    "    je 31f",
    "    cmp ebx, 2",
    "    je 32f",
    "    cmp ebx, 3",
    "    je 33f",
    "    cmp ebx, 4",
    "    je 34f",
    "    cmp ebx, 5",
    "    je 35f",
    "    cmp ebx, 6",
    "    je 36f",
    "    cmp ebx, 7",
    "    je 37f",
    "    cmp ebx, 8",
    "    je 38f",
    "    cmp ebx, 9",
    "    je 39f",
    "    cmp ebx, 10",
    "    je 40f",
    "    cmp ebx, 11",
    "    je 41f",
    "    cmp ebx, 12",
    "    je 42f",
    "    cmp ebx, 13",
    "    je 43f",
    "    cmp ebx, 14",
    "    je 44f",
    // The end, and what there is no instruction for: the call ends, or else it does not.
    "25: mov eax, 2",
    "    xor ecx, ecx",
    "    int 4",
    "26: jmp 26b",
    "31: mov rsi, r12",
    "    add r12, rcx",
    "    rep movsb",
    "    jmp 24b",
    "32: mov eax, edx",
    "    rep stosb",
    "    jmp 24b",
    "33: mov ecx, edx",
    "    int 4",
    "    jmp 24b",
    "34: out dx, eax",
    "    jmp 24b",
    "35: in eax, dx",
    "    jmp 24b",
    "36: mov rax, [rdi]",
    "    jmp 24b",
    "37: hlt",
    "    jmp 24b",
    "38: mov rax, rdi",
    "    mov rdx, rdi",
    "    shr rdx, 32",
    "    wrmsr",
    "    jmp 24b",
    "39: rep insb",
    "    jmp 24b",
    "40: mov rsi, rdi",
    "    rep outsb",
    "    jmp 24b",
    "41: mov cr3, rdi",
    "    jmp 24b",
    "42: jmp rdi",
    "43: ud2",
    "44: mov rsi, rdi",
    "    mov rdi, [r12]",
    "    add r12, 8",
    "    rep movsb",
    "    jmp 24b",
    "hostile_guest_end:",
    ".popsection",
);

unsafe extern "C" {
    static hostile_guest_start: u8;
    static hostile_guest_end: u8;
}

/// The interpreter, for a guest whose messages from the host are at `messages`.
fn interpreter(messages: u64) -> Vec<u8> {
    // SAFETY: the labels are the two ends of constant bytes.
    let code = unsafe {
        let (start, end) = (&raw const hostile_guest_start, &raw const hostile_guest_end);
        std::slice::from_raw_parts(start, end.offset_from_unsigned(start))
    };
    let mut code = code.to_vec();
    // It follows `cld` and the first two bytes of the instruction.
    code[3..11].copy_from_slice(&messages.to_le_bytes());
    code
}

/// What a guest is told to do.
#[derive(Clone, Debug)]
pub enum Instruction {
    /// Writes bytes at an address.
    Copy(u64, Vec<u8>),
    /// Writes so many times the same byte at an address.
    Fill(u64, u32, u8),
    /// Goes through the gate to the kernel, with an operation and its argument.
    Gate(u32, u32),
    /// Writes a number to a port.
    Output(u16, u32),
    /// Reads a port.
    Input(u16),
    /// Reads an address.
    Read(u64),
    /// Halts.
    Halt,
    /// Writes a model-specific register.
    WriteModelSpecificRegister(u32, u64),
    /// Reads a port so many times, into memory at an address.
    InputString(u16, u64, u32),
    /// Writes so many bytes from an address to a port.
    OutputString(u16, u64, u32),
    /// Takes other page tables.
    PageTables(u64),
    /// Goes on somewhere else.
    Jump(u64),
    /// Executes what is no instruction.
    Undefined,
    /// Copies so many bytes from one address to another.
    Move(u64, u64, u32),
}

/// What makes a guest do that, as an event.
pub fn event(script: &[Instruction]) -> String {
    let mut event = MARK.to_string();
    let mut put = |bytes: &[u8]| {
        for byte in bytes {
            event.push(char::from(b'a' + (byte >> 4)));
            event.push(char::from(b'a' + (byte & 15)));
        }
    };
    for instruction in script {
        let (operation, a, b, c) = match *instruction {
            Instruction::Copy(address, ref bytes) => (1, address, bytes.len() as u32, 0),
            Instruction::Fill(address, count, byte) => (2, address, count, byte.into()),
            Instruction::Gate(operation, argument) => (3, 0, operation, argument),
            Instruction::Output(port, number) => (4, 0, number, port.into()),
            Instruction::Input(port) => (5, 0, 0, port.into()),
            Instruction::Read(address) => (6, address, 0, 0),
            Instruction::Halt => (7, 0, 0, 0),
            Instruction::WriteModelSpecificRegister(number, value) => (8, value, number, 0),
            Instruction::InputString(port, address, count) => (9, address, count, port.into()),
            Instruction::OutputString(port, address, count) => (10, address, count, port.into()),
            Instruction::PageTables(address) => (11, address, 0, 0),
            Instruction::Jump(address) => (12, address, 0, 0),
            Instruction::Undefined => (13, 0, 0, 0),
            Instruction::Move(from, _, count) => (14, from, count, 0),
        };
        put(&[operation]);
        put(&u64::to_le_bytes(a));
        put(&u32::to_le_bytes(b));
        put(&u32::to_le_bytes(c));
        match instruction {
            Instruction::Copy(_, bytes) => put(bytes),
            Instruction::Move(_, to, _) => put(&to.to_le_bytes()),
            _ => {}
        }
    }
    event.push('\n');
    event
}

/// Where the interpreter takes the place of what was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The runtime's, at CPL 3.
    Runtime,
    /// The kernel's, at CPL 0.
    Kernel,
}

/// Where a guest finds what it shares with the host, by its own addresses.
#[derive(Clone, Copy, Debug)]
pub struct Transport {
    /// The queues' rings, and the pools of buffers.
    pub arena: TransportArena,
    /// Size of the ring that takes messages to the host, in descriptors.
    pub ring_size: u16,
}

/// A hostile guest's snapshot.
#[derive(Debug)]
pub struct Hostile {
    /// To be restored before a call with an [`event`].
    pub snapshot: Arc<Snapshot>,
    /// What it shares with the host.
    pub transport: Transport,
}

/// Makes a hostile guest of a sandbox that is none.
pub fn hostile(sandbox: &mut LoadedJSSandbox, level: Level) -> Result<Hostile> {
    let parent = tempfile::tempdir_in(memory_folder())?;
    let (saved, changed) = (parent.path().join("saved"), parent.path().join("changed"));
    sandbox.snapshot().and_then(|snapshot| snapshot.save(&saved, None)).map_err(Error::other)?;
    let mut folder = Folder::read(&saved)?;
    let transport = transport(&folder)?;
    let code = interpreter(transport.arena.h2g_pool_addr());
    match level {
        Level::Runtime => replace_runtime(&mut folder, &code)?,
        Level::Kernel => {
            let entry = folder.setting("/entrypoint_addr")?;
            write(&mut folder, entry, &code)?;
        }
    }
    folder.write(&changed)?;
    let snapshot = Snapshot::load(&changed, None).map_err(Error::other)?;
    Ok(Hostile { snapshot: Arc::new(snapshot), transport })
}

fn transport(folder: &Folder) -> Result<Transport> {
    let setting = |name: &str| folder.setting(&format!("/layout/{name}")).map(|number| number as usize);
    let queue = |size: &str, pages: &str| {
        QueueDims::new(setting(size)?, setting(pages)?).ok_or_else(|| Error::other("a queue of no size"))
    };
    let to_host = queue("g2h_queue_size", "g2h_pool_pages")?;
    let arena = TransportArena::new(
        scratch_base_gva(setting("scratch_size")?),
        to_host,
        queue("h2g_queue_size", "h2g_pool_pages")?,
    );
    let arena = arena.ok_or_else(|| Error::other("an arena that does not fit"))?;
    Ok(Transport { arena, ring_size: to_host.size().get() })
}

/// Replaces all of the runtime's code, wherever it is entered: by instructions that do nothing, and at the end of each page a
/// jump to the interpreter, which is on the last.
fn replace_runtime(folder: &mut Folder, code: &[u8]) -> Result<()> {
    const NO_OPERATION: u8 = 0x90;
    const JUMP: u8 = 0xe9;
    const JUMP_SIZE: usize = 5;

    let mut pages = folder.pages(IMAGE_START, IMAGE_END)?;
    pages.retain(|page| page.executable);
    let last = pages.last().ok_or_else(|| Error::other("the runtime has no code"))?.address;
    for page in &pages {
        let bytes = &mut folder.memory[page.offset..page.offset + PAGE_SIZE as usize];
        bytes.fill(NO_OPERATION);
        let (_, jump) = bytes.split_at_mut(bytes.len() - JUMP_SIZE);
        jump[0] = JUMP;
        let distance = last as i64 - (page.address + PAGE_SIZE) as i64;
        jump[1..].copy_from_slice(&(distance as i32).to_le_bytes());
    }
    write(folder, last, code)
}

fn write(folder: &mut Folder, address: u64, bytes: &[u8]) -> Result<()> {
    let pages = folder.pages(address & !(PAGE_SIZE - 1), address + bytes.len() as u64)?;
    for page in pages {
        for at in page.address.max(address)..(page.address + PAGE_SIZE).min(address + bytes.len() as u64) {
            folder.memory[page.offset + (at - page.address) as usize] = bytes[(at - address) as usize];
        }
    }
    Ok(())
}

/// A folder in memory, if there is one: snapshots are large.
pub fn memory_folder() -> std::path::PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() }
}
