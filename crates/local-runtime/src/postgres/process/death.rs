//! The one place with unsafe code: between fork and exec only async-signal-safe calls are allowed,
//! which the compiler cannot check. Both calls below are plain system calls that allocate nothing.
#![allow(unsafe_code)]

use std::{io, os::unix::process::CommandExt, process::Command};

use rustix::process::{Signal, getpid, getppid};

/// Makes the kernel send `signal` to the child when the thread that starts it ends. Only Linux can;
/// elsewhere the child ends when it is dropped.
pub(super) fn die_with_parent(command: &mut Command, signal: Signal) {
    #[cfg(not(target_os = "linux"))]
    let _ = signal;
    let parent = getpid();
    let before_exec = move || {
        // The standard library has changed the user by now; changing it later would clear this.
        #[cfg(target_os = "linux")]
        rustix::process::set_parent_process_death_signal(Some(signal))?;
        // If this process died before that call, nobody will send the signal.
        if getppid() == Some(parent) {
            Ok(())
        } else {
            Err(io::ErrorKind::Interrupted.into())
        }
    };
    // SAFETY: the closure makes two system calls, and neither allocates nor takes a lock.
    unsafe {
        command.pre_exec(before_exec);
    }
}
