//! A regular expression run by constant evaluation: Thompson's construction, as Pike runs it, in lock step over all
//! states, so that time grows with the text and not with the ways to match it. The derive compiles the program.

/// One step of a program.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// A character of these ASCII ranges, or beyond ASCII.
    Class(&'static [(u8, u8)], NotAscii),
    /// Go on at both.
    Split(usize, usize),
    /// Go on there.
    Jump(usize),
    /// Only at the start of the text.
    Start,
    /// Only at the end of the text.
    End,
    /// Matched.
    Match,
}

/// Which characters beyond ASCII a class holds: a table of all would be larger than the program it is for.
#[derive(Debug, Clone, Copy)]
pub enum NotAscii {
    /// None.
    None,
    /// All.
    All,
    /// Some: a text with such a character passes here, and is checked when the program runs.
    Some,
}

const MOST: usize = 512;

/// Whether the whole text matches, or may.
pub(super) const fn whole_match(program: &[Step], text: &str) -> bool {
    if program.len() > MOST {
        return true;
    }
    let bytes = text.as_bytes();
    let mut states = [false; MOST];
    follow(program, &mut states, 0, true, bytes.is_empty());
    let mut at = 0;
    while at < bytes.len() {
        let width = width(bytes[at]);
        let mut next = [false; MOST];
        let mut state = 0;
        while state < program.len() {
            if states[state]
                && let Step::Class(ranges, not_ascii) = program[state]
            {
                let taken = if width == 1 {
                    within(ranges, bytes[at])
                } else {
                    match not_ascii {
                        NotAscii::None => false,
                        NotAscii::All => true,
                        NotAscii::Some => return true,
                    }
                };
                if taken {
                    follow(
                        program,
                        &mut next,
                        state + 1,
                        false,
                        at + width == bytes.len(),
                    );
                }
            }
            state += 1;
        }
        states = next;
        at += width;
    }
    let mut state = 0;
    while state < program.len() {
        if states[state] && matches!(program[state], Step::Match) {
            return true;
        }
        state += 1;
    }
    false
}

/// Adds a state and those that it leads to without a character.
const fn follow(
    program: &[Step],
    states: &mut [bool; MOST],
    state: usize,
    at_start: bool,
    at_end: bool,
) {
    if state >= program.len() || states[state] {
        return;
    }
    states[state] = true;
    match program[state] {
        Step::Split(a, b) => {
            follow(program, states, a, at_start, at_end);
            follow(program, states, b, at_start, at_end);
        }
        Step::Jump(to) => follow(program, states, to, at_start, at_end),
        Step::Start if at_start => follow(program, states, state + 1, at_start, at_end),
        Step::End if at_end => follow(program, states, state + 1, at_start, at_end),
        _ => {}
    }
}

const fn width(first: u8) -> usize {
    match first {
        0..0x80 => 1,
        0x80..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    }
}

const fn within(ranges: &[(u8, u8)], byte: u8) -> bool {
    let mut at = 0;
    while at < ranges.len() {
        if ranges[at].0 <= byte && byte <= ranges[at].1 {
            return true;
        }
        at += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    // `[a-z]+(-\d{1,2})?`
    const PROGRAM: &[Step] = &[
        Step::Class(&[(b'a', b'z')], NotAscii::Some),
        Step::Split(0, 2),
        Step::Split(3, 7),
        Step::Class(&[(b'-', b'-')], NotAscii::None),
        Step::Class(&[(b'0', b'9')], NotAscii::None),
        Step::Split(6, 7),
        Step::Class(&[(b'0', b'9')], NotAscii::None),
        Step::Match,
    ];

    #[test]
    fn the_whole_text_must_match() {
        for (text, right) in [
            ("a", true),
            ("abc-1", true),
            ("abc-12", true),
            ("abc-123", false),
            ("abc-", false),
            ("", false),
            ("1", false),
        ] {
            assert_eq!(whole_match(PROGRAM, text), right, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_told_passes() {
        assert!(whole_match(PROGRAM, "é"));
        assert!(!whole_match(PROGRAM, "-é"));
    }
}
