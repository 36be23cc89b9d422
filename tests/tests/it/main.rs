//! The stories.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that can not go on fails where it stands"
)]

mod architecture;
mod asking_again;
mod browser;
mod connecting;
mod contract;
mod costing;
mod definitions;
mod deployed;
mod discovering;
mod events;
mod failing;
mod files;
mod following;
mod handing_over;
mod hostile;
mod interfering;
mod killed;
mod lapsed;
mod late;
mod linting;
mod method_secrets;
mod operating;
mod presets;
mod previewing;
mod providers;
mod quickstart;
mod quirks;
mod racing;
mod refreshing;
mod rehousing;
mod scheduling;
mod scripted;
mod secrets;
mod stateless;
mod strict;
mod sweeping;
mod template;
mod unasked;
mod vault_trouble;
mod vaults;
mod watch;
mod watching;
