//! Execution monitors and the statistics of calls.

mod sandboxes;

use std::future::{Future, ready};
use std::time::{Duration, Instant};

use hyperlight_js::{
    CpuTimeMonitor, Error, ExecutionMonitor, LoadedJSSandbox, SandboxBuilder, Script, WallClockMonitor, monitor,
};
use sandboxes::{call, loaded, stretched};

const SPIN: &str = "let n = 0; function handler(event) { if (event) for (;;); return ++n; }";

fn wall(milliseconds: u64) -> WallClockMonitor {
    WallClockMonitor::new(Duration::from_millis(milliseconds)).expect("a limit")
}

fn cpu(milliseconds: u64) -> CpuTimeMonitor {
    CpuTimeMonitor::new(Duration::from_millis(milliseconds)).expect("a limit")
}

fn terminated_by(sandbox: &LoadedJSSandbox) -> Option<&'static str> {
    sandbox.last_call_stats().expect("there was a call").terminated_by
}

/// Runs the handler that never ends under limits, and shows that it is stopped and that the sandbox works after a restore.
fn stops(limits: &impl hyperlight_js::MonitorSet, name: &str) {
    let mut sandbox = loaded(SPIN);
    let snapshot = sandbox.snapshot().expect("a snapshot");
    let result = sandbox.handle_event_with_monitor("handler", "true".into(), limits, None);
    assert!(matches!(result, Err(Error::Cancelled)), "{result:?}");
    assert_eq!(terminated_by(&sandbox), Some(name));
    assert!(sandbox.poisoned());
    assert!(matches!(call(&mut sandbox, "false"), Err(Error::Poisoned)));
    sandbox.restore(snapshot).expect("a restore");
    assert_eq!(call(&mut sandbox, "false").expect("a result"), 1);
    assert_eq!(terminated_by(&sandbox), None);
}

#[test]
fn a_wall_clock_limit_stops_a_handler() {
    stops(&wall(30), "wall-clock");
}

#[test]
fn a_cpu_time_limit_stops_a_handler() {
    stops(&cpu(30), "cpu-time");
}

#[test]
fn of_several_limits_the_first_to_be_reached_stops_the_handler() {
    stops(&(wall(60_000), cpu(30)), "cpu-time");
    stops(&(cpu(60_000), wall(30)), "wall-clock");
    stops(&(wall(60_000), cpu(60_000), wall(70_000), cpu(70_000), wall(20)), "wall-clock");
}

#[test]
fn the_shortest_limit_cannot_be_missed() {
    struct AtOnce;
    impl ExecutionMonitor for AtOnce {
        fn get_monitor(&self) -> monitor::Result<impl Future<Output = ()> + Send + 'static> {
            Ok(ready(()))
        }
        fn name(&self) -> &'static str {
            "at once"
        }
    }
    for _ in 0..20 {
        stops(&AtOnce, "at once");
    }
}

#[test]
fn a_handler_within_its_limits_is_not_stopped() {
    let mut sandbox = loaded(SPIN);
    for n in 1..20 {
        let limits = (wall(60_000), cpu(60_000));
        let result = sandbox.handle_event_with_monitor("handler", "false".into(), &limits, Some(false));
        assert_eq!(result.expect("a result"), n.to_string());
        assert_eq!(terminated_by(&sandbox), None);
    }
    assert!(!sandbox.poisoned());
}

#[test]
fn a_limit_of_an_earlier_call_does_not_reach_a_later_one() {
    let mut sandbox =
        loaded("function handler(ms) { const end = Date.now() + ms; while (Date.now() < end); return ms; }");
    for _ in 0..2 {
        let limit = stretched(Duration::from_millis(500));
        let wall = WallClockMonitor::new(limit).expect("a limit");
        let result = sandbox.handle_event_with_monitor("handler", "0".into(), &wall, None);
        assert_eq!(result.expect("a result"), "0");
        // It still runs when the limit of the call before it would have been reached.
        let longer = limit.as_millis() + 50;
        assert_eq!(call(&mut sandbox, &longer.to_string()).expect("no limit").to_string(), longer.to_string());
    }
}

#[test]
fn waiting_for_a_host_function_does_not_use_up_cpu_time() {
    let mut proto = SandboxBuilder::new().build().expect("build");
    let time = stretched(Duration::from_millis(1500));
    let wait = move |_: &_, _| {
        std::thread::sleep(time);
        Ok(None)
    };
    proto.register_raw("host", "wait", wait).expect("register");
    let mut sandbox = proto.load_runtime().expect("load_runtime");
    let source = "import { wait } from 'host:host'; function handler() { wait(); return 'waited'; }";
    sandbox.add_handler("handler", Script::from_content(source)).expect("add_handler");
    let mut sandbox = sandbox.get_loaded_sandbox().expect("get_loaded_sandbox");
    // It would be stopped if the wait counted.
    let limit = CpuTimeMonitor::new(time - Duration::from_millis(100)).expect("a limit");
    let result = sandbox.handle_event_with_monitor("handler", "0".into(), &limit, None);
    assert_eq!(result.expect("a result"), "\"waited\"");
    let stats = sandbox.last_call_stats().expect("there was a call").clone();
    // The thread that waits has no processor meanwhile; the clocks may differ a little.
    let not_waited = stats.wall_clock.checked_sub(time).expect("it has waited");
    assert!(stats.cpu_time.expect("measured on Linux") <= not_waited + Duration::from_millis(1), "{stats:?}");
}

#[test]
fn a_handler_is_not_run_if_a_monitor_cannot_start() {
    struct Broken;
    impl ExecutionMonitor for Broken {
        fn get_monitor(&self) -> monitor::Result<impl Future<Output = ()> + Send + 'static> {
            Err::<std::future::Ready<()>, _>(hyperlight_js::new_error!("out of order"))
        }
        fn name(&self) -> &'static str {
            "broken"
        }
    }
    let mut sandbox = loaded(SPIN);
    for result in [
        sandbox.handle_event_with_monitor("handler", "false".into(), &Broken, None),
        sandbox.handle_event_with_monitor("handler", "false".into(), &(wall(60_000), Broken), None),
    ] {
        let error = result.expect_err("not run");
        assert!(matches!(error, Error::Monitor(_)), "{error:?}");
        assert!(error.to_string().contains("failed to start") && error.to_string().contains("out of order"), "{error}");
    }
    assert!(!sandbox.poisoned());
    assert_eq!(call(&mut sandbox, "false").expect("a result"), 1, "the handler was not run before");
}

#[test]
fn monitors_of_ones_own_can_wait() {
    struct Patience;
    impl ExecutionMonitor for Patience {
        fn get_monitor(&self) -> monitor::Result<impl Future<Output = ()> + Send + 'static> {
            Ok(async { monitor::sleep(Duration::from_millis(20)).await })
        }
        fn name(&self) -> &'static str {
            "patience"
        }
    }
    stops(&Patience, "patience");
}

#[test]
fn a_limit_of_zero_is_refused() {
    assert!(matches!(WallClockMonitor::new(Duration::ZERO), Err(Error::InvalidArgument(_))));
    assert!(matches!(CpuTimeMonitor::new(Duration::ZERO), Err(Error::InvalidArgument(_))));
}

#[test]
fn statistics_are_those_of_the_last_call_whether_it_failed_or_not() {
    let mut sandbox =
        loaded("function handler(ms) { const end = Date.now() + ms; while (Date.now() < end); if (ms > 20) throw 1; }");
    assert_eq!(sandbox.last_call_stats(), None);
    let start = Instant::now();
    assert!(call(&mut sandbox, "50").is_err());
    let elapsed = start.elapsed();
    let long = sandbox.last_call_stats().expect("there was a call").clone();
    assert!(long.wall_clock >= Duration::from_millis(49) && long.wall_clock <= elapsed, "{long:?}");
    assert!(long.cpu_time.expect("measured on Linux") <= long.wall_clock + Duration::from_millis(1), "{long:?}");
    let start = Instant::now();
    call(&mut sandbox, "0").expect("a result");
    let elapsed = start.elapsed();
    let short = sandbox.last_call_stats().expect("there was a call").clone();
    assert!(short != long && short.wall_clock <= elapsed, "{short:?} after {long:?}");
}

#[test]
fn a_limit_stops_the_evaluation_of_a_handler() {
    let load = |source: &str, limits: &(WallClockMonitor, CpuTimeMonitor)| {
        let mut sandbox = SandboxBuilder::new().build().expect("build").load_runtime().expect("load_runtime");
        sandbox.add_handler("handler", Script::from_content(source)).expect("add_handler");
        sandbox.get_loaded_sandbox_with_monitor(limits)
    };
    for limits in [(wall(60_000), cpu(30)), (wall(30), cpu(60_000))] {
        let result = load("function handler() {} for (;;);", &limits).map(drop);
        assert!(matches!(result, Err(Error::Cancelled)), "{result:?}");
    }
    let mut sandbox =
        load("function handler() { return 1; }", &(wall(60_000), cpu(60_000))).expect("within the limits");
    assert_eq!(call(&mut sandbox, "0").expect("a result"), 1);
}

#[test]
fn a_limit_may_be_left_out() {
    stops(&Some(wall(30)), "wall-clock");
    stops(&(None::<WallClockMonitor>, Some(cpu(30))), "cpu-time");
    stops(&(Some(wall(30)), None::<CpuTimeMonitor>), "wall-clock");
    let mut sandbox = loaded(SPIN);
    let none = (None::<WallClockMonitor>, None::<CpuTimeMonitor>);
    let result = sandbox.handle_event_with_monitor("handler", "false".to_string(), &none, None);
    assert_eq!(result.expect("nothing stops it"), "1");
}
