//! The arrows of the house, held by the compiler's own view of the workspace and by a reading of its
//! sources. Every rule is a pure function over facts, and every rule is shown to fail on a planted
//! example. It starts no server and builds nothing.

mod crates;
mod patches;
mod peers;
mod root;
mod runbooks;
mod sources;
mod tree;
