//! Arguments, command, exit code: 0 done, 1 failed, 2 used wrongly.

use std::process::ExitCode;

/// Requests are many small allocations: this one takes a quarter off a poll and a listing, beside the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    nichoir::cli::main()
}
