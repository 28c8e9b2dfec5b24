//! Every compression, whole, in several parts, and cut off at every byte.

use std::io::Write;

use super::*;

const TEXT: &[u8] = b"{\"a\":1}\n{\"b\":2}\n";

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn bzip2(text: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(text, 1).unwrap()
}

type Compress = fn(&[u8]) -> Vec<u8>;

const COMPRESSIONS: [(Compression, Compress); 3] =
    [(Compression::Gzip, gzip), (Compression::Bzip2, bzip2), (Compression::Zstd, zstd)];

/// What can be read of a file, and the error at the end of it.
fn read(raw: Vec<u8>) -> (Vec<u8>, Option<io::Error>) {
    let mut input = Input::new("test", None, Cursor::new(raw)).unwrap();
    let mut bytes = Vec::new();
    let error = input.read_to_end(&mut bytes).err();
    (bytes, error)
}

#[test]
fn a_plain_file_is_read_as_it_is() {
    for text in [&b""[..], b"{", b"\x1f", b"BZ", TEXT] {
        let (bytes, error) = read(text.to_vec());
        assert_eq!(bytes, text);
        assert!(error.is_none());
    }
}

#[test]
fn the_first_bytes_tell_the_compression() {
    for (compression, compress) in COMPRESSIONS {
        let mut input = Input::new("test", None, Cursor::new(compress(TEXT))).unwrap();
        assert_eq!(input.compression(), compression);
        let mut bytes = Vec::new();
        input.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, TEXT);
        assert_eq!(input.raw_bytes().load(Ordering::Relaxed), compress(TEXT).len() as u64);
    }
}

#[test]
fn files_of_several_parts_are_read_to_the_end() {
    for (compression, compress) in COMPRESSIONS {
        let (bytes, error) = read([compress(b"one "), compress(b""), compress(b"two")].concat());
        assert_eq!(bytes, b"one two", "{compression:?}");
        assert!(error.is_none(), "{compression:?}");
    }
}

#[test]
fn a_cut_off_file_gives_what_it_has_and_then_says_so() {
    for (compression, compress) in COMPRESSIONS {
        let first = compress(TEXT);
        let whole = [first.clone(), compress(TEXT)].concat();
        for end in MAGIC_BYTES..whole.len() {
            if end == first.len() {
                continue;
            }
            let (bytes, error) = read(whole[..end].to_vec());
            assert!(TEXT.repeat(2).starts_with(&bytes), "{compression:?} cut at {end}");
            assert!(end < first.len() || bytes.len() >= TEXT.len(), "{compression:?} cut at {end}");
            assert!(error.as_ref().is_some_and(is_cut_off), "{compression:?} cut at {end}: {error:?}");
        }
    }
}

#[test]
fn a_damaged_file_is_not_taken_for_a_cut_off_one() {
    let mut random = 1_u64;
    let text: Vec<u8> = std::iter::repeat_with(|| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 56) as u8
    })
    .take(5_000)
    .collect();
    for (compression, compress) in COMPRESSIONS {
        let mut raw = compress(&text);
        let checked = raw.len() - 6;
        raw[checked] ^= 0xFF;
        raw[2_000] ^= 0xFF;
        let (_, error) = read(raw);
        // zstd writes no checksum unless asked to, so it may not notice.
        if compression != Compression::Zstd {
            assert!(error.is_some_and(|error| !is_cut_off(&error)), "{compression:?}");
        }
    }
}

#[test]
fn a_byte_order_mark_is_left_out_at_the_start_alone() {
    let marked = [BYTE_ORDER_MARK, TEXT, BYTE_ORDER_MARK].concat();
    let expected = [TEXT, BYTE_ORDER_MARK].concat();
    assert_eq!(read(marked.clone()).0, expected);
    assert_eq!(read(gzip(&marked)).0, expected);
    for text in [&b"\xEF"[..], b"\xEF\xBB", b"\xEF\xBBx", b"\xEF\xEF\xBB\xBF"] {
        assert_eq!(read(text.to_vec()).0, text);
    }
}

#[test]
fn what_is_no_file_is_an_error() {
    assert!(open(Path::new("/nowhere/at/all")).is_err());
    assert_eq!(open(Path::new("/")).err().map(|error| error.kind()), Some(io::ErrorKind::IsADirectory));
}
