//! How the runtime is linked: with the C library that rustup ships for the target, which the compiler does not add by itself, since
//! there is no start-up code of it, and with its functions in an order.

use std::env::var;
use std::process::Command;

/// Names a file for the linker's map of a runtime for `scripts/function-order`: each of its functions has pages of its own.
const FUNCTION_MAP: &str = "GUEST_FUNCTION_MAP";

fn main() {
    let (rustc, target) = (var("RUSTC").expect("set by cargo"), var("TARGET").expect("set by cargo"));
    let output = Command::new(rustc).args(["--print", "sysroot"]).output().expect("rustc tells its sysroot");
    let sysroot = String::from_utf8(output.stdout).expect("the path is UTF-8");
    println!("cargo:rustc-link-search=native={}/lib/rustlib/{target}/lib/self-contained", sysroot.trim_end());
    println!("cargo:rustc-link-arg-bins=-lc");
    // src/engine/scripts_of_unicode.rs says why.
    println!("cargo:rustc-link-arg-bins=-Wl,--wrap=unicode_script");
    order_functions();
    println!("cargo:rerun-if-changed=build.rs");
}

/// Has the functions that guests execute most put beside each other.
fn order_functions() {
    let folder = var("CARGO_MANIFEST_DIR").expect("set by cargo");
    let mut script = format!("{folder}/functions.ld");
    println!("cargo:rerun-if-changed={script}");
    println!("cargo:rerun-if-env-changed={FUNCTION_MAP}");
    if let Ok(map) = var(FUNCTION_MAP) {
        script = format!("{}/one_function_a_page.ld", var("OUT_DIR").expect("set by cargo"));
        let text = "SECTIONS { .text.first : SUBALIGN(4096) { *(.text .text.*) } } INSERT BEFORE .text;";
        std::fs::write(&script, text).expect("the folder is there");
        println!("cargo:rustc-link-arg-bins=-Wl,-Map,{map}");
    }
    // The compiler hands it on as it is; within `-Wl` a comma would part it.
    println!("cargo:rustc-link-arg-bins=-T{script}");
}
