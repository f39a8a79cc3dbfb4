//! What is remembered of a ClientHello is what would be read of it.

use std::sync::Arc;

use proptest::prelude::*;

use super::wire::*;
use crate::protocol::tls::{hello, offers};

/// A hello with every extension that is looked into, and one that is not.
fn full(share: u8, name: &str) -> Vec<u8> {
    let shares = [
        &numbers(&[0x0A0A])[..],
        &vector16(&[share]),
        &numbers(&[29]),
        &vector16(&[share; 32]),
    ];
    let mut extensions = extensions13();
    extensions[0] = extension(0, &vector16(&[&[0][..], &vector16(name.as_bytes())].concat()));
    extensions[4] = extension(51, &vector16(&shares.concat()));
    extensions.extend([
        extension(11, &vector8(&[0])),
        extension(16, &vector16(&[vector8(b"smtp"), vector8(b"imap")].concat())),
        extension(35, &[share; 40]),
        extension(21, &[0; 9]),
        extension(0xFE0D, &[share; 7]),
        extension(41, &[share; 20]),
    ]);
    client_hello(0x0303, &[share; 32], &[0x1302, 0x1301, 0xC02F], Some(&extensions))
}

#[test]
fn hellos_of_one_program_share_their_offer() {
    let (one, first) = offers::of(&full(1, "mail.hinata.example")).unwrap();
    let (other, second) = offers::of(&full(2, "mx.kisaragi.example")).unwrap();
    assert!(Arc::ptr_eq(&one, &other));
    let greased = client_hello(0x0303, &[], &[0x0A0A, 0x1301], None);
    let [(one, _), (other, _)] = [(), ()].map(|()| offers::of(&greased).unwrap());
    assert!(
        one == other && !Arc::ptr_eq(&one, &other),
        "GREASE drives out what is remembered"
    );
    assert_eq!(first.unwrap().bytes(), b"mail.hinata.example");
    assert_eq!(second.unwrap().bytes(), b"mx.kisaragi.example");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_hello_that_is_nearly_known_is_read_as_if_nothing_were(
        changes in prop::collection::vec((any::<usize>(), any::<u8>()), 0..4),
        cut: Option<u16>,
    ) {
        let known = full(1, "mail.hinata.example");
        offers::of(&known).unwrap();
        let mut body = known;
        let length = body.len();
        for (position, value) in changes {
            body[position % length] = value;
        }
        if let Some(cut) = cut {
            body.truncate(usize::from(cut) % length);
        }
        for _ in 0..2 {
            let told = offers::of(&body).map(|(offer, name)| (Arc::unwrap_or_clone(offer), name));
            prop_assert_eq!(told, hello::offer(&body));
        }
    }
}
