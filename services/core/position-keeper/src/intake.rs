//! What each kind of input does to the state: one file each.

mod actions;
mod amending;
mod cash;
mod commands;
mod fills;
mod frames;
mod policies;
mod settling;
mod waits;

pub use waits::Waits;
