//! Making a given value uniform: what people paste is more than what is asked.

use super::Variable;
use crate::model::definition::Normalisation;

impl Variable {
    /// The value as it is kept: normalised, without the prefix and suffix that are shown around it. Of a value that is
    /// uniform nothing more is taken, so that what is used is what was checked.
    #[must_use]
    pub fn uniform(&self, given: &str) -> String {
        let mut value = given.to_owned();
        loop {
            let next = self.more_uniform(&value);
            if next == value {
                return value;
            }
            value = next;
        }
    }

    fn more_uniform(&self, given: &str) -> String {
        let mut value = given.to_owned();
        for normalisation in &self.normalise {
            value = apply(*normalisation, &value);
        }
        let bare = value.strip_prefix(&*self.prefix).unwrap_or(&value);
        let bare = match &*self.suffix {
            "" => bare,
            suffix => bare.strip_suffix(suffix).unwrap_or(bare),
        };
        bare.to_owned()
    }
}

fn apply(normalisation: Normalisation, value: &str) -> String {
    match normalisation {
        Normalisation::Trim => value.trim().to_owned(),
        Normalisation::Lower => value.to_lowercase(),
        Normalisation::StripScheme => without_scheme(value).to_owned(),
        Normalisation::StripSlash => value.trim_end_matches('/').to_owned(),
        Normalisation::StripPath => {
            let scheme = value.len() - without_scheme(value).len();
            let host = value.get(scheme..).unwrap_or_default();
            let end = host.find('/').unwrap_or(host.len());
            value.get(..scheme + end).unwrap_or(value).to_owned()
        }
    }
}

fn without_scheme(value: &str) -> &str {
    ["https://", "http://"]
        .iter()
        .find_map(|scheme| value.strip_prefix(scheme))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::definition::VariableDefinition;

    #[test]
    fn what_is_pasted_becomes_what_is_asked() {
        use Normalisation as N;
        for (normalise, given, kept) in [
            (vec![], "acme", "acme"),
            (vec![], "https://acme.shop.example", "acme"),
            (
                vec![N::StripSlash, N::Trim, N::Lower],
                " https://ACME.shop.example/ ",
                "acme",
            ),
            (
                vec![N::StripScheme, N::StripPath],
                "https://acme/x/y",
                "acme",
            ),
            (vec![N::StripPath], "https://acme/x/y", "acme"),
        ] {
            let variable = Variable::parse(&VariableDefinition {
                prefix: Some("https://".to_owned()),
                suffix: Some(".shop.example".to_owned()),
                normalise: normalise.clone(),
                ..VariableDefinition::new("shop")
            })
            .unwrap();
            assert_eq!(variable.uniform(given), kept, "{normalise:?} {given}");
        }
    }
}
