//! Processes that are killed, and what is found afterwards.

mod anywhere;
