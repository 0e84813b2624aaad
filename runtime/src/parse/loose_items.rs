//! The items of a list in loose JSON. A long list is a list of numbers, as a rule: as long as nothing else is in it, it is
//! kept as the text it is, a fraction of the memory of a node for each.

use std::borrow::Cow;

use super::loose::{Node, NodeKind};

/// What is in a list.
#[derive(Debug, Clone)]
pub(super) enum Items<'t> {
    Nodes(Vec<Node<'t>>),
    /// Plain numbers, each after a comma and a space or none.
    Numbers {
        at: usize,
        text: &'t str,
        count: usize,
    },
}

impl<'t> Items<'t> {
    pub(super) fn new() -> Self {
        Items::Nodes(Vec::new())
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Items::Nodes(nodes) => nodes.len(),
            Items::Numbers { count, .. } => *count,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The items as nodes, in order.
    pub(super) fn iter(&self) -> Iter<'_, 't> {
        match self {
            Items::Nodes(nodes) => Iter::Nodes(nodes.iter()),
            Items::Numbers { at, text, .. } => Iter::Numbers {
                at: *at,
                rest: Some(text),
            },
        }
    }

    pub(super) fn push(&mut self, node: Node<'t>) {
        if let Items::Nodes(nodes) = self {
            return nodes.push(node);
        }
        let mut nodes: Vec<_> = self.iter().map(Cow::into_owned).collect();
        nodes.push(node);
        *self = Items::Nodes(nodes);
    }

    /// Adds the plain number at `start..end` of the whole text.
    pub(super) fn push_number(&mut self, whole: &'t str, start: usize, end: usize) {
        match self {
            Items::Numbers { at, text, count }
                if matches!(&whole[*at + text.len()..start], "," | ", ") =>
            {
                *text = &whole[*at..end];
                *count += 1;
            }
            Items::Nodes(nodes) if nodes.is_empty() => {
                *self = Items::Numbers {
                    at: start,
                    text: &whole[start..end],
                    count: 1,
                };
            }
            _ => self.push(Node::number(start, &whole[start..end])),
        }
    }

    /// Whether the last item has brackets of its own.
    pub(super) fn end_in_brackets(&self) -> bool {
        let Items::Nodes(nodes) = self else {
            return false;
        };
        let last = nodes.last().map(|node| &node.kind);
        matches!(last, Some(NodeKind::List { .. } | NodeKind::Map { .. }))
    }
}

/// Items as nodes.
pub(super) enum Iter<'a, 't> {
    Nodes(std::slice::Iter<'a, Node<'t>>),
    Numbers { at: usize, rest: Option<&'t str> },
}

impl<'a, 't> Iterator for Iter<'a, 't> {
    type Item = Cow<'a, Node<'t>>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Iter::Nodes(nodes) => nodes.next().map(Cow::Borrowed),
            Iter::Numbers { at, rest } => {
                let text = (*rest)?;
                let end = text.bytes().position(|byte| byte == b',');
                let number = Node::number(*at, &text[..end.unwrap_or(text.len())]);
                *rest = end.map(|end| {
                    let after = &text[end + 1..];
                    let next = after.strip_prefix(' ').unwrap_or(after);
                    *at += text.len() - next.len();
                    next
                });
                Some(Cow::Owned(number))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(whole: &str) -> Items<'_> {
        let mut items = Items::new();
        let mut at = 0;
        for number in whole.split(',') {
            let start = at + number.len() - number.trim_start().len();
            at += number.len() + 1;
            items.push_number(whole, start, at - 1);
        }
        items
    }

    fn listed(items: &Items<'_>) -> Vec<(usize, usize, String)> {
        let shown = |node: Cow<'_, Node<'_>>| {
            let NodeKind::Bare(text) = node.kind else {
                return (node.at, node.end, "no number".to_owned());
            };
            (node.at, node.end, text.to_owned())
        };
        items.iter().map(shown).collect()
    }

    #[test]
    fn numbers_are_the_nodes_that_they_would_be() {
        for whole in ["1", "1,2", "1, -22,3.5", "1,  2", "1,\n2,3", "--,1"] {
            let items = numbers(whole);
            let as_nodes: Vec<_> = whole
                .split(',')
                .map(|number| {
                    let at = number.trim_start().as_ptr() as usize - whole.as_ptr() as usize;
                    let number = number.trim_start();
                    (at, at + number.len(), number.to_owned())
                })
                .collect();
            assert_eq!(listed(&items), as_nodes, "{whole:?}");
            assert_eq!(items.len(), as_nodes.len(), "{whole:?}");
        }
    }

    #[test]
    fn numbers_stay_text_until_something_else_comes() {
        let mut items = numbers("1, 2");
        assert!(matches!(items, Items::Numbers { count: 2, .. }));
        items.push(Node::number(9, "x"));
        assert!(matches!(&items, Items::Nodes(nodes) if nodes.len() == 3));
    }
}
