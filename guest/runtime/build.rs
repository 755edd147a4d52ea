//! Finds the C library that rustup ships for the target. The runtime is linked without its start-up code, so the compiler
//! does not add it by itself.

use std::env::var;
use std::process::Command;

fn main() {
    let (rustc, target) = (var("RUSTC").expect("set by cargo"), var("TARGET").expect("set by cargo"));
    let output = Command::new(rustc).args(["--print", "sysroot"]).output().expect("rustc tells its sysroot");
    let sysroot = String::from_utf8(output.stdout).expect("the path is UTF-8");
    println!("cargo:rustc-link-search=native={}/lib/rustlib/{target}/lib/self-contained", sysroot.trim_end());
    println!("cargo:rustc-link-arg-bins=-lc");
    println!("cargo:rerun-if-changed=build.rs");
}
