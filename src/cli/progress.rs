//! A progress bar on standard error, only on a terminal and only for long files.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::capture;

/// Files shorter than this are read before a bar could be seen, in octets.
const LONG: u64 = 32 << 20;

/// The bar, or nothing.
pub struct Progress {
    bar: Option<ProgressBar>,
    wanted: bool,
}

impl Progress {
    /// No bar yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            bar: None,
            wanted: std::io::stderr().is_terminal(),
        }
    }

    /// Draws how far the reader is.
    pub fn show(&mut self, progress: capture::Progress) {
        if !self.wanted {
            return;
        }
        match (progress.total, &self.bar) {
            (Some(total), None) if total >= LONG => {
                let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(5));
                if let Ok(style) = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {bytes_per_sec}") {
                    bar.set_style(style);
                }
                bar.enable_steady_tick(Duration::from_millis(500));
                bar.set_position(progress.read);
                self.bar = Some(bar);
            }
            (_, Some(bar)) => bar.set_position(progress.read),
            _ => {}
        }
    }

    /// Runs something that writes to standard error without tearing the bar.
    pub fn suspend(&self, write: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Takes the bar away.
    pub fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
