use latchkey_import::{ImportError, Imported, Source, import};
use serde_json::{Value, json};

use crate::world::{assert_says, entries, said, unsaid, yaml};

const QUERY: &str = "?client_id={ClientId}&response_type=code&redirect_uri={RedirectUrl}&scope={Scopes}&state={State}";
const BODY: &str = "grant_type=authorization_code&code={Code}&client_id={ClientId}&client_secret={ClientSecret}&redirect_uri={RedirectUrl}";
const RENEW: &str = "grant_type=refresh_token&refresh_token={RefreshToken}&client_id={ClientId}&client_secret={ClientSecret}";

/// The properties of a connector with these custom parameters, and these connection parameters beside.
fn properties(custom: &Value, beside: &Value) -> Value {
    let mut parameters = json!({
        "authorizationUrlTemplate": {"value": "https://login.example.com/authorize"},
        "authorizationUrlQueryStringTemplate": {"value": QUERY},
        "tokenUrlTemplate": {"value": "https://login.example.com/token"},
        "tokenBodyTemplate": {"value": BODY},
        "refreshUrlTemplate": {"value": "https://login.example.com/token"},
        "refreshBodyTemplate": {"value": RENEW},
    });
    for (key, value) in custom.as_object().unwrap() {
        parameters[key] = json!({ "value": value });
    }
    let mut connection = beside.clone();
    connection["token"] = json!({"type": "oauthSetting", "oAuthSettings": {"identityProvider": "oauth2generic", "customParameters": parameters}});
    json!({"properties": {"displayName": "Example", "connectionParameters": connection}})
}

fn one(custom: &Value, beside: &Value) -> Imported {
    entries(
        Source::PowerPlatform,
        &properties(custom, beside).to_string(),
    )
    .remove(0)
}

/// The entry of these OAuth settings.
fn with_settings(settings: &Value) -> Vec<Imported> {
    let document = json!({"properties": {"connectionParameters": {"token": {"type": "oauthSetting", "oAuthSettings": settings}}}});
    entries(Source::PowerPlatform, &document.to_string())
}

#[test]
fn usual_templates_are_a_plain_definition() {
    let entry = one(&json!({}), &json!({}));
    let expected = "\
name: Example
client:
  authentication: body
authorise:
  url: https://login.example.com/authorize
  pkce: none
token:
  url: https://login.example.com/token
";
    assert_says(&entry, "example", expected);
}

#[test]
fn each_template_is_said() {
    let challenged = format!("{QUERY}&code_challenge={{CodeChallenge}}&code_challenge_method=S256");
    let cases = [
        (
            json!({"authorizationUrlQueryStringTemplate": challenged, "tokenBodyTemplate": format!("{BODY}&code_verifier={{CodeVerifier}}")}),
            "/authorise",
            json!({"url": "https://login.example.com/authorize"}),
        ),
        (
            json!({"authorizationUrlQueryStringTemplate": format!("{QUERY}&prompt=consent&x=a%20b")}),
            "/authorise/query",
            json!({"prompt": "consent", "x": "a b"}),
        ),
        (
            json!({"authorizationUrlQueryStringTemplate": QUERY.replace("client_id", "app_id")}),
            "/authorise/query",
            json!({"client_id": null, "app_id": "{{client.id}}"}),
        ),
        (
            json!({"authorizationUrlQueryStringTemplate": QUERY.replace("&scope={Scopes}", "")}),
            "/authorise/query",
            json!({"scope": null}),
        ),
        (
            json!({"authorizationUrlQueryStringTemplate": format!("/new{QUERY}")}),
            "/authorise/url",
            json!("https://login.example.com/authorize/new"),
        ),
        (
            json!({"authorizationUrlQueryStringTemplate": QUERY.to_lowercase()}),
            "/authorise/query",
            Value::Null,
        ),
        (
            json!({"authorizationUrlQueryStringTemplate": ""}),
            "/authorise/query",
            Value::Null,
        ),
        (
            json!({"tokenBodyTemplate": BODY.replace("&redirect_uri={RedirectUrl}", "&x=y")}),
            "/token/body",
            json!({"redirect_uri": null, "x": "y"}),
        ),
        (
            json!({"tokenBodyTemplate": BODY.replace("&client_secret={ClientSecret}", "")}),
            "/client/authentication",
            json!("none"),
        ),
        (
            json!({"tokenBodyTemplate": BODY.replace("client_secret", "secret")}),
            "/client/authentication",
            json!("custom"),
        ),
        (
            json!({"tokenBodyTemplate": BODY.replace("client_secret", "secret")}),
            "/token/body",
            json!({"client_id": "{{client.id}}", "secret": "{{client.secret}}"}),
        ),
        (
            json!({"refreshBodyTemplate": RENEW.replace("&client_secret={ClientSecret}", "")}),
            "/refresh/authentication",
            json!("none"),
        ),
        (
            json!({"refreshBodyTemplate": RENEW.replace("grant_type=refresh_token&", "old={AccessToken}&")}),
            "/refresh/body",
            json!({"grant_type": null, "old": "{{token.access_token}}"}),
        ),
        (
            json!({"refreshUrlTemplate": "https://login.example.com/renew"}),
            "/refresh/url",
            json!("https://login.example.com/renew"),
        ),
        (
            json!({"tokenUrlQueryStringTemplate": "?v=2"}),
            "/token/query",
            json!({"v": "2"}),
        ),
        (
            json!({"refreshUrlQueryStringTemplate": "?v=2"}),
            "/refresh/query",
            json!({"v": "2"}),
        ),
        (
            json!({"tokenBodyTemplate": "", "tokenUrlQueryStringTemplate": format!("?{BODY}")}),
            "/token/parameters_in",
            json!("query"),
        ),
        (
            json!({"scopeListDelimiter": ","}),
            "/authorise/scope_separator",
            json!(","),
        ),
        (
            json!({"base": "https://login.example.com/", "tokenUrlTemplate": "{Base}oauth"}),
            "/token/url",
            json!("https://login.example.com/oauth"),
        ),
    ];
    for (custom, pointer, expected) in cases {
        let entry = one(&custom, &json!({}));
        assert_eq!(
            said(&entry, pointer),
            expected,
            "{custom}\n{}",
            yaml(&entry)
        );
        assert_eq!(entry.unsaid, [], "{custom}");
    }
}

#[test]
fn connection_parameters_become_variables() {
    let beside = json!({
        "token:Tenant": {"type": "string", "uiDefinition": {"displayName": "Tenant", "description": "Yours", "tooltip": "Yours", "constraints": {"required": "true"}}},
        "region": {"type": "string", "uiDefinition": {"constraints": {"required": "false", "allowedValues": [{"text": "Europe", "value": "eu"}, {"value": "us"}]}}},
        "password": {"type": "securestring", "defaultValue": null},
        "count": {"type": "int", "defaultValue": "3"},
        "loud": {"type": "bool", "uiDefinition": {"constraints": {"hidden": "true"}}},
    });
    let custom = json!({"tokenUrlTemplate": "https://{tenant}.example.com/token", "tokenBodyTemplate": format!("{BODY}&acr=t:{{Region}}")});
    let entry = one(&custom, &beside);
    let expected = json!([
        {"key": "Tenant", "label": "Tenant", "help": "Yours", "from": "user", "pattern": "[A-Za-z0-9-]+"},
        {"key": "region", "label": "region", "type": "choice", "from": "user", "required": false, "choices": [{"value": "eu", "label": "Europe"}, "us"]},
        {"key": "password", "label": "password", "type": "secret", "from": "user"},
        {"key": "count", "label": "count", "type": "number", "from": "user", "default": "3"},
        {"key": "loud", "label": "loud", "type": "boolean", "from": "user", "advanced": true},
    ]);
    assert_eq!(entry.definition["variables"], expected);
    assert_eq!(
        entry.definition["token"]["url"],
        "https://{{Tenant}}.example.com/token"
    );
    assert_eq!(
        entry.definition["token"]["body"],
        json!({"acr": "t:{{region}}"})
    );
    assert_eq!(unsaid(&entry), ["variables.Tenant"]);
}

#[test]
fn plain_settings_need_urls_only() {
    let settings = json!({
        "identityProvider": "oauth2",
        "scopes": ["a b", "c"],
        "customParameters": {
            "authorizationUrl": {"value": "https://login.example.com/authorize"},
            "tokenUrl": {"value": "https://login.example.com/token"},
            "refreshUrl": {"value": "https://login.example.com/renew"},
        },
    });
    let entry = with_settings(&settings).remove(0);
    let expected = "\
name: Example
client:
  authentication: body
authorise:
  url: https://login.example.com/authorize
  scopes: [\"{{scope}}\", a, b, c]
  pkce: none
token:
  url: https://login.example.com/token
refresh:
  url: https://login.example.com/renew
";
    assert_says(&entry, "example", expected);
}

#[test]
fn the_directory_has_its_usual_urls() {
    let settings = json!({
        "identityProvider": "aad",
        "customParameters": {"loginUri": {"value": "https://login.windows.net/"}, "resourceUri": {"value": "https://api.example.com"}, "tenantId": "t1"},
    });
    let definition = with_settings(&settings).remove(0).definition;
    assert_eq!(
        definition["authorise"],
        json!({"url": "https://login.windows.net/t1/oauth2/authorize", "query": {"resource": "https://api.example.com"}})
    );
    assert_eq!(
        definition["token"],
        json!({"url": "https://login.windows.net/t1/oauth2/token", "body": {"resource": "https://api.example.com"}})
    );
    assert_eq!(
        definition["refresh"],
        json!({"body": {"resource": "https://api.example.com"}})
    );
    let bare = with_settings(&json!({"identityProvider": "AAD"}))
        .remove(0)
        .definition;
    assert_eq!(
        bare["token"],
        json!({"url": "https://login.microsoftonline.com/common/oauth2/token"})
    );
}

#[test]
fn each_set_of_parameters_is_an_entry() {
    let setting = |provider: &str| {
        json!({"token": {"type": "oauthSetting", "oAuthSettings": {"identityProvider": provider, "customParameters": {
            "authorizationUrl": {"value": "https://a.example.com"}, "tokenUrl": {"value": "https://t.example.com"},
        }}}})
    };
    let document = json!({"properties": {"displayName": "Many", "connectionParameterSets": {"values": [
        {"name": "one", "parameters": setting("oauth2")},
        {"name": "key", "parameters": {"api_key": {"type": "securestring"}}},
        {"name": "builtin", "parameters": setting("github")},
    ]}}});
    let all = entries(Source::PowerPlatform, &document.to_string());
    let found: Vec<_> = all
        .iter()
        .map(|entry| (entry.name.as_str(), entry.definition.is_null()))
        .collect();
    assert_eq!(
        found,
        [("many-one", false), ("key", true), ("many-builtin", true)]
    );
    assert_eq!(
        unsaid(&all[1]),
        ["properties.connectionParameterSets.values.1.parameters"]
    );
    assert_eq!(
        unsaid(&all[2]),
        [
            "properties.connectionParameterSets.values.2.parameters.token.oAuthSettings.identityProvider"
        ]
    );
}

#[test]
fn what_cannot_be_said_is_named() {
    let custom = "properties.connectionParameters.token.oAuthSettings.customParameters";
    for (more, key) in [
        (json!({"spare": "x"}), "spare"),
        (json!({"spare": []}), "spare"),
        (
            json!({"tokenBodyTemplate": format!("{BODY}&x={{Nobody}}")}),
            "tokenbodytemplate",
        ),
        (
            json!({"tokenBodyTemplate": format!("{BODY}&x={{Open")}),
            "tokenbodytemplate",
        ),
        (
            json!({"tokenBodyTemplate": format!("{BODY}&other={{CodeVerifier}}")}),
            "tokenbodytemplate",
        ),
        (
            json!({"tokenBodyTemplate": "{\"code\": \"x\"}"}),
            "tokenbodytemplate",
        ),
        (
            json!({"authorizationUrlQueryStringTemplate": QUERY.replace("&state={State}", "")}),
            "authorizationUrlQueryStringTemplate",
        ),
        (
            json!({"refreshUrlTemplate": "https://{nobody}/"}),
            "refreshUrlTemplate",
        ),
    ] {
        let entry = one(&more, &json!({}));
        assert_eq!(unsaid(&entry), [format!("{custom}.{key}")], "{more}");
    }
    let beside = json!({
        "token:clientId": {"type": "string"}, "token:clientSecret": {"type": "securestring"},
        "gateway": {"type": "gatewaySetting"}, "odd": 1,
        "plain": {"type": "string", "allowedValues": [], "uiDefinition": {"tooltip": "T", "description": "D", "constraints": {"tabIndex": 2, "required": "x"}}},
    });
    let entry = one(&json!({}), &beside);
    let mut found = unsaid(&entry);
    found.sort_unstable();
    let at = "properties.connectionParameters";
    let expected = [
        "gateway.type",
        "odd",
        "plain.uiDefinition.constraints.required",
        "plain.uiDefinition.constraints.tabIndex",
        "plain.uiDefinition.tooltip",
        "token:clientId",
        "token:clientSecret",
    ];
    assert_eq!(found, expected.map(|key| format!("{at}.{key}")));
}

#[test]
fn clients_and_platform_things_are_left_out() {
    let mut document = properties(&json!({}), &json!({}));
    document["properties"]["iconBrandColor"] = "#fff".into();
    document["properties"]["novelty"] = true.into();
    let settings = &mut document["properties"]["connectionParameters"]["token"]["oAuthSettings"];
    settings["clientId"] = "abc".into();
    settings["clientSecret"] = "hush".into();
    settings["redirectMode"] = "Global".into();
    settings["redirectUrl"] = "https://global.example.com/redirect".into();
    settings["properties"] = json!({"IsFirstParty": "False"});
    let entry = entries(Source::PowerPlatform, &document.to_string()).remove(0);
    assert!(!format!("{entry:?}").contains("hush"));
    let at = "properties.connectionParameters.token.oAuthSettings";
    let mut expected = vec![
        "properties.iconBrandColor".to_owned(),
        "properties.novelty".to_owned(),
    ];
    expected.extend(
        [
            "clientId",
            "clientSecret",
            "redirectMode",
            "redirectUrl",
            "properties",
        ]
        .map(|key| format!("{at}.{key}")),
    );
    assert_eq!(unsaid(&entry), expected);
}

#[test]
fn values_that_depend_on_a_choice_are_not_run_together() {
    let mut document = properties(
        &json!({"eu_host": "eu.example.com", "us_host": "us.example.com"}),
        &json!({}),
    );
    let settings = &mut document["properties"]["connectionParameters"]["token"]["oAuthSettings"];
    settings["additionalParameters"] = json!({"EU_host": {"applicableWhen": []}, "us_host": {"applicableWhen": []}, "x": {"type": "string"}});
    settings["customParameters"]["tokenUrlTemplate"] = "https://{EU_host}{US_host}/token".into();
    let Err(ImportError::Nothing { why }) = import(Source::PowerPlatform, &document.to_string())
    else {
        panic!("the hosts were run together");
    };
    assert!(
        why.contains("additionalParameters.EU_host")
            && why.contains("depends on what a person chooses"),
        "{why}"
    );
}

#[test]
fn a_secret_among_the_constants_is_not_imported() {
    let entry = one(
        &json!({"appSecret": "hush", "tokenBodyTemplate": format!("{BODY}&s={{AppSecret}}")}),
        &json!({}),
    );
    assert!(!format!("{entry:?}").contains("hush"), "{entry:?}");
    let at = "properties.connectionParameters.token.oAuthSettings.customParameters";
    assert_eq!(
        unsaid(&entry),
        [format!("{at}.appsecret"), format!("{at}.tokenbodytemplate")]
    );
}

#[test]
fn what_is_no_connector_is_refused() {
    for text in [
        "",
        "{",
        "[]",
        "1",
        "{}",
        r#"{"properties": 1}"#,
        r#"{"properties": {}}"#,
        r#"{"properties": {"connectionParameters": []}}"#,
        r#"{"properties": {"connectionParameterSets": {"values": [{}]}}}"#,
        r#"{"properties": {"connectionParameterSets": 1}}"#,
    ] {
        let result = import(Source::PowerPlatform, text);
        assert!(
            matches!(
                result,
                Err(ImportError::Syntax { .. } | ImportError::Shape { .. })
            ),
            "{text:?}: {result:?}"
        );
    }
    for custom in [
        json!({"authorizationUrlTemplate": "https://{nobody}"}),
        json!({"tokenUrlTemplate": null}),
    ] {
        let result = import(
            Source::PowerPlatform,
            &properties(&custom, &json!({})).to_string(),
        );
        assert!(
            matches!(result, Err(ImportError::Nothing { .. })),
            "{custom}: {result:?}"
        );
    }
    for setting in [
        json!({"type": "oauthSetting"}),
        json!({"oAuthSettings": 1}),
        json!({"type": "string"}),
        json!(7),
    ] {
        let document = json!({"properties": {"connectionParameters": {"token": setting}}});
        assert!(
            import(Source::PowerPlatform, &document.to_string()).is_err(),
            "{document}"
        );
    }
}
