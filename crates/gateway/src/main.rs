//! The `orrery` command. Everything is in the library; this only hands over the exit code.

fn main() -> std::process::ExitCode {
    gateway::cli::main()
}
