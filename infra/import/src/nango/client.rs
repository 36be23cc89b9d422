//! How the client of an entry is authenticated.

use serde_json::json;

use super::Draft;
use crate::variables::Giver;

impl Draft {
    /// The source sends the credentials in the body unless it says otherwise; here Basic is what is left out.
    pub(super) fn client(&mut self) {
        let method = self.entry.text("authorization_method", &mut self.report);
        let in_header = method.as_deref() == Some("header");
        if let Some(other) = method.filter(|method| !["header", "body"].contains(&method.as_str()))
        {
            self.report.note(
                "authorization_method",
                format!("{other:?} isn't known here; taken as body"),
            );
        }
        let request = self
            .entry
            .text("token_request_auth_method", &mut self.report);
        let authentication = match (request.as_deref(), in_header) {
            (None, true) => return,
            (None, false) => "body",
            (Some("basic"), true) => "basic",
            (Some("basic"), false) => "basic_and_body",
            (Some("custom"), _) => "custom",
            (Some("private_key_jwt"), _) => return self.private_key(),
            (Some(other), _) => {
                self.report.note(
                    "token_request_auth_method",
                    format!("{other:?} isn't known here; taken as body"),
                );
                "body"
            }
        };
        self.document
            .put(&["client", "authentication"], authentication);
        match request.as_deref() {
            // Written by hand, so its parts are not encoded.
            Some("basic") => self.document.put(&["client", "basic_encoding"], "raw"),
            Some("custom") => self.report.note(
                "token_request_auth_method",
                "the source's own code says how the client is authenticated; only the parameters that are written out are sent",
            ),
            _ => {}
        }
    }

    fn private_key(&mut self) {
        self.document
            .put(&["client", "authentication"], "private_key_jwt");
        self.document.put(
            &["client", "assertion"],
            json!({ "algorithm": "RS256", "key": "{{private_key}}" }),
        );
        let variable = self.variables.declare("private_key", Giver::Builder);
        variable.set("label", "Private key");
        variable.set("type", "pem");
        self.variables.refer("private_key", true);
        self.report.note(
            "token_request_auth_method",
            "the algorithm isn't said; RS256 is a guess",
        );
    }
}
