//! What an exchange waits for that is not over.

/// What an exchange that is not over waits for.
#[derive(Debug, Default)]
pub struct Waiting {
    /// Its final reply was seen.
    pub answered: bool,
    /// Its mail data is being read.
    pub data_running: bool,
    /// LMTP replies that are still to come.
    pub more: u32,
    /// AUTH: lines sent as responses.
    pub responses: u32,
    /// AUTH: lines of the client may be missing, so no line may be taken for a user name.
    pub responses_may_be_hidden: bool,
}

impl Waiting {
    pub(super) const fn is_over(&self) -> bool {
        self.answered && !self.data_running && self.more == 0
    }
}
