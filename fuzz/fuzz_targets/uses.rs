#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (hyperlight_js_fuzz::USES.run)(bytes));
