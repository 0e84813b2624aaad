//! Types as constant evaluation follows them: it can't call the function pointers of [`TypeRef`](super::TypeRef), and a
//! constant can't contain itself, as a type may.

use super::check::Program;
use super::{FieldType, FieldValue};

/// What constant evaluation knows of a type.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// The type.
    pub ty: &'static FieldType,
    /// The programs of the `regex` constraints of its fields.
    pub programs: &'static [Program],
}

impl Table {
    /// A type and the programs of its fields' `regex` constraints.
    #[must_use]
    pub const fn new(ty: &'static FieldType, programs: &'static [Program]) -> Self {
        Table { ty, programs }
    }
}

/// A [`Table`] by its address, if there is one.
///
/// A raw pointer, because rustc looks through references when it validates a constant, and would find a recursive
/// type's table to depend on itself. It does not look through this, and reads it only where a check does.
#[derive(Debug, Clone, Copy)]
pub struct Known(Option<Address>);

#[derive(Debug, Clone, Copy)]
struct Address(*const Table);

// SAFETY: it is only ever made of a `&'static Table`, which may be sent and shared.
unsafe impl Send for Address {}
// SAFETY: as above.
unsafe impl Sync for Address {}

impl Known {
    /// Constant evaluation knows nothing of the type.
    pub const NOTHING: Known = Known(None);

    /// The type of `T`, which has no fields of its own.
    #[must_use]
    pub const fn of<T: FieldValue>() -> Self {
        Known::at(const { &Table::new(T::TYPE, &[]) })
    }

    /// The type in this table.
    #[must_use]
    pub const fn at(table: &'static Table) -> Self {
        Known(Some(Address(table)))
    }

    /// The table.
    #[must_use]
    pub const fn table(self) -> Option<&'static Table> {
        match self.0 {
            // SAFETY: `at` made the pointer of a `&'static Table`.
            Some(Address(table)) => Some(unsafe { &*table }),
            None => None,
        }
    }

    /// The programs of the `regex` constraints of the type's fields.
    #[must_use]
    pub const fn programs(self) -> &'static [Program] {
        match self.table() {
            Some(table) => table.programs,
            None => &[],
        }
    }
}
