//! Turns `repeat … end` blocks into plain lines, before anything else is read.

use super::ScriptError;
use super::parse::{opens_heredoc, strip_comment};
use crate::words::{Words, number};

/// Nested `repeat` blocks must stay readable, and small enough to play.
const MAX_LINES: usize = 200_000;

/// One line of the script after `repeat` blocks were written out.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub number: usize,
    pub text: String,
}

/// Writes `repeat N … end` blocks out; `{n}` inside becomes the round, counted from 1.
pub(crate) fn expand(lines: &[Line], out: &mut Vec<Line>) -> Result<(), ScriptError> {
    let mut index = 0;
    while index < lines.len() {
        let line = &lines[index];
        let trimmed = line.text.trim();
        if opens_heredoc(trimmed) {
            while index < lines.len() && lines[index].text.trim() != ">>" {
                out.push(lines[index].clone());
                index += 1;
            }
            continue;
        }
        let Some(arguments) = trimmed.strip_prefix("repeat ") else {
            out.push(line.clone());
            index += 1;
            continue;
        };
        let fail = |message: String| ScriptError::new(line.number, message);
        let words = Words::new(strip_comment(arguments));
        let times = number(words.next().unwrap_or_default()).map_err(fail)?;
        let every = words.value("every").map(str::to_owned);
        words.finish().map_err(fail)?;
        let end = block_end(lines, index).ok_or_else(|| fail("repeat is never closed by a line \"end\"".to_owned()))?;
        let mut body = Vec::new();
        expand(&lines[index + 1..end], &mut body)?;
        for round in 1..=times {
            if let Some(every) = every.as_ref().filter(|_| round > 1) {
                out.push(Line {
                    number: line.number,
                    text: format!("wait {every}"),
                });
            }
            let round = round.to_string();
            out.extend(body.iter().map(|line| Line {
                number: line.number,
                text: line.text.replace("{n}", &round),
            }));
            if out.len() > MAX_LINES {
                return Err(fail(format!("more than {MAX_LINES} lines after repeating")));
            }
        }
        index = end + 1;
    }
    Ok(())
}

fn block_end(lines: &[Line], start: usize) -> Option<usize> {
    let mut depth = 0;
    let mut inside_heredoc = false;
    for (index, line) in lines.iter().enumerate().skip(start) {
        let trimmed = line.text.trim();
        match trimmed {
            ">>" => inside_heredoc = false,
            _ if inside_heredoc => {}
            _ if opens_heredoc(trimmed) => inside_heredoc = true,
            _ if trimmed.starts_with("repeat ") => depth += 1,
            _ if strip_comment(trimmed) == "end" => {
                depth -= 1;
                if depth == 0 {
                    return Some(index);
                }
            }
            _ => {}
        }
    }
    None
}
