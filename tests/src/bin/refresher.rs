//! The `refresher` as a process of its own, for tests (`latchkey_tests::refresher`).

fn main() {
    let settings = std::env::args().nth(1);
    latchkey_tests::refresher::work(&settings.unwrap_or_default());
}
