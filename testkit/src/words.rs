//! Turns the rest of a script line into words and `key=value` options; complains about what nobody asked for.

use std::cell::RefCell;

/// Words of one statement; every word must be taken before [`Words::finish`] is content.
#[derive(Debug, Clone, Default)]
pub struct Words {
    words: Vec<(String, Option<String>)>,
    used: RefCell<Vec<bool>>,
}

impl Words {
    /// Splits at blanks; double quotes keep blanks inside a word or value (`id="two words"`).
    pub fn new(text: &str) -> Words {
        let mut words = Vec::new();
        let mut current = String::new();
        let (mut quoted, mut started) = (false, false);
        for character in text.chars() {
            match character {
                '"' => {
                    quoted = !quoted;
                    started = true;
                }
                character if character.is_whitespace() && !quoted => {
                    if started {
                        words.push(std::mem::take(&mut current));
                    }
                    started = false;
                }
                character => {
                    current.push(character);
                    started = true;
                }
            }
        }
        if started {
            words.push(current);
        }
        let words: Vec<(String, Option<String>)> = words
            .into_iter()
            .map(|word| match word.split_once('=') {
                Some((key, value)) if !key.is_empty() => (key.to_owned(), Some(value.to_owned())),
                _ => (word, None),
            })
            .collect();
        let used = RefCell::new(vec![false; words.len()]);
        Words { words, used }
    }

    /// The value of `key=value`, if given.
    pub fn value(&self, key: &str) -> Option<&str> {
        let index = self
            .words
            .iter()
            .position(|(word, value)| word == key && value.is_some())?;
        self.used.borrow_mut()[index] = true;
        self.words[index].1.as_deref()
    }

    /// True when the bare word stands there.
    pub fn flag(&self, name: &str) -> bool {
        match self
            .words
            .iter()
            .position(|(word, value)| word == name && value.is_none())
        {
            Some(index) => {
                self.used.borrow_mut()[index] = true;
                true
            }
            None => false,
        }
    }

    /// The count of a bare word like `x5`, without the x.
    pub fn times(&self) -> Option<&str> {
        let index = self.words.iter().position(|(word, value)| {
            value.is_none() && word.len() > 1 && word.starts_with('x') && word[1..].bytes().all(|b| b.is_ascii_digit())
        })?;
        self.used.borrow_mut()[index] = true;
        Some(&self.words[index].0[1..])
    }

    /// The next bare word that nobody took yet.
    pub fn next(&self) -> Option<&str> {
        let mut used = self.used.borrow_mut();
        let index = (0..self.words.len()).find(|index| !used[*index] && self.words[*index].1.is_none())?;
        used[index] = true;
        Some(&self.words[index].0)
    }

    /// Everything not yet taken, as written, and taken by this.
    pub fn rest(&self) -> Vec<String> {
        let mut used = self.used.borrow_mut();
        let mut out = Vec::new();
        for (index, (word, value)) in self.words.iter().enumerate() {
            if !std::mem::replace(&mut used[index], true) {
                out.push(match value {
                    Some(value) if value.contains(char::is_whitespace) => format!("{word}=\"{value}\""),
                    Some(value) => format!("{word}={value}"),
                    None => word.clone(),
                });
            }
        }
        out
    }

    /// A number, decimal or with 0x.
    pub fn number(&self, key: &str) -> Result<Option<u64>, String> {
        self.value(key).map(number).transpose()
    }

    /// Fails when a word is left that nothing understood.
    pub fn finish(&self) -> Result<(), String> {
        let rest = self.rest();
        match rest.is_empty() {
            true => Ok(()),
            false => Err(format!("\"{}\" is not understood here", rest.join(" "))),
        }
    }
}

/// A number, decimal or with 0x.
pub fn number(text: &str) -> Result<u64, String> {
    let parsed = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| format!("\"{text}\" is no number"))
}

/// A duration such as `250us`, `10ms`, `5s`, `1.5s`, `3m` or `2h`, in nanoseconds.
pub fn duration(text: &str) -> Result<i64, String> {
    let split = text
        .find(|character: char| character.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let value: f64 = text[..split]
        .parse()
        .map_err(|_| format!("\"{text}\" is no duration like 5s or 20ms"))?;
    let unit = match &text[split..] {
        "us" => 1e3,
        "ms" => 1e6,
        "s" | "" => 1e9,
        "m" | "min" => 60e9,
        "h" => 3600e9,
        "d" => 86_400e9,
        unit => return Err(format!("\"{unit}\" is no unit; use us, ms, s, m, h or d")),
    };
    Ok((value * unit) as i64)
}
