//! A flaw of older versions of Node.js by which a guest can block the event loop in spite of all limits.
//!
//! V8 hashed strings of digits, such as `"4294967295"`, to what can be foreseen, so that a result can be made of strings that
//! all collide; parsing it takes time that grows with the square of their number (CVE-2026-21717).

use std::sync::atomic::{AtomicBool, Ordering};

use napi::Env;
use napi::bindgen_prelude::{JsObjectValue, Object};

use super::warning::emit_warning;
use crate::node::error::Result;

/// Warns the process once if its Node.js has the flaw.
pub fn warn_once(env: &Env) -> Result<()> {
    static IS_CHECKED: AtomicBool = AtomicBool::new(false);

    if IS_CHECKED.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    let process: Object = env.get_global()?.get_named_property("process")?;
    let versions: Object = process.get_named_property("versions")?;
    let (Some(node), Some(v8)) = (versions.get::<String>("node")?, versions.get::<String>("v8")?) else {
        return Ok(());
    };
    // Others that call themselves Node.js have a V8 of their own.
    if !v8.contains("-node.") || !is_in(&node) {
        return Ok(());
    }
    emit_warning(
        env,
        format!(
            "Node.js {node} hashes strings so that they can be made to collide (CVE-2026-21717): a result from a sandbox can \
             block the event loop. Use Node.js 20.20.2, 22.22.2, 24.14.1, 25.8.2 or later."
        ),
    )
}

/// Whether a version of Node.js has the flaw. Lines that had come to their end before it was known were not mended.
fn is_in(version: &str) -> bool {
    let mut numbers = version.split(['.', '-']).map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch))) = (numbers.next(), numbers.next(), numbers.next()) else {
        return false;
    };
    match major {
        20 => (minor, patch) < (20, 2),
        22 => (minor, patch) < (22, 2),
        24 => (minor, patch) < (14, 1),
        25 => (minor, patch) < (8, 2),
        major => major < 26,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_was_mended_in_the_lines_that_were_maintained() {
        for version in ["18.20.8", "19.9.0", "20.20.1", "21.7.3", "22.22.1", "23.11.1", "24.14.0", "25.8.1", "16.0.0"] {
            assert!(is_in(version), "{version}");
        }
        for version in ["20.20.2", "20.21.0", "22.22.2", "24.14.1", "24.15.0", "25.8.2", "25.9.0", "26.0.0", "28.1.2"] {
            assert!(!is_in(version), "{version}");
        }
        for version in ["", "x", "20", "20.1", "20.x.1"] {
            assert!(!is_in(version), "{version}");
        }
    }
}
