//! Prints what a deployment costs: `cargo run -p latchkey-cost`.

use std::io::{self, Write as _};

fn main() -> io::Result<()> {
    write!(io::stdout(), "{}", latchkey_cost::table())
}
