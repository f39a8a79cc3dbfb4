//! The languages of the product.

/// A language that every sentence exists in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Japanese, as Japanese mail operators write it.
    Japanese,
}

impl Language {
    /// Both.
    pub const ALL: [Self; 2] = [Self::English, Self::Japanese];

    /// The language of a POSIX locale name such as `ja_JP.UTF-8`; English for all others.
    #[must_use]
    pub fn of_locale(locale: &str) -> Self {
        let name = locale.split(['_', '.', '-', '@']).next().unwrap_or_default();
        if name.eq_ignore_ascii_case("ja") || name.eq_ignore_ascii_case("japanese") {
            Self::Japanese
        } else {
            Self::English
        }
    }

    /// Its code: `en` or `ja`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Japanese => "ja",
        }
    }
}
