//! Memory of vectors that is used again by vectors of what borrows from elsewhere.

/// An empty vector in the memory of another one, whose elements are dropped. The two types are one but for its lifetimes:
/// collecting then stays in place, as the test of allocations asserts.
pub(crate) fn recycled<A, B>(mut used: Vec<A>) -> Vec<B> {
    used.clear();
    used.into_iter().filter_map(|_| None).collect()
}
