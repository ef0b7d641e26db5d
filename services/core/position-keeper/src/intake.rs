//! What each kind of input does to the state: one file each.

mod actions;
mod ahead;
mod amending;
mod cash;
mod commands;
mod fills;
mod frames;
mod policies;
mod risks;
mod settling;
mod waits;

pub use ahead::Ahead;
pub use waits::Waits;
