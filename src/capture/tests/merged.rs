//! Several files, pipes, progress.

use std::io::Write;

use super::super::*;
use super::build::*;
use super::*;

struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("smtpcap-capture-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> Input {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        Input::Path(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn at(times: &[u32], mark: u8) -> Vec<u8> {
    times
        .iter()
        .fold(Pcap::new(), |file, time| file.packet(*time, 0, &[mark; 20]))
        .bytes
}

fn marks(frames: &[Kept]) -> String {
    frames.iter().map(|frame| char::from(frame.bytes[0])).collect()
}

#[test]
fn several_files_come_in_time_order_and_equal_times_in_argument_order() {
    let folder = Folder::new("order");
    let files = [
        at(&[5, 7, 9], b'a'),
        at(&[1, 7, 6, 20], b'b'),
        at(&[], b'x'),
        at(&[7, 30], b'c'),
    ];
    for (on_disk, most) in [(true, None), (false, None), (true, Some(1)), (false, Some(100))] {
        let inputs: Vec<Input> = files
            .iter()
            .enumerate()
            .map(|(n, bytes)| {
                if on_disk {
                    folder.file(&n.to_string(), bytes)
                } else {
                    stream(bytes)
                }
            })
            .collect();
        let mut reader = Reader::new(inputs);
        let frames = match most {
            None => drain(&mut reader).unwrap(),
            Some(most) => drain_in_rows(&mut reader, most).unwrap(),
        };
        assert_eq!(marks(&frames), "baabbcabc");
        assert_eq!(
            frames.iter().map(|frame| frame.number).collect::<Vec<_>>(),
            (1..=9).collect::<Vec<_>>()
        );
        let facts = reader.facts();
        assert_eq!(
            facts.files.iter().map(|file| file.frames).collect::<Vec<_>>(),
            [3, 4, 0, 2]
        );
        assert!(
            facts
                .files
                .iter()
                .all(|file| file.complete && file.interfaces.total() == 1)
        );
        let of: Vec<usize> = (1..=9)
            .map(|n| facts.file_of(crate::frame::FrameNumber(n)).unwrap())
            .collect();
        assert_eq!(of, [1, 0, 0, 1, 1, 3, 0, 1, 3]);
        assert_eq!(facts.file_of(crate::frame::FrameNumber(0)), None);
    }
}

#[test]
fn a_thousand_rotated_files_are_open_one_at_a_time() {
    let folder = Folder::new("rotated");
    let inputs: Vec<Input> = (0..1_000_u32)
        .rev()
        .map(|n| folder.file(&n.to_string(), &at(&[n, n], 1)))
        .collect();
    let mut reader = Reader::new(inputs);
    let mut most = 0;
    let mut last = i64::MIN;
    while let Some(frame) = reader.next_frame().unwrap() {
        assert!(frame.time.nanoseconds() >= last);
        last = frame.time.nanoseconds();
        if frame.number.0.is_multiple_of(100) {
            let open = std::fs::read_dir("/proc/self/fd")
                .unwrap()
                .filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
            most = most.max(open.filter(|path| path.starts_with(&folder.0)).count());
        }
    }
    assert_eq!(reader.facts().frames(), 2_000);
    assert!(most <= 1, "{most}");
}

#[test]
fn a_bad_file_among_good_ones_costs_only_itself() {
    let mut reader = Reader::new([
        stream(&at(&[3], b'a')),
        stream(b"a letter, no capture"),
        stream(&at(&[2], b'b')),
    ]);
    assert!(matches!(reader.next_frame(), Err(Error::NotACapture { .. })));
    assert_eq!(marks(&drain(&mut reader).unwrap()), "ba");
    assert_eq!(reader.facts().files[1].format, None);
}

#[test]
fn a_frame_is_delivered_as_soon_as_it_is_in_the_pipe() {
    let whole = Pcap::new().packets(3).bytes;
    let blocks = Pcapng::new(ByteOrder::Little).interface(1, 0, &[]).packets(3).bytes;
    let starts = [
        (0..=3).map(|n| Pcap::new().packets(n).bytes.len()).collect::<Vec<_>>(),
        (0..=3)
            .map(|n| {
                Pcapng::new(ByteOrder::Little)
                    .interface(1, 0, &[])
                    .packets(n)
                    .bytes
                    .len()
            })
            .collect(),
    ];
    for (file, starts) in [whole, blocks].into_iter().zip(starts) {
        let (pipe, mut writer) = std::io::pipe().unwrap();
        let mut reader = Reader::new([Input::Stream {
            name: "-".into(),
            octets: Box::new(pipe),
        }]);
        writer.write_all(&file[..starts[0]]).unwrap();
        for n in 0..3 {
            writer.write_all(&file[starts[n]..starts[n + 1]]).unwrap();
            // Would wait for ever if the reader wanted one octet more.
            assert_eq!(reader.next_frame().unwrap().unwrap().number.0, n as u64 + 1);
        }
        drop(writer);
        assert!(reader.next_frame().unwrap().is_none());
    }
}

#[test]
fn progress_knows_the_total_of_plain_files_only() {
    let folder = Folder::new("progress");
    let bytes = Pcap::new().packets(200).bytes;
    let total = bytes.len() as u64;
    let mut reader = Reader::new([folder.file("a", &bytes), folder.file("b", &bytes)]);
    assert_eq!(reader.progress().total, None);
    reader.next_frame().unwrap();
    assert_eq!(reader.progress().total, Some(2 * total));
    drain(&mut reader).unwrap();
    assert_eq!(
        reader.progress(),
        Progress {
            read: 2 * total,
            total: Some(2 * total)
        }
    );
    let mut reader = Reader::new([stream(&bytes)]);
    drain(&mut reader).unwrap();
    assert_eq!(
        reader.progress(),
        Progress {
            read: total,
            total: None
        }
    );
}

#[test]
fn a_named_pipe_is_read_like_a_file() {
    let folder = Folder::new("fifo");
    let path = folder.0.join("pipe");
    if !std::process::Command::new("mkfifo")
        .arg(&path)
        .status()
        .is_ok_and(|status| status.success())
    {
        eprintln!("skipped: no mkfifo");
        return;
    }
    let bytes = Pcap::new().packets(50).bytes;
    let to = path.clone();
    let writer = std::thread::spawn(move || std::fs::write(to, bytes).unwrap());
    let mut reader = Reader::new([Input::Path(path), stream(&at(&[BASE + 10], 0))]);
    assert_eq!(drain(&mut reader).unwrap().len(), 51);
    writer.join().unwrap();
}

#[test]
fn a_dash_is_the_standard_input() {
    assert!(matches!(Input::from_argument("-".into()), Input::StandardInput));
    assert!(matches!(Input::from_argument("./-".into()), Input::Path(_)));
}
