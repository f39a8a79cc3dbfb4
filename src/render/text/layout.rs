//! Text in columns: widths by grapheme, wrapping for English and Japanese (a small kinsoku rule), cutting at a character's
//! border. Input is already safe for the terminal.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Characters that never begin a line in Japanese.
const NOT_AT_START: &str =
    "、。，．,.:;：；!?！？)）]］}｝」』】〉》〕・ー々ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ゛゜…‥〜%％";
/// Characters that never end a line.
const NOT_AT_END: &str = "(（[［{｛「『【〈《〔";

/// Columns that a text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    if text.bytes().all(|octet| matches!(octet, b' '..=b'~')) {
        return text.len();
    }
    UnicodeWidthStr::width(text)
}

/// Pieces that a line may be broken between: words of Latin script stay whole, other characters stand alone.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces: Vec<&str> = Vec::new();
    let mut start = 0;
    let mut previous_wide = true;
    for (at, grapheme) in text.grapheme_indices(true) {
        let wide = width(grapheme) > 1;
        let space = grapheme == " ";
        if at > start && (space || wide || previous_wide) {
            pieces.extend(text.get(start..at));
            start = at;
        }
        previous_wide = wide || space;
    }
    pieces.extend(text.get(start..).filter(|rest| !rest.is_empty()));
    pieces
}

/// Wraps a text to `columns`. A word longer than a line is broken at a character's border.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(4);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        wrap_paragraph(paragraph, columns, &mut lines);
    }
    lines
}

fn wrap_paragraph(text: &str, columns: usize, lines: &mut Vec<String>) {
    let mut line = String::new();
    let pieces = pieces(text);
    let mut position = 0;
    while let Some(piece) = pieces.get(position) {
        // A piece travels with what must not be parted from it: closing marks behind, and after an opening mark.
        let mut unit = (*piece).to_owned();
        position += 1;
        while let Some(next) = pieces.get(position) {
            let glued = NOT_AT_START.contains(next.chars().next().unwrap_or(' '))
                || unit.chars().next_back().is_some_and(|last| NOT_AT_END.contains(last));
            if !glued || next.starts_with(' ') || width(&unit) + width(next) > columns {
                break;
            }
            unit.push_str(next);
            position += 1;
        }
        if width(&line) + width(&unit) > columns && !line.is_empty() {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
        }
        let unit = if line.is_empty() {
            unit.trim_start_matches(' ')
        } else {
            &unit
        };
        for grapheme in unit.graphemes(true) {
            if width(&line) + width(grapheme) > columns {
                lines.push(std::mem::take(&mut line));
            }
            line.push_str(grapheme);
        }
    }
    lines.push(line.trim_end().to_owned());
}

/// Cuts a text to `columns`, with "..." where something is missing.
#[must_use]
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut shown = String::new();
    for grapheme in text.graphemes(true) {
        if width(&shown) + width(grapheme) + 3 > columns {
            break;
        }
        shown.push_str(grapheme);
    }
    shown.push_str("...");
    shown
}

/// A text with blanks behind it up to `columns`.
#[must_use]
pub fn pad(text: &str, columns: usize) -> String {
    let mut padded = text.to_owned();
    padded.extend(std::iter::repeat_n(' ', columns.saturating_sub(width(text))));
    padded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_breaks_between_words() {
        assert_eq!(
            wrap("the server refused the mail", 12),
            ["the server", "refused the", "mail"]
        );
    }

    #[test]
    fn japanese_never_starts_a_line_with_a_closing_mark() {
        let text = "サーバーがクライアントのTLSバージョン(TLS1.0)を拒否しました。「SSL」は465番です。";
        for columns in 8..60 {
            for line in wrap(text, columns) {
                assert!(width(&line) <= columns, "{columns}: {line}");
                let first = line.chars().next().unwrap();
                assert!(!"。、）)」ー".contains(first) || columns < 10, "{columns}: {line}");
            }
        }
    }

    #[test]
    fn a_long_word_is_broken_and_nothing_is_lost() {
        let text = "x".repeat(50);
        let lines = wrap(&text, 20);
        assert_eq!(lines.concat(), text);
        assert!(lines.iter().all(|line| width(line) <= 20));
    }

    #[test]
    fn cutting_keeps_characters_whole() {
        assert_eq!(cut("日本語メール", 8), "日本...");
        assert_eq!(cut("abc", 8), "abc");
    }
}
