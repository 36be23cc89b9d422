//! The demo provider as its clients, its user and its operator meet it, over HTTP.

mod connecting;
mod pages;
mod protecting;
mod refreshing;
mod restarting;
mod revoking;
mod starting;
mod world;
