//! The command line of the simulator.

use std::process::{Command, Output};

fn simulator(arguments: &[&str]) -> std::io::Result<Output> {
    Command::new(env!("CARGO_BIN_EXE_simulator")).args(arguments).output()
}

#[test]
fn help_names_what_the_simulator_does() {
    let output = simulator(&["--help"]).unwrap();
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).unwrap();
    for option in ["--every-event", "--api", "--url"] {
        assert!(help.contains(option), "{option} is not in: {help}");
    }
}

#[test]
fn unknown_option_is_refused_with_a_hint() {
    let output = simulator(&["--every-evnt"]).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--every-event"));
}
