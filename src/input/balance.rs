//! Where does a JSON object end? At the brace that balances its first one, not counting those
//! inside of strings.
//!
//! Asked byte by byte, the answer costs a mispredicted branch at each quote, and a tweet has
//! hundreds of them. So 64 bytes are taken at a time and turned into words of 64 bits, a bit for
//! each byte: where the quotes are, the backslashes, the braces. From then on it is arithmetic on
//! whole words. That a byte is inside of a string is the parity of the quotes before it, which is
//! an exclusive or over all lower bits; as long as a block has fewer closing braces than are open,
//! it cannot be the last one, and its braces need only be counted. (Langdale and Lemire, "Parsing
//! Gigabytes of JSON per Second", 2019, who write the vector instructions out.)

/// Bytes to a block, bits to a word.
const BLOCK: usize = 64;

/// The state between two pieces of an object.
#[derive(Clone, Copy, Debug, Default)]
pub struct Balance {
    depth: u64,
    in_string: bool,
    /// The last byte was the backslash of an escape.
    escaped: bool,
}

impl Balance {
    /// Goes through the next piece of an object up to the brace that balances its first one, and
    /// says where in the piece that is.
    pub fn closed_at(&mut self, text: &[u8]) -> Option<usize> {
        let (blocks, rest) = text.as_chunks::<BLOCK>();
        for (i, block) in blocks.iter().enumerate() {
            if let Some(at) = self.closed_in(block, BLOCK) {
                return Some(i * BLOCK + at);
            }
        }
        if rest.is_empty() {
            return None;
        }
        let mut block = [0; BLOCK];
        block[..rest.len()].copy_from_slice(rest);
        self.closed_in(&block, rest.len()).map(|at| blocks.len() * BLOCK + at)
    }

    /// `closed_at` for the first `length` bytes of a block, the others being zero.
    fn closed_in(&mut self, block: &[u8; BLOCK], length: usize) -> Option<usize> {
        let quotes = self.unescaped(mask(block, b'"'), mask(block, b'\\'), length);
        let strings = parity(quotes) ^ if self.in_string { u64::MAX } else { 0 };
        self.in_string = strings >> (BLOCK - 1) == 1;
        let opening = mask(block, b'{') & !strings;
        let closing = mask(block, b'}') & !strings;
        if u64::from(closing.count_ones()) < self.depth {
            self.depth += u64::from(opening.count_ones());
            self.depth -= u64::from(closing.count_ones());
            return None;
        }
        let mut braces = opening | closing;
        while braces != 0 {
            let brace = braces & braces.wrapping_neg();
            braces ^= brace;
            if opening & brace != 0 {
                self.depth += 1;
            } else if self.depth > 1 {
                self.depth -= 1;
            } else {
                return Some(brace.trailing_zeros() as usize);
            }
        }
        None
    }

    /// Takes those quotes away that stand behind the backslash of an escape.
    fn unescaped(&mut self, mut quotes: u64, mut backslashes: u64, length: usize) -> u64 {
        if self.escaped {
            quotes &= !1;
            backslashes &= !1;
            self.escaped = false;
        }
        while backslashes != 0 {
            let backslash = backslashes & backslashes.wrapping_neg();
            let behind = backslash << 1;
            quotes &= !behind;
            backslashes &= !(backslash | behind);
            self.escaped = backslash.trailing_zeros() as usize + 1 == length;
        }
        quotes
    }
}

/// A bit for each byte of the block that is `byte`, the lowest for the first one.
fn mask(block: &[u8; BLOCK], byte: u8) -> u64 {
    // Moves the lowest bit of each byte into the highest byte, in order.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    // Compilers compare as many bytes at once as the machine can.
    let equal: [u8; BLOCK] = std::array::from_fn(|at| u8::from(block[at] == byte));
    let (words, _) = equal.as_chunks::<8>();
    let gathered = words.iter().map(|word| u64::from_le_bytes(*word).wrapping_mul(GATHER) >> 56);
    gathered.zip(0..).fold(0, |mask, (bits, word)| mask | bits << (8 * word))
}

/// Each bit of the result is the exclusive or of that bit and all lower ones.
fn parity(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same, byte by byte.
    fn plainly_closed_at(text: &[u8]) -> Option<usize> {
        let (mut depth, mut in_string, mut escaped) = (0, false, false);
        for (at, &byte) in text.iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = !in_string,
                b'{' if !in_string => depth += 1,
                b'}' if !in_string && depth > 1 => depth -= 1,
                b'}' if !in_string => return Some(at),
                _ => {}
            }
        }
        None
    }

    #[test]
    fn each_byte_has_its_bit() {
        for at in 0..BLOCK {
            for other in 0..=u8::MAX {
                let mut block = [other; BLOCK];
                block[at] = b'{';
                let expected = if other == b'{' { u64::MAX } else { 1 << at };
                assert_eq!(mask(&block, b'{'), expected);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn as_if_byte_by_byte(
            tokens in proptest::collection::vec(
                prop::sample::select(vec!["a", "{", "{\"", "\":", "}", "\"", "\\\"", "\\\\", "\\", "0123456789abcdef"]),
                0..200,
            ),
            cuts in proptest::collection::vec(1_usize..100, 1..5),
        ) {
            let text = format!("{{{}", tokens.concat());
            // An escape outside of a string is no JSON; what it does to a brace does not matter.
            let text = text.replace("\\{", "\\u").replace("\\}", "\\u");
            let expected = plainly_closed_at(text.as_bytes());
            let (mut balance, mut begin, mut found) = (Balance::default(), 0, None);
            for cut in cuts.iter().cycle() {
                let end = text.len().min(begin + cut);
                if let Some(at) = balance.closed_at(&text.as_bytes()[begin..end]) {
                    found = Some(begin + at);
                }
                begin = end;
                if found.is_some() || begin == text.len() {
                    break;
                }
            }
            prop_assert_eq!(found, expected);
        }
    }
}
