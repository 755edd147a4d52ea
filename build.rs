//! Builds the guest images with plain cargo and tells the library where they are.
//!
//! The guest's crates belong to this workspace but are built for targets of their own, into `guest/` beside the library's
//! build output, so that all builds of a checkout share them. A change in `guest/` or in the dependencies rebuilds them;
//! cargo decides what is out of date.
//!
//! The same compilers make the same bytes of them in any folder (`npm run guest-images`). Where they cannot be built, or to
//! have the very same for each platform, `HYPERLIGHT_JS_GUEST_IMAGES` names a folder with images that were built elsewhere.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

struct Image {
    package: &'static str,
    target: &'static str,
    targets: &'static Targets,
    features: &'static [&'static str],
    /// Variable that names the image's path to the library.
    variable: &'static str,
}

/// The guest runs on the host's processor.
struct Targets {
    kernel: &'static str,
    runtime: &'static str,
    /// The runtime's C compiler, beside which its C library must be installed, and its Debian packages.
    compiler: &'static str,
    packages: &'static str,
}

const X86_64: Targets = Targets {
    kernel: "x86_64-unknown-none",
    runtime: "x86_64-unknown-linux-musl",
    compiler: "musl-gcc",
    packages: "musl-tools",
};
const ARM64: Targets = Targets {
    kernel: "aarch64-unknown-none-softfloat",
    runtime: "aarch64-unknown-linux-musl",
    compiler: "aarch64-linux-musl-gcc",
    packages: "musl-dev:arm64, gcc-aarch64-linux-gnu",
};

/// Profiles of the images in `Cargo.toml`.
const RELEASE: &str = "guest";
const DEBUG: &str = "guest-debug";

/// Folder with images to embed instead of building them, each under the name of its package.
const IMAGES: &str = "HYPERLIGHT_JS_GUEST_IMAGES";

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
    println!("cargo:rerun-if-env-changed={IMAGES}");
    println!("cargo:rerun-if-env-changed=GUEST_FUNCTION_MAP");

    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let out = PathBuf::from(variable("OUT_DIR"));
    let release = variable("PROFILE") == "release";
    let profile = if release { RELEASE } else { DEBUG };
    let targets = if variable("CARGO_CFG_TARGET_ARCH") == "aarch64" { &ARM64 } else { &X86_64 };
    let image = |package, target, features, variable| Image { package, target, targets, features, variable };
    let runtime = |features, variable| image("guest-runtime", targets.runtime, features, variable);
    let mut hash = Sha256::new();
    for image in [&image("guest-kernel", targets.kernel, &[], "GUEST_KERNEL"), &runtime(&[], "GUEST_RUNTIME")] {
        let file = match env::var_os(IMAGES).filter(|folder| !folder.is_empty()) {
            Some(folder) => {
                let file = root.join(folder).join(image.package);
                println!("cargo:rerun-if-changed={}", file.display());
                file
            }
            None => build(image, &root, &out, profile),
        };
        hash.update(embed(image, &file, &out));
    }
    println!("cargo:rustc-env=GUEST_HASH={}", hexadecimal(&hash.finalize()));
    if env::var_os("CARGO_FEATURE_TEST_GUEST").is_some() {
        let image = runtime(&["commit-faults"], "GUEST_TEST_RUNTIME");
        embed(&image, &build(&image, &root, &out, profile), &out);
    }
}

/// Tells the library where an image is and gives its bytes.
fn embed(image: &Image, file: &Path, out: &Path) -> Vec<u8> {
    // The two runtimes differ in a feature only and would take each other's place, so each is copied.
    let copy = out.join(image.variable.to_lowercase());
    let bytes = std::fs::read(file).unwrap_or_else(|error| panic!("cannot read {}: {error}", file.display()));
    if let Err(error) = std::fs::write(&copy, &bytes) {
        panic!("cannot write {}: {error}", copy.display());
    }
    println!("cargo:rustc-env={}={}", image.variable, copy.display());
    if variable("PROFILE") == "release" {
        println!("cargo:warning={}: {} bytes", image.package, bytes.len());
    }
    bytes
}

/// Builds an image and says where it is.
fn build(image: &Image, root: &Path, out: &Path, profile: &str) -> PathBuf {
    let target_dir = target_dir(out);
    let guest = root.join("guest");
    let mut cargo = Command::new(variable("CARGO"));
    cargo.current_dir(&guest);
    // What holds for the build of the library does not hold for that of the guest: flags, wrappers, targets, profiles, and
    // what the cc crate would take from the environment.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        let foreign =
            ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "RUSTDOCFLAGS"];
        let foreign_prefixes = [
            ["CARGO_BUILD_", "CARGO_CFG_", "CARGO_FEATURE_", "CARGO_PROFILE_", "CARGO_TARGET_"],
            ["CFLAGS", "TARGET_AR", "TARGET_CC", "TARGET_CFLAGS", "CRATE_CC_"],
        ]
        .concat();
        if foreign.contains(&&*name) || foreign_prefixes.iter().any(|prefix| name.starts_with(prefix)) {
            cargo.env_remove(&*name);
        }
    }
    if cfg!(target_env = "musl") {
        // Here the system's compiler is the one for musl.
        cargo.env(for_target("CC", image), "cc");
        if image.target == image.targets.runtime {
            cargo.arg("--config").arg(format!("target.{}.linker='cc'", image.target));
        }
    }
    // In the guest no code for AVX is ever chosen.
    cargo.env("CARGO_CFG_CURVE25519_DALEK_BACKEND", "serial");
    cargo.args(["build", "--package", image.package, "--target", image.target, "--profile", profile]);
    cargo.arg("--locked").arg("--target-dir").arg(&target_dir);
    // The messages of panics and assertions name source files. They must not tell folders of the machine.
    let names = neutral_names(root, &target_dir);
    let flags: Vec<_> = names.iter().map(|(from, to)| format!("--remap-path-prefix={from}={to}")).collect();
    cargo.arg("--config").arg(format!("target.{}.rustflags={flags:?}", image.target));
    let mut flags: Vec<_> = names.iter().map(|(from, to)| quoted(&format!("-ffile-prefix-map={from}={to}"))).collect();
    // The runtime is linked at a fixed address. Otherwise the C code would become code for a shared library, which has more
    // instructions: addresses are computed, and functions that another library might replace are not inlined.
    flags.push("-fno-pic".to_string());
    if profile == RELEASE {
        // Without it QuickJS not only checks its assertions: before each instruction of bytecode it asks whether to print it.
        flags.push("-DNDEBUG".to_string());
    }
    cargo.env(for_target("CFLAGS", image), flags.join(" ")).env("CC_SHELL_ESCAPED_FLAGS", "1");
    if !image.features.is_empty() {
        cargo.arg("--features").arg(image.features.join(","));
    }
    let status = cargo.status().unwrap_or_else(|error| panic!("cannot run cargo: {error}"));
    assert!(
        status.success(),
        "the guest image {} could not be built; it needs the Rust targets {} and {} (rustup target add) and, for its C code, \
         {} (Debian: {})",
        image.package,
        image.targets.kernel,
        image.targets.runtime,
        image.targets.compiler,
        image.targets.packages
    );

    target_dir.join(image.target).join(profile).join(image.package)
}

/// The variable by which the cc crate is told something for an image's target.
fn for_target(name: &str, image: &Image) -> String {
    format!("{name}_{}", image.target.replace('-', "_"))
}

/// Folders that sources are compiled from, and the names that take their places. The last that fits counts.
fn neutral_names(root: &Path, target_dir: &Path) -> Vec<(String, &'static str)> {
    let cargo_home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
    let registries = cargo_home.and_then(|home| home.join("registry/src").read_dir().ok());
    let mut names: Vec<_> =
        registries.into_iter().flatten().flatten().map(|entry| (entry.path(), "/registry")).collect();
    names.sort();
    names.extend([(root.to_path_buf(), "/source"), (target_dir.to_path_buf(), "/target")]);
    names.into_iter().map(|(from, to)| (from.display().to_string(), to)).collect()
}

/// As one word for the cc crate, which splits flags like a shell.
fn quoted(flag: &str) -> String {
    format!("'{}'", flag.replace('\'', r"'\''"))
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
