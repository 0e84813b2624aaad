//! A pass of attention on the CPU: keys and values are stored, then the threads share the looking. Tokens of a prompt are
//! taken several at a time; where every sequence has one token, each stretch of its context is a piece of work.

use super::Span;
use super::group::{self, BLOCK, Memory, attend_stretch, join, part_size, stretches};
use super::memory::{Half, KvMemory, KvShape, View};
use super::scale;
use crate::engine::kernels::elementwise::in_rows;
use crate::engine::kernels::{Cpu, grown};
use candle_core::{Result, bail};
use std::cell::{Cell, RefCell};
use std::ops::Range;

/// Stores the keys and values of `x` and lets its queries look at them and at those before.
pub(super) struct Attention<'a> {
    pub memory: &'a KvMemory,
    pub layer: usize,
    pub heads: usize,
    /// Whose tokens the rows of `x` are, in their order.
    pub spans: &'a [Span<'a>],
    pub cpu: &'a Cpu,
}

/// Tokens that look at a block together once it is in f32.
const TOKENS: usize = 8;

thread_local! {
    /// Scaled queries, parts, and room for scores and a block: kept, because they are too large for the heap's quick path.
    static SCRATCH: RefCell<(Vec<f32>, Vec<f32>, group::Scratch)> =
        const { RefCell::new((Vec::new(), Vec::new(), group::Scratch::new())) };
    /// The parts of all threads, of whoever shares the work out, and where those of each sequence begin.
    static PARTS: Cell<(Vec<f32>, Vec<usize>)> = const { Cell::new((Vec::new(), Vec::new())) };
}

/// What the queries of `x` see.
struct Looking<'a> {
    x: &'a [f32],
    columns: usize,
    view: View<'a>,
    of: &'a Attention<'a>,
}

/// Tokens of one sequence that are a piece of work.
struct Tile<'a> {
    span: &'a Span<'a>,
    /// The first one's number in the span.
    token: usize,
    /// Their rows of `x`.
    rows: Range<usize>,
    out: &'a mut [f32],
}

impl<'a> Looking<'a> {
    fn group(&self) -> usize {
        self.of.heads / self.of.memory.shape().kv_heads
    }

    fn memory(&self, span: &'a Span<'_>, head: usize, token: usize) -> Memory<'a> {
        Memory {
            view: self.view,
            table: span.table,
            layer: self.of.layer,
            head,
            group: self.group(),
            length: span.at + token + 1,
        }
    }

    /// The scaled queries of some rows that share a key head.
    fn queries(&self, queries: &mut Vec<f32>, head: usize, rows: Range<usize>) {
        let d = self.of.memory.shape().d;
        let (size, scale) = (self.group() * d, scale(d) as f32);
        queries.clear();
        for row in rows {
            let own = &self.x[row * self.columns + head * size..][..size];
            queries.extend(own.iter().map(|query| query * scale));
        }
    }

    /// One token of each sequence: a piece of work is a key head and stretch of one's context.
    fn single_tokens(&self, out: &mut [f32]) {
        let KvShape { kv_heads, d, .. } = self.of.memory.shape();
        let Attention { cpu, spans, .. } = self.of;
        let (group, of_row) = (self.group(), self.of.heads * d);
        let size = group * part_size(d);
        let pieces_of = |span: &Span<'_>| kv_heads * stretches(span.at + 1);
        let (mut parts, mut starts) = PARTS.take();
        let mut pieces = 0;
        starts.clear();
        for span in *spans {
            starts.push(pieces);
            pieces += pieces_of(span);
        }
        let used = grown(&mut parts, pieces * size);
        cpu.team.for_each_piece(used, size, |piece, part| {
            let row = starts.partition_point(|start| *start <= piece) - 1;
            let own = stretches(spans[row].at + 1);
            let (head, stretch) = ((piece - starts[row]) / own, (piece - starts[row]) % own);
            SCRATCH.with_borrow_mut(|(queries, _, scratch)| {
                self.queries(queries, head, row..row + 1);
                let memory = self.memory(&spans[row], head, 0);
                attend_stretch(cpu.level, queries, memory, stretch, scratch, part);
            });
        });
        let used = &*used;
        in_rows(cpu, out, of_row, |first, out| {
            let rows = spans[first..].iter().zip(&starts[first..]);
            for ((span, start), out) in rows.zip(out.chunks_exact_mut(of_row)) {
                let own = stretches(span.at + 1);
                let of_heads = used[start * size..].chunks_exact(own * size);
                for (parts, out) in of_heads.zip(out.chunks_exact_mut(group * d)) {
                    join(cpu.level, parts, size, own, d, out);
                }
            }
        });
        PARTS.set((parts, starts));
    }

    /// A piece of work is a few tokens of a sequence.
    fn many_tokens(&self, out: &mut [f32]) {
        let Attention { cpu, spans, .. } = self.of;
        let of_row = self.of.heads * self.of.memory.shape().d;
        let all = out.len() / of_row;
        let together = all.div_ceil(2 * cpu.team.threads()).clamp(1, TOKENS);
        let mut tiles = Vec::with_capacity(all.div_ceil(together) + spans.len());
        let (mut row, mut left) = (0, out);
        for span in *spans {
            for token in (0..span.tokens).step_by(together) {
                let rows = row..row + together.min(span.tokens - token);
                let (out, rest) = left.split_at_mut(rows.len() * of_row);
                (row, left) = (rows.end, rest);
                tiles.push(Tile {
                    span,
                    token,
                    rows,
                    out,
                });
            }
        }
        cpu.team.for_each_piece(&mut tiles, 1, |_, tiles| {
            tiles.iter_mut().for_each(|tile| self.tile(tile));
        });
    }

    fn tile(&self, tile: &mut Tile<'_>) {
        let KvShape { kv_heads, d, .. } = self.of.memory.shape();
        let (level, heads, group) = (self.of.cpu.level, self.of.heads, self.group());
        let count = tile.rows.len();
        let step = count * group * part_size(d);
        SCRATCH.with_borrow_mut(|(queries, parts, scratch)| {
            for head in 0..kv_heads {
                let memory = self.memory(tile.span, head, tile.token);
                self.queries(queries, head, tile.rows.clone());
                let all = stretches(memory.length + count - 1);
                let parts = grown(parts, all * step);
                for (stretch, parts) in parts.chunks_exact_mut(step).enumerate() {
                    attend_stretch(level, queries, memory, stretch, scratch, parts);
                }
                for token in 0..count {
                    let parts = &parts[token * group * part_size(d)..];
                    let own = stretches(memory.length + token);
                    let out = &mut tile.out[(token * heads + head * group) * d..][..group * d];
                    join(level, parts, step, own, d, out);
                }
            }
        });
    }
}

impl Attention<'_> {
    fn store(&self, x: &[f32], columns: usize) {
        let KvShape { kv_heads, d, .. } = self.memory.shape();
        for (half, first) in [
            (Half::Keys, self.heads),
            (Half::Values, self.heads + kv_heads),
        ] {
            let places = self.spans.iter().flat_map(|span| {
                let positions = span.at..span.at + span.tokens;
                positions.map(|position| (span.table[position / BLOCK], position % BLOCK))
            });
            let stored = places.zip(x.chunks_exact(columns));
            let stored = stored
                .map(|((block, within), row)| (block, within, &row[first * d..][..kv_heads * d]));
            self.memory.store(self.layer, half, stored);
        }
    }

    /// Attention of the rows of `x` into `out`, `[tokens, heads * d]`.
    pub(super) fn run(&self, x: &[f32], out: &mut [f32]) -> Result<()> {
        let (heads, KvShape { kv_heads, d, .. }) = (self.heads, self.memory.shape());
        let tokens: usize = self.spans.iter().map(|span| span.tokens).sum();
        let columns = (heads + 2 * kv_heads) * d;
        if !heads.is_multiple_of(kv_heads)
            || x.len() != tokens * columns
            || out.len() != tokens * heads * d
        {
            bail!(
                "{} values are not {tokens} tokens of {heads} query heads and twice {kv_heads} heads of {d}: the cache is that of another model",
                x.len()
            );
        }
        self.store(x, columns);
        let bytes = self.memory.read();
        let looking = Looking {
            x,
            columns,
            view: self.memory.view(&bytes),
            of: self,
        };
        if self.spans.iter().all(|span| span.tokens == 1) {
            looking.single_tokens(out);
        } else {
            looking.many_tokens(out);
        }
        Ok(())
    }
}
