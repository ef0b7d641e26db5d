//! The executable's parts: configuration, commands, and the workers that perform the engine's effects.
//! Everything that decides about portfolios stands in the core; nothing here does.

pub mod advice;
pub mod avro;
pub mod checkpoints;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod conflate;
pub mod demo;
pub mod errand;
pub mod figure;
pub mod journeys;
pub mod kafka;
pub mod lanes;
pub mod lines;
pub mod memory;
pub mod messages;
pub mod nearest;
pub mod observe;
pub mod outcome;
mod post;
pub mod print;
pub mod project;
pub mod replay;
pub mod sheet;
pub mod stop;
pub mod stored;
pub mod tables;
pub mod topic_layout;
pub mod verify;
pub mod worker;
