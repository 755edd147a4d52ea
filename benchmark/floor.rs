//! For each line that it reads, how many nanoseconds a round trip to the guest and back takes. `npm run bench` has it built
//! and asks it.

use std::error::Error;
use std::io::{Write, stdin, stdout};
use std::time::Instant;

use hyperlight_js::{SandboxBuilder, Script, bench};

fn main() -> Result<(), Box<dyn Error>> {
    let mut sandbox = SandboxBuilder::new().build()?.load_runtime()?;
    sandbox.add_handler("handler", Script::from_content("function handler(event) { return event; }"))?;
    let mut sandbox = sandbox.get_loaded_sandbox()?;
    let mut output = stdout();
    for line in stdin().lines() {
        line?;
        let start = Instant::now();
        bench::round_trip(&mut sandbox)?;
        writeln!(output, "{}", start.elapsed().as_nanos())?;
    }
    Ok(())
}
