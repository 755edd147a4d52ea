//! What operations cost where the hypervisor is KVM, in its own statistics: exits from the guest, instructions that it
//! emulates, page faults that it resolves. They depend on the hypervisor but not on how busy the machine is.

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn main() {
    println!("Only KVM has these statistics.");
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn main() {
    kvm::main();
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod kvm {
    use std::collections::BTreeMap;
    use std::ffi::CStr;
    use std::fs::{self, File};
    use std::io::{self, Read};
    use std::os::fd::{FromRawFd, RawFd};
    use std::os::unix::fs::FileExt;
    use std::thread;
    use std::time::Duration;

    use hyperlight_js::{LoadedJSSandbox, Program, SandboxBuilder, SandboxPool, Script, bench};
    use kvm_bindings::{kvm_stats_desc, kvm_stats_header};

    const ROUNDS: u32 = 100;
    const KVM_GET_STATS_FD: libc::Ioctl = 0xaece;
    /// Those that are shown; some hypervisors have only some.
    const SHOWN: [&str; 5] = ["exits", "insn_emulation", "pf_guest", "pf_fixed", "invlpg"];

    pub fn main() {
        let mut sandbox = loaded("function handler(event) { return event; }");
        if let Err(error) = statistics() {
            return println!("this kernel's KVM does not give its statistics: {error}");
        }
        println!("{:<34}{:>8}{}", "", "entries", SHOWN.map(|name| format!("{name:>16}")).concat());
        let snapshot = sandbox.snapshot().expect("a snapshot");
        show("round trip", || {
            bench::round_trip(&mut sandbox).expect("a round trip");
            1
        });
        show("call", || call(&mut sandbox, "{}"));
        show("restore and call", || {
            sandbox.restore(snapshot.clone()).expect("a restore");
            call(&mut sandbox, "{}")
        });
        drop(sandbox);
        let mut sandbox = loaded(
            "function handler(orders) {
                 const lines = [], total = orders.reduce((sum, { price }) => sum + price, 0);
                 for (const { name, price } of orders) lines.push(name.trim().padEnd(8) + (price / total).toFixed(2));
                 const stock = new Map(orders.map(({ name, price }) => [name.toUpperCase(), price]));
                 return [lines.sort().join(), Object.fromEntries(stock), Math.max(...stock.values()), JSON.stringify(orders)];
             }",
        );
        let snapshot = sandbox.snapshot().expect("a snapshot");
        show("restore and call that does more", || {
            sandbox.restore(snapshot.clone()).expect("a restore");
            call(&mut sandbox, r#"[{"name":" apples","price":1.5},{"name":"pears ","price":4.5}]"#)
        });
        drop(sandbox);
        let mut sandbox = loaded(
            "function handler(pages) { const all = new Uint8Array(4096 * pages); for (let i = 0; i < pages; i++) all[4096 * i] = 1; }",
        );
        let snapshot = sandbox.snapshot().expect("a snapshot");
        show("restore and fill 16 MiB", || {
            sandbox.restore(snapshot.clone()).expect("a restore");
            call(&mut sandbox, "4096")
        });
        show("fill 16 MiB again", || call(&mut sandbox, "4096"));
        drop(sandbox);
        let mut sandbox = loaded(
            "import { one } from 'host:counted';
             function handler(count) { for (let i = 0; i < count; i++) one(i); }",
        );
        show("call with 1 host function", || call(&mut sandbox, "1"));
        show("call with 11 host functions", || call(&mut sandbox, "11"));
        drop(sandbox);
        let mut sandbox = loaded(
            "import { later } from 'host:counted';
             async function handler(count) { await Promise.all(Array.from({ length: count }, (_, i) => later(i))); }",
        );
        show("call with 100 asynchronous ones", || call(&mut sandbox, "100"));
        drop(sandbox);

        let pool = SandboxPool::new(1, 1, || Ok(loaded("function handler(event) { return event; }"))).expect("a pool");
        show_rested("call in a rested pool", &pool, |sandbox| call(sandbox, "{}"));
        drop(pool);
        let runtime = || SandboxBuilder::new().build()?.load_runtime()?.get_loaded_sandbox();
        let pool = SandboxPool::new(1, 1, runtime).expect("a pool");
        show_rested("program in a rested pool", &pool, |sandbox| {
            sandbox.run(program(), None).expect("a result");
            entries(sandbox)
        });
    }

    fn loaded(source: &str) -> LoadedJSSandbox {
        let mut proto = SandboxBuilder::new().build().expect("a hypervisor");
        let counted = proto.host_module("counted");
        counted.register("one", |number: i32| number).expect("a host function");
        counted.register_async("later", |number: i32| async move { number }).expect("a host function");
        let mut sandbox = proto.load_runtime().expect("a sandbox");
        sandbox.add_handler("handler", Script::from_content(source)).expect("a name");
        sandbox.get_loaded_sandbox().expect("the handler loads")
    }

    /// One with two calls of the host.
    fn program() -> Program {
        let mut program = Program::new(
            "let total = 0;
             for (const { price, quantity } of input) total += price * quantity;
             const discount = await shop.discount(total);
             const shipping = await shop.shipping(total * (1 - discount));
             return { total: total * (1 - discount) + shipping, text: `${input.length} items` };",
        );
        let shop = program.host_module("shop");
        shop.register_async("discount", |_: f64| async { 0.1 }).expect("a host function");
        shop.register_async("shipping", |_: f64| async { 5.0 }).expect("a host function");
        program.with_input(r#"[{"price":1.5,"quantity":4},{"price":20,"quantity":1}]"#)
    }

    fn call(sandbox: &mut LoadedJSSandbox, event: &str) -> u64 {
        sandbox.handle_event("handler", event.to_string(), None).expect("a result");
        entries(sandbox)
    }

    fn entries(sandbox: &LoadedJSSandbox) -> u64 {
        sandbox.last_call_stats().map_or(0, |stats| stats.entries)
    }

    /// Shows what an operation causes, which gives the number of entries into the guest.
    fn show(name: &str, mut operation: impl FnMut() -> u64) {
        show_part(name, |count| count(&mut operation));
    }

    /// The same in a sandbox that a pool has made ready.
    fn show_rested(name: &str, pool: &SandboxPool, mut operation: impl FnMut(&mut LoadedJSSandbox) -> u64) {
        show_part(name, |count| {
            while pool.ready() < pool.size() {
                thread::sleep(Duration::from_millis(1));
            }
            pool.with_sandbox(|sandbox| count(&mut || operation(sandbox))).expect("a sandbox");
        });
    }

    /// The same for what is done within `count` in each round.
    fn show_part(name: &str, mut round: impl FnMut(&mut dyn FnMut(&mut dyn FnMut() -> u64))) {
        (0..10).for_each(|_| {
            round(&mut |part| {
                part();
            });
        });
        let (mut entries, mut sums) = (0, BTreeMap::<&str, u64>::new());
        for _ in 0..ROUNDS {
            round(&mut |part| {
                let before = statistics().expect("KVM's statistics");
                entries += part();
                let after = statistics().expect("KVM's statistics");
                for name in SHOWN {
                    if let (Some(before), Some(after)) = (before.get(name), after.get(name)) {
                        *sums.entry(name).or_default() += after - before;
                    }
                }
            });
        }
        let mean = |sum: u64| sum as f64 / f64::from(ROUNDS);
        let columns = SHOWN.map(|name| match sums.get(name) {
            Some(sum) => format!("{:>16.1}", mean(*sum)),
            None => format!("{:>16}", "-"),
        });
        println!("{name:<34}{:>8.1}{}", mean(entries), columns.concat());
    }

    /// The sums of the statistics of all virtual processors of this process.
    fn statistics() -> io::Result<BTreeMap<String, u64>> {
        let mut sums = BTreeMap::new();
        for file in virtual_processors()? {
            // SAFETY: it takes no argument.
            let statistics = unsafe { libc::ioctl(file, KVM_GET_STATS_FD) };
            if statistics < 0 {
                return Err(io::Error::last_os_error());
            }
            // SAFETY: the file was just opened for this.
            let statistics = unsafe { File::from_raw_fd(statistics) };
            for (name, value) in read(&statistics)? {
                *sums.entry(name).or_default() += value;
            }
        }
        Ok(sums)
    }

    fn virtual_processors() -> io::Result<Vec<RawFd>> {
        let mut found = Vec::new();
        for file in fs::read_dir("/proc/self/fd")? {
            let file = file?;
            if fs::read_link(file.path()).is_ok_and(|link| link.to_string_lossy().contains("kvm-vcpu:")) {
                found.extend(file.file_name().to_string_lossy().parse::<RawFd>());
            }
        }
        Ok(found)
    }

    /// The statistics with one value each.
    fn read(mut file: &File) -> io::Result<Vec<(String, u64)>> {
        let mut header = [0; size_of::<kvm_stats_header>()];
        file.read_exact(&mut header)?;
        let number = |place: usize| u32::from_ne_bytes(header[place..place + 4].try_into().expect("four bytes"));
        let [name_size, count, _, descriptors, data] = [4, 8, 12, 16, 20].map(|place| u64::from(number(place)));
        let size = size_of::<kvm_stats_desc>() as u64 + name_size;
        let mut found = Vec::new();
        for i in 0..count {
            let mut descriptor = vec![0; size as usize];
            file.read_exact_at(&mut descriptor, descriptors + i * size)?;
            let values = u16::from_ne_bytes([descriptor[6], descriptor[7]]);
            let offset = u32::from_ne_bytes(descriptor[8..12].try_into().expect("four bytes"));
            let name = CStr::from_bytes_until_nul(&descriptor[size_of::<kvm_stats_desc>()..]);
            let (1, Ok(name)) = (values, name) else { continue };
            let mut value = [0; 8];
            file.read_exact_at(&mut value, data + u64::from(offset))?;
            found.push((name.to_string_lossy().into_owned(), u64::from_ne_bytes(value)));
        }
        Ok(found)
    }
}
