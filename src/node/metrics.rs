//! The metrics of a process: a recorder that keeps those of the library, and what JavaScript reads of it.
//!
//! What it takes is limited: a series for each set of labels, of which there are few, since no label is a guest's or a caller's
//! word; and at most [`SERIES_MAX`] of each kind, should one become that.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit, set_global_recorder,
};
use napi_derive::napi;
use serde_json::{Value, json};

/// Most series of counters, of gauges and of histograms. What comes beyond is not counted.
const SERIES_MAX: usize = 1000;

/// Upper bounds of the buckets of times.
const SECONDS: &[f64] =
    &[0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Upper bounds of the buckets of sizes.
const BYTES: &[f64] = &[
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
    268_435_456.0,
    1_073_741_824.0,
    4_294_967_296.0,
];

static KEPT: LazyLock<Kept> = LazyLock::new(Kept::default);

#[derive(Default)]
struct Kept {
    descriptions: Mutex<HashMap<String, Description>>,
    counters: Mutex<HashMap<Key, Arc<AtomicU64>>>,
    /// The bits of floating-point numbers.
    gauges: Mutex<HashMap<Key, Arc<AtomicU64>>>,
    histograms: Mutex<HashMap<Key, Arc<Buckets>>>,
}

struct Description {
    unit: Option<Unit>,
    text: SharedString,
}

/// Has the metrics of this process kept, from now on. Called when the addon is loaded, before there can be a sandbox.
pub fn begin() {
    // A process that loads the addon again has the recorder already.
    let _ = set_global_recorder(ToKept);
}

struct ToKept;

impl Recorder for ToKept {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        KEPT.describe(&key, unit, description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        KEPT.describe(&key, unit, description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        KEPT.describe(&key, unit, description);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        series(&KEPT.counters, key, Arc::default).map_or_else(Counter::noop, Counter::from_arc)
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        series(&KEPT.gauges, key, Arc::default).map_or_else(Gauge::noop, Gauge::from_arc)
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        let bounds = if key.name().ends_with("_bytes") { BYTES } else { SECONDS };
        series(&KEPT.histograms, key, || Arc::new(Buckets::new(bounds)))
            .map_or_else(Histogram::noop, Histogram::from_arc)
    }
}

/// The series of a key, made if it is the first and there is room.
fn series<T>(all: &Mutex<HashMap<Key, Arc<T>>>, key: &Key, make: impl FnOnce() -> Arc<T>) -> Option<Arc<T>> {
    let mut all = lock(all);
    if let Some(series) = all.get(key) {
        return Some(series.clone());
    }
    if all.len() >= SERIES_MAX {
        return None;
    }
    let series = make();
    all.insert(key.clone(), series.clone());
    Some(series)
}

/// How many samples there were, by size.
struct Buckets {
    bounds: &'static [f64],
    /// Samples up to each bound and above the one before it, and at the end those above all.
    counts: Vec<AtomicU64>,
    /// The bits of a floating-point number.
    sum: AtomicU64,
}

impl Buckets {
    fn new(bounds: &'static [f64]) -> Self {
        Self {
            bounds,
            counts: bounds.iter().chain(&[0.0]).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
        }
    }

    fn read(&self) -> Value {
        let mut count = 0;
        let mut buckets = Vec::with_capacity(self.bounds.len());
        for (i, samples) in self.counts.iter().enumerate() {
            count += samples.load(Ordering::Relaxed);
            if let Some(bound) = self.bounds.get(i) {
                buckets.push(json!({ "le": bound, "count": count }));
            }
        }
        json!({ "count": count, "sum": f64::from_bits(self.sum.load(Ordering::Relaxed)), "buckets": buckets })
    }
}

impl HistogramFn for Buckets {
    fn record(&self, value: f64) {
        if !value.is_finite() {
            return;
        }
        let place = self.bounds.partition_point(|bound| *bound < value);
        if let Some(samples) = self.counts.get(place) {
            samples.fetch_add(1, Ordering::Relaxed);
        }
        let add = |sum| Some((f64::from_bits(sum) + value).to_bits());
        // It always gives a sum.
        let _ = self.sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }
}

impl Kept {
    fn describe(&self, key: &KeyName, unit: Option<Unit>, text: SharedString) {
        lock(&self.descriptions).insert(key.as_str().to_string(), Description { unit, text });
    }

    fn read(&self) -> Value {
        let mut metrics = serde_json::Map::new();
        for (key, counter) in &*lock(&self.counters) {
            self.add(&mut metrics, "counter", key, json!({ "value": counter.load(Ordering::Relaxed) }));
        }
        for (key, gauge) in &*lock(&self.gauges) {
            let value = f64::from_bits(gauge.load(Ordering::Relaxed));
            self.add(&mut metrics, "gauge", key, json!({ "value": value }));
        }
        for (key, histogram) in &*lock(&self.histograms) {
            self.add(&mut metrics, "histogram", key, histogram.read());
        }
        Value::Object(metrics)
    }

    /// Adds a series to its metric.
    fn add(&self, metrics: &mut serde_json::Map<String, Value>, kind: &str, key: &Key, mut series: Value) {
        let labels = key.labels().map(|label| (label.key().to_string(), Value::from(label.value())));
        series["labels"] = Value::Object(labels.collect());
        let metric = metrics.entry(key.name()).or_insert_with(|| {
            let descriptions = lock(&self.descriptions);
            let description = descriptions.get(key.name());
            let unit = description.and_then(|description| description.unit).map_or("", |unit| unit.as_str());
            json!({ "kind": kind, "unit": unit, "description": description.map_or("", |it| &it.text), "series": [] })
        });
        if let Some(all) = metric["series"].as_array_mut() {
            all.push(series);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No code runs under these locks that could leave what they guard half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All metrics, as JSON: `types.d.ts` has the type. The package's entry calls it.
#[napi(skip_typescript)]
#[cfg_attr(test, allow(dead_code, reason = "a test program is no addon"))]
pub fn read_metrics() -> String {
    KEPT.read().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_counted_in_the_first_bucket_that_has_room_for_them_and_in_all_above() {
        let buckets = Buckets::new(&[1.0, 2.0]);
        for sample in [0.0, 1.0, 1.5, 2.0, 3.0, f64::NAN, f64::INFINITY] {
            buckets.record(sample);
        }
        let expected =
            json!({ "count": 5, "sum": 7.5, "buckets": [{ "le": 1.0, "count": 2 }, { "le": 2.0, "count": 4 }] });
        assert_eq!(buckets.read(), expected);
    }

    #[test]
    fn there_are_no_more_series_than_the_limit() {
        let all = Mutex::default();
        let key = |i: usize| Key::from_parts("name", &[("label", i.to_string())]);
        for i in 0..SERIES_MAX {
            assert!(series::<AtomicU64>(&all, &key(i), Arc::default).is_some());
        }
        assert!(series(&all, &key(SERIES_MAX), Arc::default).is_none());
        assert!(series(&all, &key(0), Arc::default).is_some());
    }
}
