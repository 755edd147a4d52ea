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

    use hyperlight_js::{LoadedJSSandbox, SandboxBuilder, Script, bench};
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
        println!("{:<28}{}", "", SHOWN.map(|name| format!("{name:>16}")).concat());
        let snapshot = sandbox.snapshot().expect("a snapshot");
        show("round trip", || bench::round_trip(&mut sandbox).expect("a round trip"));
        show("call", || call(&mut sandbox, "{}"));
        show("restore and call", || {
            sandbox.restore(snapshot.clone()).expect("a restore");
            call(&mut sandbox, "{}");
        });
        drop(sandbox);
        let mut sandbox = loaded(
            "import { one } from 'host:counted';
             function handler(count) { for (let i = 0; i < count; i++) one(i); }",
        );
        show("call with 1 host function", || call(&mut sandbox, "1"));
        show("call with 11 host functions", || call(&mut sandbox, "11"));
    }

    fn loaded(source: &str) -> LoadedJSSandbox {
        let mut proto = SandboxBuilder::new().build().expect("a hypervisor");
        proto.host_module("counted").register("one", |number: i32| number).expect("a host function");
        let mut sandbox = proto.load_runtime().expect("a sandbox");
        sandbox.add_handler("handler", Script::from_content(source)).expect("a name");
        sandbox.get_loaded_sandbox().expect("the handler loads")
    }

    fn call(sandbox: &mut LoadedJSSandbox, event: &str) {
        sandbox.handle_event("handler", event.to_string(), None).expect("a result");
    }

    fn show(name: &str, mut operation: impl FnMut()) {
        (0..10).for_each(|_| operation());
        let before = statistics().expect("KVM's statistics");
        (0..ROUNDS).for_each(|_| operation());
        let after = statistics().expect("KVM's statistics");
        let columns = SHOWN.map(|name| match (before.get(name), after.get(name)) {
            (Some(before), Some(after)) => format!("{:>16.1}", (after - before) as f64 / f64::from(ROUNDS)),
            _ => format!("{:>16}", "-"),
        });
        println!("{name:<28}{}", columns.concat());
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
