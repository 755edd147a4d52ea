//! The guest's clocks, when the host's is set. This changes the clock of the whole process, so it has one to itself.
#![cfg(feature = "test-guest")]

mod sandboxes;

use std::time::Duration;

use sandboxes::{call, loaded};

#[test]
fn a_clock_that_is_set_back_moves_the_date_and_not_the_monotonic_clock() {
    let mut sandbox = loaded("function handler() { return [performance.now(), Date.now()]; }");
    let mut read = || -> (f64, f64) {
        let clocks = call(&mut sandbox, "null").expect("both clocks");
        serde_json::from_value(clocks).expect("two numbers")
    };
    let (monotonic, date) = read();
    hyperlight_js::set_clock_back(Duration::from_secs(3600));
    let (later, earlier_date) = read();
    assert!(later >= monotonic, "{later} after {monotonic}");
    assert!(later < monotonic + 1_800_000.0, "{later} after {monotonic}");
    assert!(earlier_date < date - 1_800_000.0, "{earlier_date} after {date}");
    hyperlight_js::set_clock_back(Duration::ZERO);
    let (latest, _) = read();
    assert!(latest >= later && latest < later + 1_800_000.0, "{latest} after {later}");
}

#[test]
fn the_monotonic_clock_goes_on_from_call_to_call_and_after_a_restore() {
    let mut sandbox = loaded("function handler() { return [performance.now(), performance.now()]; }");
    let mut last = 0.0;
    for _ in 0..200 {
        let readings = call(&mut sandbox, "null").expect("readings");
        for reading in serde_json::from_value::<Vec<f64>>(readings).expect("numbers") {
            assert!(reading >= last, "{reading} after {last}");
            last = reading;
        }
    }
    let snapshot = sandbox.snapshot().expect("a snapshot");
    sandbox.restore(snapshot).expect("its restore");
    let readings = call(&mut sandbox, "null").expect("readings");
    let first = serde_json::from_value::<Vec<f64>>(readings).expect("numbers")[0];
    assert!(first >= last, "{first} after {last}");
}
