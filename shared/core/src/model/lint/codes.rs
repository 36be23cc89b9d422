//! The table of codes: what each means, and what to do about it.

use super::Severity;

/// A code that a finding can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The stable word.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// When it is said.
    pub when: &'static str,
    /// What to do about it.
    pub help: &'static str,
}

const fn error(code: &'static str, when: &'static str, help: &'static str) -> Code {
    Code {
        code,
        severity: Severity::Error,
        when,
        help,
    }
}

const fn warning(code: &'static str, when: &'static str, help: &'static str) -> Code {
    Code {
        code,
        severity: Severity::Warning,
        when,
        help,
    }
}

const fn note(code: &'static str, when: &'static str, help: &'static str) -> Code {
    Code {
        code,
        severity: Severity::Note,
        when,
        help,
    }
}

/// All codes, by severity and name.
pub const CODES: &[Code] = &[
    error(
        "duplicate_key",
        "Two variables have one key.",
        "Rename one, or drop it.",
    ),
    error(
        "impossible_reference",
        "A template names something that has no value yet where it stands.",
        "Name it later in the flow, or give a stand-in with `default(…)`.",
    ),
    error(
        "invalid_header",
        "A header's name is no name, or belongs to the transport.",
        "Drop it: host, length, connection and cookies are the transport's.",
    ),
    error(
        "invalid_host",
        "An entry of `hosts` is no host name.",
        "Write `api.example.com`, or `*.example.com` for any below.",
    ),
    error(
        "invalid_key",
        "A key is no name, or is taken.",
        "Begin with a letter, then letters, digits and `_`, 64 at most.",
    ),
    error(
        "invalid_name",
        "A name is empty, too long, or holds control characters.",
        "Give it 1 to 200 bytes.",
    ),
    error(
        "invalid_pattern",
        "A regular expression can't be read.",
        "Look-around and back-references are not known.",
    ),
    error(
        "invalid_separator",
        "A separator has no or more than 3 bytes.",
        "Give it 1 to 3 bytes.",
    ),
    error(
        "invalid_template",
        "A template can't be read.",
        "See the sources and functions that the reference lists.",
    ),
    error(
        "invalid_type",
        "A field has a value of another type than it must.",
        "See the JSON Schema for what it may be.",
    ),
    error(
        "invalid_url",
        "A URL can't be read, or carries what it must not.",
        "Begin with `https://`; no user information, no fragment.",
    ),
    error(
        "invalid_value",
        "A variable's own default breaks its rules.",
        "Make the default one of the values that the variable may have.",
    ),
    error(
        "missing",
        "Something is missing that must be there.",
        "Add it.",
    ),
    error(
        "no_metadata",
        "Nothing, or no metadata, is at `discovery_url`. Found when saving.",
        "The message says what came instead. Try the URL from outside your network.",
    ),
    error(
        "not_asked",
        "A value is given for a variable that the provider brings, or that is made from others.",
        "Don't give it.",
    ),
    error(
        "open_host",
        "A value that somebody gives chooses the host, without bounds.",
        "Give its variable a `pattern`, `choices` or `hosts`.",
    ),
    error(
        "out_of_range",
        "A number is outside its bounds.",
        "The message says the bounds.",
    ),
    error(
        "secret_in_definition",
        "A secret has a default.",
        "A definition is shared: give secrets as values.",
    ),
    error(
        "secret_in_sight",
        "A secret would stand where people or logs see it.",
        "Send it in a header or the body; where the provider insists, name it in `authorise.reveals`.",
    ),
    error(
        "too_long",
        "A text is too long.",
        "The message says how long it may be.",
    ),
    error(
        "too_many",
        "There are too many of something.",
        "The message says how many there may be.",
    ),
    error(
        "unasked_pkce",
        "People begin at the provider, and PKCE is on.",
        "Set `pkce: none`: a code that nobody asked for is bound to no challenge.",
    ),
    error(
        "undeclared_variable",
        "A template or condition names a variable that isn't declared.",
        "Declare it, or correct its name.",
    ),
    error(
        "unexpected",
        "Two parts contradict each other.",
        "Drop one of them.",
    ),
    error(
        "unknown_connector_variable",
        "The connector has no variable of this key.",
        "Add it to the connector first.",
    ),
    error(
        "unknown_field",
        "A field isn't part of the language.",
        "Correct its name; the reference lists all fields.",
    ),
    error(
        "unknown_preset",
        "There is no preset of this name.",
        "`GET /v1/presets` lists them.",
    ),
    error(
        "unknown_step",
        "A template names a step that isn't made before it.",
        "Correct the step's id, or move the step forward.",
    ),
    error(
        "unknown_token_set",
        "A template names a token set that no answer brings.",
        "Describe it in `response.tokens`.",
    ),
    error(
        "unknown_variable",
        "A value is given for a variable that isn't declared.",
        "Correct its key, or declare the variable.",
    ),
    error(
        "unresolved_preset",
        "A preset is named and was not written out.",
        "This is a fault of the program that read the file.",
    ),
    error(
        "wrong_metadata",
        "The metadata at `discovery_url` is somebody else's, or can't be believed. Found when saving.",
        "Name the issuer's own URL; where the provider has it wrong, write the URLs out.",
    ),
    warning(
        "absent_value",
        "Something that is sent names an optional variable, and says nothing of what becomes of it without a value.",
        "Set `omit_if_empty` or `when`, give a stand-in with `default(…)`, or make the variable required.",
    ),
    warning(
        "double_authentication",
        "The client shows itself in a header and in the body of one request, which RFC 6749 §2.3 forbids.",
        "Drop the parameter; if the provider wants both, say `basic_and_body`.",
    ),
    warning(
        "doubtful_redirect",
        "The callback URL that is sent need not be a URL.",
        "Give its variable the type `url`; a name in place of a URL goes into the parameters `redirect_uri` themselves.",
    ),
    warning(
        "empty_use",
        "A credential has no part.",
        "Leave `use.headers` out for the Bearer header, or say what the provider wants.",
    ),
    warning(
        "half_pkce",
        "The PKCE challenge is sent without the verifier, or the verifier without the challenge.",
        "Send both, or set `pkce: none`.",
    ),
    warning(
        "misspelt_removal",
        "`null` removes nothing, and its name is nearly a standard parameter's.",
        "Correct the name.",
    ),
    warning(
        "no_introspection",
        "The expiry is to be asked for, and there is no introspection request.",
        "Add `introspect`, or say the expiry in another way.",
    ),
    warning(
        "no_label",
        "A variable that users are asked for has no label.",
        "Give it a `label`: people read the key otherwise.",
    ),
    warning(
        "no_offline_access",
        "The provider is known to give a refresh token only to those who ask, and nothing asks.",
        "Add the parameter or scope that the message names, or set `refresh.mode: none`.",
    ),
    warning(
        "no_state",
        "The state is not sent.",
        "Send `{{flow.state}}` under another name, or set `state.carrier: redirect_uri`.",
    ),
    warning(
        "plain_http",
        "Something is sent without TLS.",
        "Write `https://`; plain http reaches this machine only.",
    ),
    warning(
        "readable_secret",
        "A variable sounds secret and is a plain text.",
        "Set `type: secret`, or `pem` for a private key.",
    ),
    warning(
        "refresh_elsewhere",
        "The refresh request goes to another site than the token request.",
        "Check the URL: a refresh token is worth as much as the connection.",
    ),
    warning(
        "repeated_parameter",
        "A parameter is sent twice, which RFC 6749 §3.1 forbids.",
        "Keep one of them.",
    ),
    warning(
        "repeated_scope",
        "A scope is asked for twice.",
        "Drop one of them.",
    ),
    warning(
        "short_window",
        "A used refresh token works too shortly for anybody to come in time after a worker that has died.",
        "Nothing, if the provider can't be set to more: 21 seconds are enough, and a few more where steps come before.",
    ),
    warning(
        "unopened_secret",
        "The authorise request names a secret of the builder's, which is not opened before the callback.",
        "Ask the user for it, or send it with the token request.",
    ),
    warning(
        "unproven_code",
        "A public client goes without PKCE.",
        "Turn PKCE on (`pkce: S256`), or authenticate the client.",
    ),
    warning(
        "unsent_body",
        "A request without a body has body parameters.",
        "Move them to `query`, or set `body_format`.",
    ),
    warning(
        "unsent_code",
        "The token request leaves the code out.",
        "Send `{{callback.code}}` under another name, or set `callback.code_required: false`.",
    ),
    warning(
        "unsent_scopes",
        "Scopes are listed, and the parameter is taken out.",
        "Send `{{flow.scope}}` under another name, or drop the scopes.",
    ),
    warning(
        "unused_as",
        "A parameter of a form says what it is in JSON.",
        "Drop `as`, or set `body_format: json`.",
    ),
    warning(
        "unused_capture",
        "A value is captured, and nothing uses it.",
        "Use it (`use.values` hands it to callers), or drop the variable.",
    ),
    warning(
        "unused_lifetime",
        "The lifetime is said twice, of which one is never used.",
        "Drop `lifetime_seconds`, or the expiry.",
    ),
    warning(
        "unused_limit",
        "`refresh` says when a refresh token ends, or what is done about it, and it can't come to that.",
        "Drop it: the message says why it is never used.",
    ),
    warning(
        "unused_refresh",
        "A refresh is described that is never made.",
        "Drop the description, or set the mode or the expiry right.",
    ),
    warning(
        "unused_refresh_token",
        "The scope `offline_access` asks for a refresh token that is never used.",
        "Drop the scope, or let `refresh.mode` be.",
    ),
    warning(
        "unused_separator",
        "A scope separator is given, and no scopes.",
        "Drop it, or add scopes.",
    ),
    warning(
        "unused_step",
        "A step is made, and nothing uses its answer.",
        "Name it (`{{step.ID.PATH}}`), or drop the step.",
    ),
    warning(
        "unused_variable",
        "A variable is declared, and nothing uses it.",
        "Use it, or drop it: users would be asked for nothing.",
    ),
    warning(
        "use_without_token",
        "A credential has nothing in it that comes from the provider.",
        "Name `{{token.access_token}}`.",
    ),
    warning(
        "wide_host",
        "`hosts` allows a whole top-level domain.",
        "Name the provider's own domain.",
    ),
    note(
        "filled_when_saved",
        "Something is blank that the metadata at `discovery_url` may say.",
        "Nothing: saving reads the metadata, and looks at what it has filled in.",
    ),
    note(
        "no_documentation",
        "There is no `documentation_url`.",
        "Add the page of the provider that describes this flow.",
    ),
    note(
        "no_help",
        "A variable that users are asked for has no help text.",
        "Say in `help` where people find the value.",
    ),
    note(
        "no_refresh",
        "Nothing is refreshed, though the access token may end.",
        "Nothing, if the provider can't; otherwise describe `refresh`.",
    ),
    note(
        "no_revocation",
        "There is no revocation request.",
        "Add `revoke` if the provider has one.",
    ),
    note(
        "pkce_off",
        "PKCE is off.",
        "Leave it on unless the provider refuses it: most ignore what they don't know.",
    ),
    note(
        "pkce_plain",
        "PKCE goes without a digest.",
        "Use `S256` unless the provider refuses it.",
    ),
    note(
        "secret_in_url",
        "A secret is sent to the provider in a URL.",
        "Send it in a header or the body unless the provider refuses that.",
    ),
    note(
        "unbound_code",
        "The provider returns no state, and PKCE is off.",
        "Set `state.carrier: redirect_uri` or turn PKCE on, unless the provider refuses both.",
    ),
    note(
        "unknown_rotation",
        "Nothing says what becomes of a used refresh token.",
        "Set `refresh.rotation`, so that a lost answer is handled as well as it can be.",
    ),
];

/// What is known of a code.
#[must_use]
pub fn code(code: &str) -> Option<&'static Code> {
    CODES.iter().find(|known| known.code == code)
}

/// The page that documents all codes, in Markdown.
#[must_use]
pub fn page() -> String {
    let mut page = String::from(HEAD);
    for (severity, title) in [
        (Severity::Error, "Errors: what can't be saved"),
        (Severity::Warning, "Warnings: what saves and will bite"),
        (
            Severity::Note,
            "Notes: what is worth knowing, and often can't be helped",
        ),
    ] {
        page.push_str(&format!(
            "\n## {title}\n\n| code | when | what to do |\n|---|---|---|\n"
        ));
        for code in CODES.iter().filter(|code| code.severity == severity) {
            page.push_str(&format!(
                "| `{}` | {} | {} |\n",
                code.code, code.when, code.help
            ));
        }
    }
    page
}

const HEAD: &str = "# What the linter says

Saving a definition, `POST /v1/auth-methods/lint` and `latchkey lint FILE…` look at a definition and say what is wrong with it. Each
finding has a code, the place as a JSON Pointer, why, and what to do. Errors refuse the definition; warnings are in the answer to
saving; notes are for those who ask. `latchkey lint --codes` prints this page.
";
