//! Whether memory is short: what can be done without is given up then.

#[cfg(target_os = "linux")]
pub use linux::is_short;

/// Where nobody says how much memory is left, it is never short.
#[cfg(not(target_os = "linux"))]
pub fn is_short() -> bool {
    false
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::path::{Path, PathBuf};

    /// Memory is short when less than one part of so many is left of it.
    const PARTS: u64 = 16;

    /// Where the memory controllers of control groups are, of the second version and of the first.
    const UNIFIED: &str = "/sys/fs/cgroup";
    const LEGACY: &str = "/sys/fs/cgroup/memory";

    /// What may be used, and what cannot be had back from it at once.
    #[derive(Debug, PartialEq, Eq)]
    struct Use {
        most: u64,
        used: u64,
    }

    /// Whether less than a sixteenth is left of the machine's memory, or of what a control group that this process is in may have.
    /// What is kept of files only because there is room for it counts as left; in a control group, as far as it is not in active
    /// use.
    pub fn is_short() -> bool {
        let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| of_machine(&text));
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        machine.is_some_and(|machine| machine.is_short())
            || folders(&groups).iter().filter_map(|folder| of_group(folder)).any(|group| group.is_short())
    }

    impl Use {
        fn is_short(&self) -> bool {
            self.most.saturating_sub(self.used) < self.most / PARTS
        }
    }

    fn of_machine(text: &str) -> Option<Use> {
        let (most, left) = (named(text, "MemTotal:")?, named(text, "MemAvailable:")?);
        Some(Use { most, used: most.saturating_sub(left) })
    }

    /// The folders of the control groups that limit this process: its own and those around it. In a container the path may be one
    /// that only the host has; then the outermost folder is the container's.
    fn folders(groups: &str) -> Vec<PathBuf> {
        let of_line = |line: &str| {
            let mut parts = line.splitn(3, ':').skip(1);
            let (controllers, path) = (parts.next()?, parts.next()?);
            let root = match controllers {
                "" => UNIFIED,
                controllers if controllers.split(',').any(|name| name == "memory") => LEGACY,
                _ => return None,
            };
            Some(Path::new(root).join(path.trim_start_matches('/')).ancestors().map(PathBuf::from).collect::<Vec<_>>())
        };
        let found = groups.lines().filter_map(of_line).flatten();
        found.filter(|folder| folder.starts_with(UNIFIED)).collect()
    }

    fn of_group(folder: &Path) -> Option<Use> {
        let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
        let (most, used, files) = match read("memory.max") {
            Some(most) => (most, read("memory.current")?, "inactive_file"),
            None => (read("memory.limit_in_bytes")?, read("memory.usage_in_bytes")?, "total_inactive_file"),
        };
        of_limits(&most, &used, named(&read("memory.stat")?, files)?)
    }

    /// `None` without a limit.
    fn of_limits(most: &str, used: &str, files: u64) -> Option<Use> {
        let used = used.trim().parse::<u64>().ok()?;
        Some(Use { most: most.trim().parse().ok()?, used: used.saturating_sub(files) })
    }

    /// The number after a name, in a text with one to a line.
    fn named(text: &str, name: &str) -> Option<u64> {
        let line = text.lines().find(|line| line.split_ascii_whitespace().next() == Some(name))?;
        line.split_ascii_whitespace().nth(1)?.parse().ok()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_machine_is_short_of_memory_when_less_than_a_sixteenth_is_available() {
            let of = |available: u64| {
                let text =
                    format!("MemTotal:       1600000 kB\nMemFree:           10 kB\nMemAvailable:   {available} kB\n");
                of_machine(&text).expect("both numbers").is_short()
            };
            assert_eq!([of(1_600_000), of(100_000), of(99_999), of(0)], [false, false, true, true]);
            assert_eq!(of_machine("MemTotal: 5 kB"), None);
        }

        #[test]
        fn of_a_group_with_a_limit_what_is_kept_of_files_counts_as_left() {
            let of = |most: &str, used: &str, files| of_limits(most, used, files).map(|group| group.is_short());
            assert_eq!(of("max\n", "1000\n", 0), None);
            assert_eq!(of("1600\n", "1500\n", 0), Some(false));
            assert_eq!(of("1600\n", "1501\n", 0), Some(true));
            assert_eq!(of("1600\n", "1501\n", 1), Some(false));
            assert_eq!(
                of("9223372036854771712\n", "1501\n", 0),
                Some(false),
                "as the first version says that there is none"
            );
        }

        #[test]
        fn a_process_is_in_the_groups_around_its_own_too() {
            let of = |text| folders(text).iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>();
            assert_eq!(of("0::/a/b\n"), ["/sys/fs/cgroup/a/b", "/sys/fs/cgroup/a", "/sys/fs/cgroup"]);
            let legacy = of("5:cpu:/x\n4:memory:/a\n");
            assert_eq!(legacy, ["/sys/fs/cgroup/memory/a", "/sys/fs/cgroup/memory", "/sys/fs/cgroup"]);
            assert!(of("nonsense\n\n4:memory\n").is_empty());
        }

        #[test]
        fn this_machine_says_how_much_is_left() {
            let text = fs::read_to_string("/proc/meminfo").expect("Linux has it");
            assert!(of_machine(&text).is_some_and(|machine| machine.most > 0));
        }
    }
}
