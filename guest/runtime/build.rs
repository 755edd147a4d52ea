//! How the runtime is linked: with the C library that rustup ships for the target, which the compiler does not add by itself, since
//! there is no start-up code of it, and with its functions in an order. And how its modules in JavaScript are embedded: without
//! comments.

use std::env::var;
use std::fs;
use std::path::{Path, PathBuf};
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
    embed_sources();
    println!("cargo:rerun-if-changed=build.rs");
}

/// Folders with modules in JavaScript.
const SOURCES: [&str; 2] = ["src/engine/builtins", "vendor"];

/// Writes the modules in JavaScript as they are embedded, to where `source!` finds them.
fn embed_sources() {
    let out = PathBuf::from(var("OUT_DIR").expect("set by cargo"));
    for folder in SOURCES {
        println!("cargo:rerun-if-changed={folder}");
        embed_folder(Path::new(folder), &out);
    }
}

fn embed_folder(folder: &Path, out: &Path) {
    fs::create_dir_all(out.join(folder)).expect("the folder of this package's output can be written");
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("a folder of sources").path();
        if path.is_dir() {
            embed_folder(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "js" || extension == "mjs") {
            let source = fs::read_to_string(&path).expect("a source");
            fs::write(out.join(&path), without_comments(&path, &source)).expect("its folder is there");
        }
    }
}

/// A source without what only its readers need: the comments that have lines of their own, and indentation. The lines of the rest
/// keep their numbers.
fn without_comments(path: &Path, source: &str) -> String {
    let mut kept = String::with_capacity(source.len());
    let mut is_comment = false;
    for (number, line) in (1..).zip(source.lines()) {
        let line = line.trim();
        if is_comment || line.starts_with("/*") {
            is_comment = !line.contains("*/");
            assert!(is_comment || line.ends_with("*/"), "{}:{number}: code after a comment", path.display());
        } else if !line.starts_with("//") {
            let is_text = line.matches('`').count() % 2 == 1;
            assert!(
                !is_text,
                "{}:{number}: a template of several lines, of which this might take some",
                path.display()
            );
            kept.push_str(line);
        }
        kept.push('\n');
    }
    kept
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
