//! What the random programs are made of.

use proptest::prelude::*;

/// A place in the tree: one to three of the letters.
pub(super) type Place = Vec<u8>;

#[derive(Clone, Debug)]
pub(super) enum Operation {
    Put {
        at: Place,
        size: usize,
    },
    MakeFolder {
        at: Place,
    },
    Move {
        from: Place,
        to: Place,
        overwrites: bool,
    },
    Copy {
        from: Place,
        to: Place,
        overwrites: bool,
    },
    Delete {
        at: Place,
    },
    /// What came to the trash last but so many.
    Undelete {
        back: usize,
    },
    RestoreVersion {
        at: Place,
        back: usize,
    },
    Chunk {
        number: u8,
        size: usize,
    },
    Assemble {
        at: Place,
    },
    Lock {
        at: Place,
    },
    Unlock,
    /// From here on, requests carry the token of the lock, or do not.
    HoldToken(bool),
    Wait {
        seconds: i64,
    },
    /// The client takes over what changed since it last did.
    Report,
}

fn place() -> impl Strategy<Value = Place> {
    proptest::collection::vec(0_u8..3, 1..=3)
}

/// In a row, in one part of a blob, in several.
fn size() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 1_usize..200, 1 => Just(20_000), 1 => Just(300_000)]
}

pub(super) fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        6 => (place(), size()).prop_map(|(at, size)| Operation::Put { at, size }),
        4 => place().prop_map(|at| Operation::MakeFolder { at }),
        3 => (place(), place(), any::<bool>()).prop_map(|(from, to, overwrites)| Operation::Move { from, to, overwrites }),
        2 => (place(), place(), any::<bool>()).prop_map(|(from, to, overwrites)| Operation::Copy { from, to, overwrites }),
        3 => place().prop_map(|at| Operation::Delete { at }),
        3 => (0_usize..3).prop_map(|back| Operation::Undelete { back }),
        2 => (place(), 0_usize..3).prop_map(|(at, back)| Operation::RestoreVersion { at, back }),
        2 => (1_u8..5, size()).prop_map(|(number, size)| Operation::Chunk { number, size }),
        1 => place().prop_map(|at| Operation::Assemble { at }),
        1 => place().prop_map(|at| Operation::Lock { at }),
        1 => Just(Operation::Unlock),
        1 => any::<bool>().prop_map(Operation::HoldToken),
        1 => (1_i64..900).prop_map(|seconds| Operation::Wait { seconds }),
        2 => Just(Operation::Report),
    ]
}
