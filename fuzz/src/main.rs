//! Runs fuzz targets on plain stable Rust: first the inputs of their corpora, then random ones until the time is up.
//!
//! ```text
//! hyperlight-js-fuzz [--seconds N] [--seed N] [TARGET ...]   these targets, or all; N seconds altogether
//! hyperlight-js-fuzz TARGET FILE ...                         a target with these inputs and no others
//! ```
//!
//! Each target has a process of its own, so a crash of one does not end the others. An input that brings a process down is
//! left in `target/fuzz`.

mod mutator;

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{env, io, process, thread};

use hyperlight_js_fuzz::{TARGETS, Target};
use rand::SeedableRng;
use rand::rngs::StdRng;

/// One input that takes longer hangs.
const HANG: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    match run(env::args().skip(1)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(2)
        }
    }
}

/// Whether all went well.
fn run(mut arguments: impl Iterator<Item = String>) -> Result<bool, String> {
    let (mut seconds, mut seed, mut names) = (60, rand::random(), Vec::new());
    let mut is_child = false;
    while let Some(argument) = arguments.next() {
        let mut number =
            || arguments.next().and_then(|text| text.parse().ok()).ok_or(format!("{argument} takes a number"));
        match argument.as_str() {
            "--seconds" => seconds = number()?,
            "--seed" => seed = number()?,
            "--child" => is_child = true,
            _ => names.push(argument),
        }
    }
    let targets: Vec<&Target> =
        names.iter().map_while(|name| TARGETS.iter().find(|target| target.name == *name)).collect();
    match (&targets[..], &names[targets.len()..]) {
        ([target], []) if is_child => fuzz(target, Duration::from_secs(seconds), seed).map(|()| true),
        ([target], files @ [_, ..]) => replay(target, files.iter().map(PathBuf::from)).map(|_| true),
        ([], []) => Ok(supervise(&TARGETS.iter().collect::<Vec<_>>(), seconds, seed)),
        (targets, []) => Ok(supervise(targets, seconds, seed)),
        (_, [unknown, ..]) => {
            let known: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            Err(format!("there is no target {unknown}; there are {}", known.join(", ")))
        }
    }
}

/// Runs each target in a process of its own, and says how many found no fault.
fn supervise(targets: &[&Target], seconds: u64, seed: u64) -> bool {
    let share = (seconds / targets.len() as u64).max(1).to_string();
    let mut failed = 0;
    for target in targets {
        let status = env::current_exe().and_then(|program| {
            let arguments = ["--child", "--seconds", &share, "--seed", &seed.to_string(), target.name];
            Command::new(program).args(arguments).status()
        });
        match status {
            Ok(status) if status.success() => continue,
            Ok(status) => println!("{}: {status}; the input is in {}", target.name, current(target).display()),
            Err(error) => println!("{}: it cannot be run: {error}", target.name),
        }
        failed += 1;
    }
    println!("fuzz: {} passed, {failed} failed", targets.len() - failed);
    failed == 0
}

fn replay(target: &Target, files: impl Iterator<Item = PathBuf>) -> Result<Vec<Vec<u8>>, String> {
    let inputs = files.map(|file| {
        let input = fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        (target.run)(&input);
        Ok(input)
    });
    inputs.collect()
}

fn fuzz(target: &Target, time: Duration, seed: u64) -> Result<(), String> {
    static EXECUTIONS: AtomicU64 = AtomicU64::new(0);

    let current = current(target);
    let file = create(&current).map_err(|error| format!("{}: {error}", current.display()))?;
    thread::spawn(|| {
        let mut last = u64::MAX;
        while last != EXECUTIONS.load(Ordering::Relaxed) {
            last = EXECUTIONS.load(Ordering::Relaxed);
            thread::sleep(HANG);
        }
        eprintln!("an input has taken longer than {HANG:?}");
        process::abort();
    });
    let execute = |input: &[u8]| {
        // Should the process not survive it, the file has the input.
        let _ = file.write_all_at(input, 0).and_then(|()| file.set_len(input.len() as u64));
        (target.run)(input);
        EXECUTIONS.fetch_add(1, Ordering::Relaxed);
    };
    let mut corpus = Vec::new();
    for file in entries(target)? {
        let input = fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        execute(&input);
        corpus.push(input);
    }
    let begin = Instant::now();
    let mut rng = StdRng::seed_from_u64(seed);
    while begin.elapsed() < time {
        execute(&mutator::input(&mut rng, &corpus, target.longest));
    }
    let executions = EXECUTIONS.load(Ordering::Relaxed);
    println!(
        "{}: {executions} executions in {} s, {} of them from the corpus, seed {seed}",
        target.name,
        begin.elapsed().as_secs(),
        corpus.len()
    );
    let _ = fs::remove_file(current);
    Ok(())
}

/// Files of a target's corpus.
fn entries(target: &Target) -> Result<Vec<PathBuf>, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(format!("{}: {error}", folder.display())),
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    Ok(files)
}

/// Where the input is that is being run.
fn current(target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/fuzz").join(target.name)
}

fn create(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    File::create(path)
}
