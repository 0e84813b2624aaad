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
    children: HashMap<Key, usize>,
    clock: u64,
}

/// A node's parent, none for the root's children, and the tokens of its block.
type Key = (Option<usize>, [TokenId; BLOCK_TOKENS]);

#[derive(Debug)]
struct Node {
    key: Key,
    block: Arc<Block>,
    children: usize,
    last_used: u64,
}

impl PrefixTree {
    /// The blocks of the longest beginning of `tokens` that is here.
    pub(crate) fn find(&mut self, tokens: &[TokenId]) -> Vec<Arc<Block>> {
        self.clock += 1;
        let mut parent = None;
        let mut found = Vec::new();
        for chunk in tokens.as_chunks::<BLOCK_TOKENS>().0 {
            let Some(index) = self.children.get(&(parent, *chunk)).copied() else {
                break;
            };
            if let Some(node) = &mut self.nodes[index] {
                node.last_used = self.clock;
                found.push(node.block.clone());
            }
            parent = Some(index);
        }
        found
    }

    /// Adds the full blocks of a sequence. Where a beginning is here already, its block stays: it holds the same.
    pub(crate) fn insert(&mut self, tokens: &[TokenId], blocks: &[Arc<Block>]) {
        self.clock += 1;
        let mut parent = None;
        for (chunk, block) in tokens.as_chunks::<BLOCK_TOKENS>().0.iter().zip(blocks) {
            let key = (parent, *chunk);
            let index = match self.children.get(&key) {
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
        self.children.len()
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
                .filter(|(_, node)| node.children == 0 && Arc::strong_count(&node.block) == 1)
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
            children: 0,
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
        self.children.insert(key, index);
        self.count_child(key.0, 1);
        index
    }

    fn remove(&mut self, index: usize) {
        if let Some(node) = self.nodes[index].take() {
            self.children.remove(&node.key);
            self.vacant.push(index);
            self.count_child(node.key.0, -1);
        }
    }

    fn count_child(&mut self, parent: Option<usize>, change: isize) {
        if let Some(node) = parent.and_then(|parent| self.nodes[parent].as_mut()) {
            node.children = node.children.saturating_add_signed(change);
        }
    }
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

    #[test]
    fn the_longest_common_beginning_is_found_in_whole_blocks() {
        let (pool, mut tree) = (pool(8), PrefixTree::default());
        let blocks = take(&pool, 3);
        tree.insert(&tokens(100, 0, 3), &blocks);
        assert_eq!(tree.find(&tokens(100, 0, 3)).len(), 3);
        assert_eq!(tree.find(&tokens(100, 0, 3)[..47]).len(), 2);
        assert_eq!(tree.find(&tokens(100, 0, 5)).len(), 3);
        assert_eq!(tree.find(&tokens(7, 0, 3)).len(), 0);
        let found = tree.find(&tokens(100, 0, 2));
        assert!(found.iter().zip(&blocks).all(|(a, b)| Arc::ptr_eq(a, b)));
    }

    #[test]
    fn branches_share_their_stem_and_a_second_copy_is_let_go() {
        let (pool, mut tree) = (pool(8), PrefixTree::default());
        tree.insert(&tokens(100, 2, 3), &take(&pool, 3));
        tree.insert(&tokens(200, 2, 3), &take(&pool, 3));
        assert_eq!(tree.len(), 4);
        assert_eq!(pool.free_blocks(), 4, "the second stem's blocks went back");
        assert_eq!(tree.find(&tokens(100, 2, 3)).len(), 3);
        assert_eq!(tree.find(&tokens(200, 2, 3)).len(), 3);
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
            tree.find(&tokens(200, 1, 3)).len(),
            3,
            "used after the other leaf"
        );
        assert_eq!(tree.find(&tokens(100, 1, 3)).len(), 2);
        assert_eq!(tree.evict(9), 2);
        assert_eq!(tree.len(), 2);
        drop(held);
        assert_eq!(tree.evict(9), 2);
        assert_eq!(pool.free_blocks(), 8, "every block is back");
    }
}
