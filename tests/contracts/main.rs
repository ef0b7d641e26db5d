//! Contracts: with a client in another language, which has nothing but `schemas/`; and of the log in memory with a broker.

mod broker;
mod python;
