//! What a deployment costs a month in AWS, and which quota it comes nearest to.

pub mod calls;
mod prices;
mod quotas;
mod table;
mod usage;

pub use table::{table, watching};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_has_what_is_printed() {
        let readme = include_str!("../../../README.md");
        for printed in [table(), watching()] {
            assert!(readme.contains(&printed), "{printed}");
        }
    }
}
