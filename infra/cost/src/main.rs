//! Prints what a deployment costs: `cargo run -p latchkey-cost`.

use std::io::{self, Write as _};

fn main() -> io::Result<()> {
    let (table, watching) = (latchkey_cost::table(), latchkey_cost::watching());
    write!(io::stdout(), "{table}\n{watching}")
}
