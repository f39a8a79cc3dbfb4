//! The reader's errors as sentences in the user's language.

use crate::capture::Error;
use crate::render::encode;
use crate::text::{Language, Message};

/// An error of the reader as a sentence that names file, offset, what was expected and what was found.
#[must_use]
pub fn sentence(error: &Error, language: Language) -> String {
    let file = encode::terminal(error.file().as_encoded_bytes()).into_owned();
    match error {
        Error::Open { source, .. } => {
            Message::CannotOpen.say(language, &[("file", &file), ("reason", &source.to_string())])
        }
        Error::Read { source, offset, .. } => Message::CannotRead.say(
            language,
            &[
                ("file", &file),
                ("offset", &offset.to_string()),
                ("reason", &source.to_string()),
            ],
        ),
        Error::NotACapture { found, likeness, .. } => {
            let found = match likeness {
                crate::capture::Likeness::Empty => Message::FoundNothing.word(language).to_owned(),
                crate::capture::Likeness::Text => format!("{} [{found}]", Message::FoundText.word(language)),
                crate::capture::Likeness::Zeros => format!("{} [{found}]", Message::FoundZeros.word(language)),
                crate::capture::Likeness::Elf => format!("{} [{found}]", Message::FoundProgram.word(language)),
                _ => format!("[{found}]"),
            };
            Message::NotACapture.say(language, &[("file", &file), ("found", &found)])
        }
        Error::CompressedTwice { inner, outer, .. } => Message::CompressedTwice.say(
            language,
            &[
                ("file", &file),
                ("inner", &inner.to_string()),
                ("outer", &outer.to_string()),
            ],
        ),
        Error::NotDecompressed {
            offset,
            expected,
            found,
            ..
        } => Message::NotDecompressed.say(
            language,
            &[
                ("file", &file),
                ("offset", &offset.to_string()),
                ("expected", &expected.to_string()),
                ("found", &found.to_string()),
            ],
        ),
    }
}

/// Says a reader's error on standard error.
pub fn warn_or_error(error: &Error, language: Language) {
    eprintln!(
        "{}",
        Message::ErrorPrefix.say(language, &[("what", &sentence(error, language))])
    );
}
