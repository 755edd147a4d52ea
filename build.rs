//! Builds the guest images with plain cargo and tells the library where they are.
//!
//! The guest's crates belong to this workspace but are built for targets of their own, into `guest/` beside the library's
//! build output, so that all builds of a checkout share them. A change in `guest/` or in the dependencies rebuilds them;
//! cargo decides what is out of date.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

struct Image {
    package: &'static str,
    target: &'static str,
    features: &'static [&'static str],
    /// Variable that names the image's path to the library.
    variable: &'static str,
}

const KERNEL: Image =
    Image { package: "guest-kernel", target: "x86_64-unknown-none", features: &[], variable: "GUEST_KERNEL" };
const RUNTIME: Image =
    Image { package: "guest-runtime", target: "x86_64-unknown-linux-musl", features: &[], variable: "GUEST_RUNTIME" };
const TEST_RUNTIME: Image = Image { features: &["commit-faults"], variable: "GUEST_TEST_RUNTIME", ..RUNTIME };

fn main() {
    #[cfg(feature = "node")]
    napi_build::setup();

    // What scripts/pack/build.mjs asks for, so that the addon runs on older systems too.
    println!("cargo:rerun-if-env-changed=ADDON_LINK_ARGS");
    for argument in env::var("ADDON_LINK_ARGS").unwrap_or_default().lines() {
        println!("cargo:rustc-cdylib-link-arg={argument}");
    }

    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=guest");
    println!("cargo:rerun-if-changed=Cargo.lock");
    println!("cargo:rerun-if-changed=Cargo.toml");

    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let out = PathBuf::from(variable("OUT_DIR"));
    let release = variable("PROFILE") == "release";
    let profile = if release { "guest" } else { "guest-debug" };
    let mut id = Sha256::new();
    for image in [&KERNEL, &RUNTIME] {
        id.update(build(image, &root, &out, profile));
    }
    println!("cargo:rustc-env=GUEST_ID={}", hexadecimal(&id.finalize()));
    if env::var_os("CARGO_FEATURE_TEST_GUEST").is_some() {
        build(&TEST_RUNTIME, &root, &out, profile);
    }
}

/// Builds an image and gives its bytes.
fn build(image: &Image, root: &Path, out: &Path, profile: &str) -> Vec<u8> {
    let target_dir = target_dir(out);
    let guest = root.join("guest");
    let mut cargo = Command::new(variable("CARGO"));
    cargo.current_dir(&guest);
    // What holds for the build of the library does not hold for that of the guest: flags, wrappers, targets, profiles.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        let foreign =
            ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "RUSTDOCFLAGS"];
        let foreign_prefixes = ["CARGO_BUILD_", "CARGO_CFG_", "CARGO_FEATURE_", "CARGO_PROFILE_", "CARGO_TARGET_"];
        if foreign.contains(&&*name) || foreign_prefixes.iter().any(|prefix| name.starts_with(prefix)) {
            cargo.env_remove(&*name);
        }
    }
    if cfg!(target_env = "musl") {
        // Here the system's compiler is the one for musl.
        cargo.env("CC_x86_64_unknown_linux_musl", "cc");
    }
    cargo.args(["build", "--package", image.package, "--target", image.target, "--profile", profile]);
    cargo.arg("--locked").arg("--target-dir").arg(&target_dir);
    if !image.features.is_empty() {
        cargo.arg("--features").arg(image.features.join(","));
    }
    let status = cargo.status().unwrap_or_else(|error| panic!("cannot run cargo: {error}"));
    assert!(
        status.success(),
        "the guest image {} could not be built; it needs the Rust targets x86_64-unknown-none and \
         x86_64-unknown-linux-musl (rustup target add) and, for its C code, musl-gcc (Debian: musl-tools)",
        image.package
    );

    // The two runtimes differ in a feature only and would take each other's place, so each is copied.
    let built = target_dir.join(image.target).join(profile).join(image.package);
    let copy = out.join(image.variable.to_lowercase());
    let bytes = std::fs::read(&built).unwrap_or_else(|error| panic!("cannot read {}: {error}", built.display()));
    if let Err(error) = std::fs::write(&copy, &bytes) {
        panic!("cannot write {}: {error}", copy.display());
    }
    println!("cargo:rustc-env={}={}", image.variable, copy.display());
    if profile == "guest" {
        println!("cargo:warning={}: {} bytes", image.package, bytes.len());
    }
    bytes
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `guest` in cargo's target folder: OUT_DIR is `<target folder>/[<target>/]<profile>/build/<package>/out`.
fn target_dir(out: &Path) -> PathBuf {
    let folder = out.ancestors().nth(4).unwrap_or(out);
    match folder.parent() {
        Some(parent) if folder.ends_with(variable("TARGET")) => parent.join("guest"),
        _ => folder.join("guest"),
    }
}

fn variable(name: &str) -> String {
    env::var_os(name).map(OsString::into_string).map_or_else(
        || panic!("cargo sets {name}"),
        |value| value.unwrap_or_else(|value| panic!("{name} is not Unicode: {}", value.display())),
    )
}
