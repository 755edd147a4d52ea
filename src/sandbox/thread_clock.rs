//! The processor time that a thread uses.

use std::time::Duration;

/// Counts the processor time of a thread. It can be read from others.
#[derive(Clone, Debug)]
pub struct ThreadCpuClock(imp::Clock);

impl ThreadCpuClock {
    /// The clock of the calling thread, if there is one on this system.
    pub fn of_this_thread() -> Option<Self> {
        imp::Clock::of_this_thread().map(Self)
    }

    /// Time used so far; `None` if it cannot be read any more.
    pub fn now(&self) -> Option<Duration> {
        self.0.now()
    }
}

#[cfg(target_os = "linux")]
mod imp {
    use super::Duration;

    #[derive(Clone, Debug)]
    pub struct Clock(libc::clockid_t);

    impl Clock {
        pub fn of_this_thread() -> Option<Self> {
            let mut id = 0;
            // SAFETY: the thread is the calling one, and `id` is written to.
            let result = unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &raw mut id) };
            (result == 0).then_some(Self(id))
        }

        pub fn now(&self) -> Option<Duration> {
            let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
            // SAFETY: `time` is written to.
            let result = unsafe { libc::clock_gettime(self.0, &raw mut time) };
            let nanoseconds = u32::try_from(time.tv_nsec).ok()?;
            (result == 0).then_some(Duration::new(u64::try_from(time.tv_sec).ok()?, nanoseconds))
        }
    }
}

/// Windows counts in ticks of its scheduler, commonly 15.6 ms.
#[cfg(windows)]
mod imp {
    use std::os::windows::io::{AsRawHandle, BorrowedHandle, OwnedHandle};
    use std::sync::Arc;

    use windows_sys::Win32::Foundation::FILETIME;
    use windows_sys::Win32::System::Threading::{GetCurrentThread, GetThreadTimes};

    use super::Duration;

    #[derive(Clone, Debug)]
    pub struct Clock(Arc<OwnedHandle>);

    impl Clock {
        pub fn of_this_thread() -> Option<Self> {
            // SAFETY: a handle that is always valid and means whatever thread uses it; its copy means this one.
            let this_thread = unsafe { BorrowedHandle::borrow_raw(GetCurrentThread().cast()) };
            this_thread.try_clone_to_owned().ok().map(|handle| Self(Arc::new(handle)))
        }

        pub fn now(&self) -> Option<Duration> {
            const ZERO: FILETIME = FILETIME { dwLowDateTime: 0, dwHighDateTime: 0 };
            let (mut created, mut ended, mut kernel, mut user) = (ZERO, ZERO, ZERO, ZERO);
            // SAFETY: the handle is open, and the times are written to.
            let is_read = unsafe {
                let handle = self.0.as_raw_handle().cast();
                GetThreadTimes(handle, &raw mut created, &raw mut ended, &raw mut kernel, &raw mut user)
            };
            // In units of 100 ns.
            let ticks = |time: FILETIME| u64::from(time.dwHighDateTime) << 32 | u64::from(time.dwLowDateTime);
            (is_read != 0).then(|| Duration::from_micros((ticks(kernel) + ticks(user)) / 10))
        }
    }
}

#[cfg(target_os = "macos")]
mod imp {
    use super::Duration;

    /// The kernel's name of a thread, which another thread may be given after that one has ended.
    #[derive(Clone, Debug)]
    pub struct Clock(libc::mach_port_t);

    impl Clock {
        pub fn of_this_thread() -> Option<Self> {
            // SAFETY: the thread is the calling one.
            let port = unsafe { libc::pthread_mach_thread_np(libc::pthread_self()) };
            (port != 0).then_some(Self(port))
        }

        pub fn now(&self) -> Option<Duration> {
            let mut info = std::mem::MaybeUninit::<libc::thread_basic_info>::zeroed();
            let mut count = libc::THREAD_BASIC_INFO_COUNT;
            let flavor = libc::THREAD_BASIC_INFO as libc::thread_flavor_t;
            // SAFETY: `info` has room for so much, and `count` is written to.
            let result = unsafe { libc::thread_info(self.0, flavor, info.as_mut_ptr().cast(), &raw mut count) };
            // SAFETY: zeros are a value, too.
            let info = unsafe { info.assume_init() };
            let time = |time: libc::time_value_t| {
                let seconds = Duration::from_secs(u64::try_from(time.seconds).ok()?);
                Some(seconds + Duration::from_micros(u64::try_from(time.microseconds).ok()?))
            };
            if result == libc::KERN_SUCCESS { Some(time(info.user_time)? + time(info.system_time)?) } else { None }
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
mod imp {
    use super::Duration;

    #[derive(Clone, Debug)]
    pub enum Clock {}

    impl Clock {
        pub fn of_this_thread() -> Option<Self> {
            None
        }

        pub fn now(&self) -> Option<Duration> {
            match *self {}
        }
    }
}

#[cfg(all(test, any(target_os = "linux", target_os = "macos", windows)))]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn work_counts_and_sleep_does_not_also_when_read_from_another_thread() {
        let clock = ThreadCpuClock::of_this_thread().expect("a clock");
        let start = clock.now().expect("a time");
        std::thread::sleep(Duration::from_millis(60));
        let slept = clock.now().expect("a time");
        assert!(slept - start < Duration::from_millis(50), "{:?}", slept - start);
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(100) {
            std::hint::spin_loop();
        }
        let there = clock.clone();
        let worked = std::thread::spawn(move || there.now()).join().expect("no panic").expect("a time");
        assert!(worked > slept, "{:?}", worked - slept);
    }
}
