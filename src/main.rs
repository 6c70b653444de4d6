//! Arguments, command, exit code: 0 done, 1 failed, 2 used wrongly.

use std::process::ExitCode;

fn main() -> ExitCode {
    nichoir::cli::main()
}
