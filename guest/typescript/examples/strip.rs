//! Prints the JavaScript of the TypeScript on standard input.
use std::io::Read;

fn main() {
    let mut source = String::new();
    std::io::stdin().read_to_string(&mut source).expect("UTF-8");
    match guest_typescript::to_javascript(&source) {
        Ok(script) => print!("{script}"),
        Err(mistake) => {
            eprintln!("{}:{}: {}", mistake.line, mistake.column, mistake.message);
            std::process::exit(1);
        }
    }
}
