//! Captures that a live run writes: a ring of the mail traffic, and the frames of each session that failed.

use crate::cli::args::Live;
use crate::cli::exit::Stop;
use crate::diagnosis::Finding;
use crate::frame::Frame;
use crate::session::Session;
use crate::text::Language;

/// What is written, if anything.
pub struct Store {}

impl Store {
    pub fn open(_arguments: &Live, _ports: &[u16], _language: Language) -> Result<Self, Stop> {
        Ok(Self {})
    }
    pub fn frame(&mut self, _frame: &Frame<'_>) {}
    pub fn failed(&mut self, _session: &Session, _findings: &[Finding], _language: Language) -> Option<String> {
        None
    }
    pub fn tick(&mut self) {}
    pub fn reopen(&mut self) {}
    pub fn finish(&mut self) -> bool {
        true
    }
    pub fn lost(&self) -> u64 {
        0
    }
}
