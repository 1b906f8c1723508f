//! Ports to ask for by number.

use std::{
    net::{Ipv4Addr, TcpListener},
    sync::atomic::{AtomicU16, Ordering},
};

/// The first of five neighbouring ports that were free just now. They lie below those that the kernel
/// gives to whoever asks for any, and no other test of this process is told the same.
pub fn five_free_ports() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = 20_000 + (std::process::id() % 1_000) as u16 * 10;
    loop {
        let base = start + 5 * NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(
            base < 32_000,
            "no five free ports between {start} and 32000"
        );
        let free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        if (base..base + 5).all(free) {
            return base;
        }
    }
}
