//! Depth of a DER structure (X.690), measured with a list instead of recursion, before any recursive parser sees it.
//! Decodes nothing else.

/// Deepest nesting of constructed elements that is handed to the certificate parser.
pub const DER_DEPTH: usize = 32;

/// Whether the octets are one DER element nested at most [`DER_DEPTH`] deep, OCTET STRINGs that hold DER included.
/// Linear: each octet is visited at most once per kind of nesting.
pub(super) fn is_shallow(bytes: &[u8]) -> bool {
    let mut waiting = vec![(bytes, 0)];
    let mut first = true;
    while let Some((inside, base)) = waiting.pop() {
        match walk(inside, base, &mut waiting) {
            Walk::TooDeep => return false,
            // An OCTET STRING need not hold DER; the certificate itself must.
            Walk::Broken if first => return false,
            Walk::Broken | Walk::Fine => {}
        }
        first = false;
    }
    true
}

enum Walk {
    Fine,
    Broken,
    TooDeep,
}

/// Visits the elements of `bytes` in order, stepping into constructed ones; `waiting` gets the OCTET STRINGs.
fn walk<'a>(bytes: &'a [u8], base: usize, waiting: &mut Vec<(&'a [u8], usize)>) -> Walk {
    let mut ends: Vec<usize> = Vec::new();
    let mut at = 0_usize;
    while at < bytes.len() {
        while ends.last().is_some_and(|end| *end <= at) {
            ends.pop();
        }
        let Some(element) = element(bytes, at) else {
            return Walk::Broken;
        };
        if ends.last().is_some_and(|end| element.end > *end) {
            return Walk::Broken;
        }
        let depth = base.saturating_add(ends.len());
        if depth >= DER_DEPTH {
            return Walk::TooDeep;
        }
        if element.constructed {
            ends.push(element.end);
            at = element.content;
            continue;
        }
        let content = bytes.get(element.content..element.end).unwrap_or_default();
        if element.octet_string && content.first().is_some_and(|tag| tag & 0x20 != 0) {
            waiting.push((content, depth.saturating_add(1)));
        }
        at = element.end;
    }
    Walk::Fine
}

struct Element {
    constructed: bool,
    octet_string: bool,
    content: usize,
    end: usize,
}

/// Tag and length at `at`; `None` where they do not fit, for the indefinite form too.
fn element(bytes: &[u8], at: usize) -> Option<Element> {
    let tag = *bytes.get(at)?;
    let mut next = at.checked_add(1)?;
    if tag & 0x1F == 0x1F {
        while *bytes.get(next)? & 0x80 != 0 {
            next = next.checked_add(1)?;
        }
        next = next.checked_add(1)?;
    }
    let first = *bytes.get(next)?;
    next = next.checked_add(1)?;
    let mut length = usize::from(first);
    if first & 0x80 != 0 {
        let count = usize::from(first & 0x7F);
        if count == 0 || count > 4 {
            return None;
        }
        length = 0;
        for octet in bytes.get(next..next.checked_add(count)?)? {
            length = length.checked_mul(256)?.checked_add(usize::from(*octet))?;
        }
        next = next.checked_add(count)?;
    }
    let end = next.checked_add(length)?;
    (end <= bytes.len()).then_some(Element {
        constructed: tag & 0x20 != 0,
        octet_string: tag == 0x04,
        content: next,
        end,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An element that holds `inner`.
    fn wrap(tag: u8, inner: &[u8]) -> Vec<u8> {
        let length = u16::try_from(inner.len()).unwrap().to_be_bytes();
        [&[tag, 0x82][..], &length, inner].concat()
    }

    fn nested(tag: u8, count: usize) -> Vec<u8> {
        (0..count).fold(vec![5, 0], |inner, _| wrap(tag, &inner))
    }

    #[test]
    fn nesting_up_to_the_limit_is_shallow_and_one_more_is_not() {
        assert!(is_shallow(&nested(0x30, DER_DEPTH - 1)));
        assert!(!is_shallow(&nested(0x30, DER_DEPTH)));
        assert!(!is_shallow(&nested(0x30, 5000)));
    }

    #[test]
    fn nesting_hidden_in_octet_strings_counts() {
        assert!(!is_shallow(&wrap(0x30, &wrap(0x04, &nested(0x30, DER_DEPTH - 1)))));
        assert!(is_shallow(&wrap(0x30, &wrap(0x04, &nested(0x30, 8)))));
        assert!(is_shallow(&wrap(0x30, &wrap(0x04, &[0x30, 0x84, 0xFF]))));
    }

    #[test]
    fn lengths_that_do_not_fit_are_refused() {
        assert!(!is_shallow(&[0x30, 0x05, 5, 0]));
        assert!(!is_shallow(&[0x30, 0x80, 0, 0]));
        assert!(!is_shallow(&[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF]));
    }
}
