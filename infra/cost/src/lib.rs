//! What a deployment costs a month in AWS, and which quota it comes nearest to.

pub mod calls;
mod prices;
mod quotas;
mod table;
mod usage;

pub use table::table;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_readme_is_the_one_that_is_printed() {
        let readme = include_str!("../../../README.md");
        assert!(readme.contains(&table()), "{}", table());
    }
}
