//! What the words of the metadata mean here.

/// Members that a definition has no place for.
pub(super) const UNSAYABLE: &[(&str, &str)] = &[
    ("jwks_uri", "ID tokens aren't verified by a definition"),
    (
        "userinfo_endpoint",
        "a request for the person's data can be made as a lookup",
    ),
    (
        "registration_endpoint",
        "clients aren't registered by a flow",
    ),
    (
        "end_session_endpoint",
        "ending a session at the provider can't be said",
    ),
    (
        "check_session_iframe",
        "ending a session at the provider can't be said",
    ),
    (
        "device_authorization_endpoint",
        "it belongs to another grant",
    ),
    (
        "backchannel_authentication_endpoint",
        "it belongs to another grant",
    ),
    (
        "pushed_authorization_request_endpoint",
        "pushed requests can't be made",
    ),
    (
        "mtls_endpoint_aliases",
        "TLS with a client certificate can't be said",
    ),
    (
        "tls_client_certificate_bound_access_tokens",
        "TLS with a client certificate can't be said",
    ),
    (
        "dpop_signing_alg_values_supported",
        "tokens bound to a key can't be asked for",
    ),
    (
        "request_parameter_supported",
        "signed requests can't be made",
    ),
    (
        "request_uri_parameter_supported",
        "signed requests can't be made",
    ),
    (
        "require_request_uri_registration",
        "signed requests can't be made",
    ),
    (
        "request_object_signing_alg_values_supported",
        "signed requests can't be made",
    ),
    (
        "require_signed_request_object",
        "signed requests can't be made",
    ),
    (
        "id_token_signing_alg_values_supported",
        "ID tokens aren't verified by a definition",
    ),
    ("subject_types_supported", "it says what ID tokens hold"),
    ("claims_supported", "it says what ID tokens hold"),
    ("claim_types_supported", "it says what ID tokens hold"),
    ("claims_parameter_supported", "it says what ID tokens hold"),
    (
        "acr_values_supported",
        "it says what can be asked for; a parameter asks for it",
    ),
    (
        "display_values_supported",
        "it says what can be asked for; a parameter asks for it",
    ),
    (
        "prompt_values_supported",
        "it says what can be asked for; a parameter asks for it",
    ),
    (
        "ui_locales_supported",
        "it says what can be asked for; a parameter asks for it",
    ),
    (
        "op_policy_uri",
        "a definition has one link to documentation",
    ),
    ("op_tos_uri", "a definition has one link to documentation"),
    (
        "signed_metadata",
        "the metadata's own signature isn't verified",
    ),
];
