//! The contract with everybody else: a client in another language, with nothing but `schemas/`.

mod python;
