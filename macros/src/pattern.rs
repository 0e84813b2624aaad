//! A regular expression as the program that the runtime's constant evaluation runs (Thompson's construction).

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};
use syn::Path;

use crate::constraint::Kind;
use crate::field::Field;
use crate::krate;

/// Longer programs cost more compile time than the check is worth: the program is checked when it runs.
const LONGEST: usize = 256;

enum Step {
    Class(Vec<(u8, u8)>, NotAscii),
    Split(usize, usize),
    Jump(usize),
    Start,
    End,
    Match,
}

#[derive(Clone, Copy)]
enum NotAscii {
    None,
    All,
    Some,
}

/// The regular expressions of fields, each with the program by which literals are checked against it.
pub(crate) fn programs<'f>(fields: impl Iterator<Item = &'f Field<'f>>) -> Vec<TokenStream> {
    let private = &krate::alias();
    fields
        .flat_map(|field| &field.attrs.constraints)
        .filter_map(|constraint| match &constraint.kind {
            Kind::Regex(regex) => {
                let program = program(private, &regex.value())?;
                Some(quote!((#regex, #program)))
            }
            _ => None,
        })
        .collect()
}

/// `&[Step::.., ..]`; `None` for what the runtime's small machine does not do.
fn program(private: &Path, pattern: &str) -> Option<TokenStream> {
    let hir = regex_syntax::parse(pattern).ok()?;
    let mut steps = Vec::new();
    compile(&hir, &mut steps)?;
    steps.push(Step::Match);
    let steps = steps.iter().map(|step| tokens(private, step));
    Some(quote!(&[#(#steps),*]))
}

fn push(steps: &mut Vec<Step>, step: Step) -> Option<usize> {
    (steps.len() < LONGEST).then(|| {
        steps.push(step);
        steps.len() - 1
    })
}

fn compile(hir: &Hir, steps: &mut Vec<Step>) -> Option<()> {
    match hir.kind() {
        HirKind::Empty => {}
        HirKind::Literal(literal) => {
            for c in std::str::from_utf8(&literal.0).ok()?.chars() {
                let byte = u8::try_from(c).ok().filter(u8::is_ascii);
                let step = match byte {
                    Some(byte) => Step::Class(vec![(byte, byte)], NotAscii::None),
                    None => Step::Class(Vec::new(), NotAscii::Some),
                };
                push(steps, step)?;
            }
        }
        HirKind::Class(Class::Unicode(class)) => {
            let ranges = class.ranges();
            let ascii = ranges
                .iter()
                .filter(|range| range.start().is_ascii())
                .map(|range| (range.start() as u8, (range.end() as u32).min(0x7f) as u8))
                .collect();
            let beyond: Vec<_> = ranges
                .iter()
                .filter(|range| !range.end().is_ascii())
                .collect();
            let not_ascii = match beyond[..] {
                [] => NotAscii::None,
                [all] if all.start() <= '\u{80}' && all.end() == char::MAX => NotAscii::All,
                _ => NotAscii::Some,
            };
            push(steps, Step::Class(ascii, not_ascii))?;
        }
        HirKind::Class(Class::Bytes(_)) => return None,
        HirKind::Look(Look::Start) => {
            push(steps, Step::Start)?;
        }
        HirKind::Look(Look::End) => {
            push(steps, Step::End)?;
        }
        HirKind::Look(_) => return None,
        HirKind::Repetition(repetition) => repeat(repetition, steps)?,
        HirKind::Capture(capture) => compile(&capture.sub, steps)?,
        HirKind::Concat(parts) => {
            for part in parts {
                compile(part, steps)?;
            }
        }
        HirKind::Alternation(parts) => {
            let mut jumps = Vec::new();
            for (at, part) in parts.iter().enumerate() {
                if at + 1 == parts.len() {
                    compile(part, steps)?;
                } else {
                    let split = push(steps, Step::Split(0, 0))?;
                    compile(part, steps)?;
                    jumps.push(push(steps, Step::Jump(0))?);
                    steps[split] = Step::Split(split + 1, steps.len());
                }
            }
            for jump in jumps {
                steps[jump] = Step::Jump(steps.len());
            }
        }
    }
    Some(())
}

fn repeat(repetition: &Repetition, steps: &mut Vec<Step>) -> Option<()> {
    for _ in 0..repetition.min {
        compile(&repetition.sub, steps)?;
    }
    let Some(max) = repetition.max else {
        let split = push(steps, Step::Split(0, 0))?;
        compile(&repetition.sub, steps)?;
        push(steps, Step::Jump(split))?;
        steps[split] = Step::Split(split + 1, steps.len());
        return Some(());
    };
    let mut splits = Vec::new();
    for _ in repetition.min..max {
        splits.push(push(steps, Step::Split(0, 0))?);
        compile(&repetition.sub, steps)?;
    }
    for split in splits {
        steps[split] = Step::Split(split + 1, steps.len());
    }
    Some(())
}

fn tokens(private: &Path, step: &Step) -> TokenStream {
    let check = quote!(#private::check);
    let number = |n: &usize| Literal::usize_unsuffixed(*n);
    match step {
        Step::Class(ranges, not_ascii) => {
            let ranges = ranges.iter().map(|(from, to)| {
                let (from, to) = (Literal::byte_character(*from), Literal::byte_character(*to));
                quote!((#from, #to))
            });
            let not_ascii = match not_ascii {
                NotAscii::None => quote!(None),
                NotAscii::All => quote!(All),
                NotAscii::Some => quote!(Some),
            };
            quote!(#check::Step::Class(&[#(#ranges),*], #check::NotAscii::#not_ascii))
        }
        Step::Split(a, b) => {
            let (a, b) = (number(a), number(b));
            quote!(#check::Step::Split(#a, #b))
        }
        Step::Jump(to) => {
            let to = number(to);
            quote!(#check::Step::Jump(#to))
        }
        Step::Start => quote!(#check::Step::Start),
        Step::End => quote!(#check::Step::End),
        Step::Match => quote!(#check::Step::Match),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pattern: &str) -> Option<String> {
        let program = program(&krate::alias(), pattern)?.to_string();
        Some(program.replace(' ', "").replace("__candle::check::", ""))
    }

    #[test]
    fn patterns_become_programs() {
        let class = |letter| format!("Step::Class(&[(b'{letter}',b'{letter}')],NotAscii::None)");
        let (a, b, c) = (class('a'), class('b'), class('c'));
        for (pattern, steps) in [
            ("", String::new()),
            ("^a$", format!("Step::Start,{a},Step::End,")),
            (
                "ab|c",
                format!("Step::Split(1,4),{a},{b},Step::Jump(5),{c},"),
            ),
            ("(a){1,2}", format!("{a},Step::Split(2,3),{a},")),
            ("a*", format!("Step::Split(1,3),{a},Step::Jump(0),")),
            ("é", "Step::Class(&[],NotAscii::Some),".into()),
            ("[é-ü]", "Step::Class(&[],NotAscii::Some),".into()),
            (
                "[[:ascii:]]",
                "Step::Class(&[(b'\\0',b'\\x7F')],NotAscii::None),".into(),
            ),
            (
                "(?s).",
                "Step::Class(&[(b'\\0',b'\\x7F')],NotAscii::All),".into(),
            ),
        ] {
            assert_eq!(
                shown(pattern),
                Some(format!("&[{steps}Step::Match]")),
                "{pattern}"
            );
        }
    }

    #[test]
    fn what_the_small_machine_can_not_run_is_left_to_the_program() {
        for pattern in [r"\ba", "(?-u:[a-z])", "a{300}", "("] {
            assert_eq!(shown(pattern), None, "{pattern}");
        }
    }
}
