//! Octets in a named charset, or in one that must be guessed, as text. Knows what Japanese mail calls its charsets
//! (CP932, CP50221 …). ISO-2022-JP is carried over into EUC-JP first: the WHATWG decoder rejects redundant escapes,
//! which every join of two encoded words produces, and knows no JIS X 0212.

use encoding_rs::{EUC_JP, Encoding, ISO_2022_JP, SHIFT_JIS, UTF_8};

/// Text of octets in the charset with this label; guessed where the label is unknown or the octets contradict it.
#[must_use]
pub fn decode(label: &[u8], octets: &[u8]) -> String {
    let Some(encoding) = find(label) else {
        return guess(octets);
    };
    if encoding == ISO_2022_JP || is_iso_2022_jp(octets) {
        return if octets.contains(&ESCAPE) || octets.is_ascii() {
            iso_2022_jp(octets)
        } else {
            guess(octets)
        };
    }
    // US-ASCII is "windows-1252" to WHATWG; 8-bit octets under that label are mislabelled, mostly Japanese here.
    if label.eq_ignore_ascii_case(b"us-ascii") || label.eq_ignore_ascii_case(b"ascii") {
        return guess(octets);
    }
    encoding.decode_without_bom_handling(octets).0.into_owned()
}

/// Text of octets that no label names: ISO-2022-JP by its escapes, UTF-8, EUC-JP or Shift_JIS where they fit.
#[must_use]
pub fn guess(octets: &[u8]) -> String {
    if is_iso_2022_jp(octets) {
        return iso_2022_jp(octets);
    }
    for encoding in [UTF_8, EUC_JP, SHIFT_JIS] {
        if let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(octets) {
            return text.into_owned();
        }
    }
    String::from_utf8_lossy(octets).into_owned()
}

const ESCAPE: u8 = 0x1b;

/// True where the octets hold "ESC $", the shift into a two-octet set.
pub fn is_iso_2022_jp(octets: &[u8]) -> bool {
    memchr::memmem::find(octets, b"\x1b$").is_some()
}

fn find(label: &[u8]) -> Option<&'static Encoding> {
    let lower = label.to_ascii_lowercase();
    let known: &[u8] = match lower.as_slice() {
        b"cp932" | b"windows-932" | b"x-ms-cp932" | b"ms_kanji" | b"shift_jis-2004" | b"sjis-win" => b"shift_jis",
        b"cp50220" | b"cp50221" | b"cp50222" | b"iso-2022-jp-ms" | b"iso-2022-jp-1" | b"iso-2022-jp-2"
        | b"iso-2022-jp-3" | b"iso-2022-jp-2004" | b"x-iso-2022-jp" | b"jis" => b"iso-2022-jp",
        b"eucjp" | b"cp51932" | b"eucjp-ms" | b"eucjp-win" | b"euc-jp-ms" | b"euc-jisx0213" | b"ujis" => b"euc-jp",
        other => other,
    };
    Encoding::for_label(known)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    Ascii,
    Kana,
    /// JIS X 0208, both editions.
    Kanji,
    /// JIS X 0212.
    Supplement,
}

/// What stands behind ESC and which set it selects; the longer ones first.
const ESCAPES: [(&[u8], Option<Set>); 9] = [
    (b"$(D", Some(Set::Supplement)),
    (b"$(B", Some(Set::Kanji)),
    (b"$(@", Some(Set::Kanji)),
    (b"$B", Some(Set::Kanji)),
    (b"$@", Some(Set::Kanji)),
    (b"(B", Some(Set::Ascii)),
    (b"(J", Some(Set::Ascii)),
    (b"(I", Some(Set::Kana)),
    (b"&@", None),
];

fn iso_2022_jp(octets: &[u8]) -> String {
    /// Begins no EUC-JP character: becomes one replacement character.
    const BROKEN: u8 = 0xff;
    let mut euc = Vec::with_capacity(octets.len());
    let mut set = Set::Ascii;
    // First octet of a character. It survives escapes, because some senders cut a character between two encoded words
    // and return to ASCII in between.
    let mut lead: Option<(Set, u8)> = None;
    let mut rest = octets;
    while let Some((&octet, behind)) = rest.split_first() {
        rest = behind;
        if octet == ESCAPE
            && let Some((sequence, selected)) = ESCAPES.iter().find(|(sequence, _)| behind.starts_with(sequence))
        {
            rest = behind.get(sequence.len()..).unwrap_or_default();
            set = selected.unwrap_or(set);
            continue;
        }
        // Line ends and spaces return to ASCII (RFC 1468).
        let in_set = (0x21..=0x7e).contains(&octet);
        if !in_set && matches!(octet, b'\r' | b'\n') {
            set = Set::Ascii;
        }
        match (set, lead) {
            (Set::Kanji | Set::Supplement, Some((of, first))) if in_set && of == set => {
                if set == Set::Supplement {
                    euc.push(0x8f);
                }
                euc.extend([first | 0x80, octet | 0x80]);
                lead = None;
                continue;
            }
            (_, Some(_)) => euc.push(BROKEN),
            (_, None) => {}
        }
        lead = None;
        match set {
            Set::Kanji | Set::Supplement if in_set => lead = Some((set, octet)),
            Set::Kana if in_set => euc.extend([0x8e, octet | 0x80]),
            // Half-width katakana without a shift (JIS8), as old mailers send it.
            _ if (0xa1..=0xdf).contains(&octet) => euc.extend([0x8e, octet]),
            _ if octet.is_ascii() => euc.push(octet),
            _ => euc.push(BROKEN),
        }
    }
    if lead.is_some() {
        euc.push(BROKEN);
    }
    EUC_JP.decode_without_bom_handling(&euc).0.into_owned()
}
