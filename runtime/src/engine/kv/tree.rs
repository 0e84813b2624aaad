//! Which beginnings of sequences are still in memory: a tree of full blocks, each under the tokens it holds, found by
//! walking from the root. What nobody uses stays until the room is needed; the longest unused leaf goes first.

use super::pool::{BLOCK_TOKENS, Block};
use crate::engine::TokenId;
use std::collections::HashMap;
use std::sync::Arc;

/// Blocks of finished and running sequences by their tokens.
#[derive(Debug, Default)]
pub(crate) struct PrefixTree {
    /// Slots of evicted nodes are used again.
    nodes: Vec<Option<Node>>,
    vacant: Vec<usize>,
    by_key: HashMap<Key, usize>,
    /// The nodes without a parent.
    roots: Vec<usize>,
    clock: u64,
}

/// A node's parent, none for the root's children, and the tokens of its block.
type Key = (Option<usize>, [TokenId; BLOCK_TOKENS]);

/// What is here of a beginning.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Its blocks, as far as they are whole.
    pub blocks: Vec<Arc<Block>>,
    /// The number of a block that goes on after them as the beginning does, and for how many tokens.
    pub part: Option<(u32, usize)>,
}

#[derive(Debug)]
struct Node {
    key: Key,
    block: Arc<Block>,
    children: Vec<usize>,
    last_used: u64,
}

impl PrefixTree {
    /// The longest beginning of `tokens` that is here.
    pub(crate) fn find(&mut self, tokens: &[TokenId]) -> Found {
        self.clock += 1;
        let mut parent = None;
        let mut blocks = Vec::new();
        for chunk in tokens.as_chunks::<BLOCK_TOKENS>().0 {
            let Some(index) = self.by_key.get(&(parent, *chunk)).copied() else {
                break;
            };
            if let Some(node) = &mut self.nodes[index] {
                node.last_used = self.clock;
                blocks.push(node.block.clone());
            }
            parent = Some(index);
        }
        let rest = &tokens[blocks.len() * BLOCK_TOKENS..];
        let part = self.goes_on(parent, rest);
        Found { blocks, part }
    }

    /// The block after `parent` that begins with the most of these tokens. It is not counted as used: who copies that much
    /// of it soon offers a block that begins alike.
    fn goes_on(&self, parent: Option<usize>, tokens: &[TokenId]) -> Option<(u32, usize)> {
        let after = match parent {
            None => &self.roots,
            Some(parent) => &self.nodes[parent].as_ref()?.children,
        };
        after
            .iter()
            .filter_map(|index| self.nodes[*index].as_ref())
            .map(|node| (node.block.id(), agreement(&node.key.1, tokens)))
            .filter(|(_, count)| *count > 0)
            .max_by_key(|(_, count)| *count)
    }

    /// Adds the full blocks of a sequence. Where a beginning is here already, its block stays: it holds the same.
    pub(crate) fn insert(&mut self, tokens: &[TokenId], blocks: &[Arc<Block>]) {
        self.clock += 1;
        let mut parent = None;
        for (chunk, block) in tokens.as_chunks::<BLOCK_TOKENS>().0.iter().zip(blocks) {
            let key = (parent, *chunk);
            let index = match self.by_key.get(&key) {
                Some(index) => *index,
                None => self.add(key, block.clone()),
            };
            if let Some(node) = &mut self.nodes[index] {
                node.last_used = self.clock;
            }
            parent = Some(index);
        }
    }

    /// Blocks held here.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Blocks held here that no sequence uses.
    pub(crate) fn unused(&self) -> usize {
        let nodes = self.nodes.iter().flatten();
        nodes
            .filter(|node| Arc::strong_count(&node.block) == 1)
            .count()
    }

    /// Lets go of up to `count` blocks that no sequence uses, and returns how many it were.
    pub(crate) fn evict(&mut self, count: usize) -> usize {
        let mut evicted = 0;
        while evicted < count {
            // A parent in use keeps its children's beginning; a leaf not in use keeps nobody's.
            let oldest = self
                .nodes
                .iter()
                .enumerate()
                .filter_map(|(index, node)| node.as_ref().map(|node| (index, node)))
                .filter(|(_, node)| node.children.is_empty() && Arc::strong_count(&node.block) == 1)
                .min_by_key(|(_, node)| node.last_used)
                .map(|(index, _)| index);
            let Some(index) = oldest else {
                break;
            };
            self.remove(index);
            evicted += 1;
        }
        evicted
    }

    fn add(&mut self, key: Key, block: Arc<Block>) -> usize {
        let node = Node {
            key,
            block,
            children: Vec::new(),
            last_used: self.clock,
        };
        let index = match self.vacant.pop() {
            Some(index) => {
                self.nodes[index] = Some(node);
                index
            }
            None => {
                self.nodes.push(Some(node));
                self.nodes.len() - 1
            }
        };
        self.by_key.insert(key, index);
        self.siblings(key.0).push(index);
        index
    }

    fn remove(&mut self, index: usize) {
        if let Some(node) = self.nodes[index].take() {
            self.by_key.remove(&node.key);
            self.vacant.push(index);
            self.siblings(node.key.0).retain(|one| *one != index);
        }
    }

    /// The nodes below a parent. One with children is never removed.
    fn siblings(&mut self, parent: Option<usize>) -> &mut Vec<usize> {
        match parent.and_then(|parent| self.nodes[parent].as_mut()) {
            Some(parent) => &mut parent.children,
            None => &mut self.roots,
        }
    }
}

/// Tokens that both begin with.
pub(crate) fn agreement(one: &[TokenId], other: &[TokenId]) -> usize {
    let pairs = one.iter().zip(other);
    pairs.take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ModelConfig;
    use crate::engine::kv::pool::Pool;
    use candle_core::Device;

    fn pool(blocks: usize) -> Arc<Pool> {
        let json = br#"{"model_type": "qwen2", "hidden_size": 4, "intermediate_size": 4, "num_hidden_layers": 1,
            "num_attention_heads": 1, "vocab_size": 9, "max_position_embeddings": 9}"#;
        let config = ModelConfig::from_json(json, "test").unwrap();
        Pool::new(&config, blocks * BLOCK_TOKENS, &Device::Cpu).unwrap()
    }

    /// `count` whole blocks of tokens, different for each `kind` from block `from` on.
    fn tokens(kind: u32, from: usize, count: usize) -> Vec<TokenId> {
        let token = |i: usize| if i / BLOCK_TOKENS < from { 0 } else { kind };
        (0..count * BLOCK_TOKENS)
            .map(|i| TokenId(token(i) + i as u32))
            .collect()
    }

    fn take(pool: &Arc<Pool>, count: usize) -> Vec<Arc<Block>> {
        (0..count).map(|_| pool.take().unwrap()).collect()
    }

    /// How many whole blocks are found, and how many tokens of another.
    fn found(tree: &mut PrefixTree, tokens: &[TokenId]) -> (usize, usize) {
        let found = tree.find(tokens);
        (found.blocks.len(), found.part.map_or(0, |(_, count)| count))
    }

    #[test]
    fn the_longest_common_beginning_is_found() {
        let (pool, mut tree) = (pool(8), PrefixTree::default());
        let blocks = take(&pool, 3);
        tree.insert(&tokens(100, 0, 3), &blocks);
        assert_eq!(found(&mut tree, &tokens(100, 0, 3)), (3, 0));
        assert_eq!(found(&mut tree, &tokens(100, 0, 3)[..47]), (2, 15));
        assert_eq!(found(&mut tree, &tokens(100, 0, 3)[..33]), (2, 1));
        assert_eq!(found(&mut tree, &tokens(100, 0, 3)[..32]), (2, 0));
        assert_eq!(found(&mut tree, &tokens(100, 0, 3)[..7]), (0, 7));
        assert_eq!(found(&mut tree, &tokens(100, 0, 5)), (3, 0));
        assert_eq!(found(&mut tree, &tokens(7, 0, 3)), (0, 0));
        let found = tree.find(&tokens(100, 0, 2)).blocks;
        assert!(found.iter().zip(&blocks).all(|(a, b)| Arc::ptr_eq(a, b)));
    }

    #[test]
    fn of_blocks_that_begin_alike_the_one_that_agrees_longest_is_found() {
        let (pool, mut tree) = (pool(8), PrefixTree::default());
        let stem = tokens(100, 1, 1);
        let with = |end: &[u32]| -> Vec<TokenId> {
            let end = end.iter().copied().map(TokenId);
            let fill = std::iter::repeat(TokenId(9));
            let all = stem.iter().copied().chain(end).chain(fill);
            all.take(2 * BLOCK_TOKENS).collect()
        };
        for end in [[1, 2, 3], [1, 2, 4], [5, 6, 7]] {
            tree.insert(&with(&end), &take(&pool, 2));
        }
        assert_eq!(found(&mut tree, &with(&[1, 2, 3])), (2, 0));
        assert_eq!(found(&mut tree, &with(&[1, 2, 4, 8])), (1, 3));
        assert_eq!(found(&mut tree, &with(&[1, 8])), (1, 1));
        assert_eq!(found(&mut tree, &with(&[8])), (1, 0));
        let own = tree.find(&with(&[5, 6, 7])).blocks[1].id();
        assert_eq!(tree.find(&with(&[5, 6, 8])).part, Some((own, 2)));
    }

    #[test]
    fn branches_share_their_stem_and_a_second_copy_is_let_go() {
        let (pool, mut tree) = (pool(8), PrefixTree::default());
        tree.insert(&tokens(100, 2, 3), &take(&pool, 3));
        tree.insert(&tokens(200, 2, 3), &take(&pool, 3));
        assert_eq!(tree.len(), 4);
        assert_eq!(pool.free_blocks(), 4, "the second stem's blocks went back");
        assert_eq!(found(&mut tree, &tokens(100, 2, 3)), (3, 0));
        assert_eq!(found(&mut tree, &tokens(200, 2, 3)), (3, 0));
    }

    #[test]
    fn the_longest_unused_leaf_goes_first_and_what_is_in_use_stays() {
        let (pool, mut tree) = (pool(8), PrefixTree::default());
        tree.insert(&tokens(100, 1, 3), &take(&pool, 3));
        tree.insert(&tokens(200, 1, 3), &take(&pool, 3));
        assert_eq!(tree.unused(), 5);
        let held = tree.find(&tokens(100, 1, 2));
        assert_eq!(tree.unused(), 3);
        assert_eq!(tree.evict(1), 1);
        assert_eq!(
            found(&mut tree, &tokens(200, 1, 3)),
            (3, 0),
            "used after the other leaf"
        );
        assert_eq!(found(&mut tree, &tokens(100, 1, 3)), (2, 0));
        assert_eq!(tree.evict(9), 2);
        assert_eq!(tree.len(), 2);
        drop(held);
        assert_eq!(tree.evict(9), 2);
        assert_eq!(pool.free_blocks(), 8, "every block is back");
    }
}
