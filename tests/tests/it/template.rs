//! The template: held against judges that others wrote, and against what the code has.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
};

use latchkey_aws::{
    Client, DIMENSION, Environment, Metric, NAMESPACE, StoreSettings, TableNames, create_missing,
};
use latchkey_emulators::{ministack, tools};
use latchkey_refresher::Settings;
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn json(path: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(root().join(path)).unwrap()).unwrap()
}

/// The template with its functions written out (`{"Ref": …}`), as cfn-lint reads it.
fn template() -> Value {
    const READ: &str = "import cfnlint.decode, json, sys
template, faults = cfnlint.decode.decode(sys.argv[1])
print(json.dumps(template))";
    let output = Command::new(tools("sam").join("bin/python"))
        .args(["-c", READ])
        .arg(root().join("template.yaml"))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The template's resources of a type, by name.
fn of_type<'a>(template: &'a Value, wanted: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let resources = template["Resources"].as_object().unwrap();
    resources
        .iter()
        .filter(move |(_, resource)| resource["Type"] == wanted)
        .map(|(name, resource)| (name.as_str(), &resource["Properties"]))
}

/// Runs a judge over the template: it has nothing to say.
fn judged(program: PathBuf, arguments: &[&str]) {
    let output = Command::new(program)
        .args(arguments)
        .arg(root().join("template.yaml"))
        // It needs to know a region; nobody is asked anything.
        .envs([
            ("AWS_DEFAULT_REGION", "eu-central-1"),
            ("SAM_CLI_TELEMETRY", "0"),
        ])
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{said}");
}

#[test]
fn cfn_lint_finds_nothing() {
    judged(tools("sam").join("bin/cfn-lint"), &[]);
}

#[test]
fn sam_finds_it_valid() {
    let arguments = ["validate", "--lint", "--template"];
    judged(tools("sam").join("bin/sam"), &arguments);
}

/// The parts of a `Fn::Sub` such as `integrations/${CredentialsIntegration}`.
fn substituted<'a>(value: &'a Value, before: &str) -> &'a str {
    let text = value["Fn::Sub"].as_str().unwrap();
    let name = text.strip_prefix(before).unwrap();
    name.trim_start_matches("${").trim_end_matches('}')
}

/// A route takes any method: what a path does not know is its function's to refuse, with a problem.
#[test]
fn its_routes_are_those_of_the_api_and_go_to_the_functions_that_answer_them() {
    let template = template();
    let mut routes = BTreeMap::new();
    let mut functions = BTreeMap::new();
    for (name, route) in of_type(&template, "AWS::ApiGatewayV2::Route") {
        let (method, path) = route["RouteKey"].as_str().unwrap().split_once(' ').unwrap();
        assert_eq!(method, "ANY", "{name}");
        let authorises = match route["AuthorizationType"].as_str().unwrap() {
            "NONE" => false,
            "CUSTOM" => {
                assert_eq!(route["AuthorizerId"]["Ref"], "ApiAuthorizer", "{name}");
                true
            }
            other => panic!("{name}: {other}"),
        };
        let integration = substituted(&route["Target"], "integrations/");
        let uri = &template["Resources"][integration]["Properties"]["IntegrationUri"];
        let function = uri["Fn::GetAtt"][0].as_str().unwrap();
        let binary = &template["Resources"][function]["Metadata"]["BuildProperties"]["Binary"];
        functions.insert(path.to_owned(), binary.as_str().unwrap().to_owned());
        assert!(routes.insert(path.to_owned(), authorises).is_none());
    }

    let document = json("infra/openapi.json");
    let mut expected = BTreeMap::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        // The local server alone has this stream.
        if path == "/v1/events" {
            continue;
        }
        let operations = operations.as_object().unwrap().values();
        let open: BTreeSet<bool> = operations
            .map(|operation| operation["security"] == serde_json::json!([{}]))
            .collect();
        assert_eq!(open.len(), 1, "{path} is open or it is not");
        expected.insert(path.clone(), open.contains(&false));
    }
    assert_eq!(routes, expected);

    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (_, watched) = manifest
        .split_once("[workspace.metadata.lambda.watch.router]")
        .unwrap();
    let mut watched: Vec<(&str, &str)> = watched
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(path, function)| (path.trim_matches('"'), function.trim_matches('"')))
        .collect();
    for (path, function) in &functions {
        let matches = |pattern: &str| match pattern.strip_suffix("{*rest}") {
            Some(before) => path.starts_with(before),
            None => pattern == path,
        };
        let found = watched.iter().find(|(pattern, _)| matches(pattern));
        assert_eq!(
            found.map(|(_, function)| *function),
            Some(function.as_str()),
            "{path} under `cargo lambda watch`"
        );
    }
    watched
        .retain(|(pattern, _)| !pattern.ends_with("{*rest}") && !functions.contains_key(*pattern));
    assert!(watched.is_empty(), "{watched:?}");
}

/// A table as a line: its keys and its index with their types, and what it expires by.
type Shape = (
    Vec<String>,
    Vec<(String, Vec<String>, String)>,
    Option<String>,
);

fn declared(table: &Value) -> Shape {
    let types: BTreeMap<&str, &str> = list(&table["AttributeDefinitions"])
        .map(|attribute| {
            (
                text(&attribute["AttributeName"]),
                text(&attribute["AttributeType"]),
            )
        })
        .collect();
    let keys = |schema: &Value| -> Vec<String> {
        list(schema)
            .map(|key| {
                let name = text(&key["AttributeName"]);
                format!("{name} {} {}", types[name], text(&key["KeyType"]))
            })
            .collect()
    };
    let indexes = list(&table["GlobalSecondaryIndexes"])
        .map(|index| {
            (
                text(&index["IndexName"]).to_owned(),
                keys(&index["KeySchema"]),
                text(&index["Projection"]["ProjectionType"]).to_owned(),
            )
        })
        .collect();
    let expires = &table["TimeToLiveSpecification"];
    let expires = (expires["Enabled"] == true).then(|| text(&expires["AttributeName"]).to_owned());
    (keys(&table["KeySchema"]), indexes, expires)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

async fn made(client: &Client, name: &str) -> Shape {
    let answer = client.describe_table().table_name(name).send().await;
    let table = answer.unwrap().table.unwrap();
    let types: BTreeMap<String, String> = table
        .attribute_definitions()
        .iter()
        .map(|attribute| {
            let kind = attribute.attribute_type().as_str().to_owned();
            (attribute.attribute_name().to_owned(), kind)
        })
        .collect();
    let key = |name: &str, kind: &str| format!("{name} {} {kind}", types[name]);
    let keys = table
        .key_schema()
        .iter()
        .map(|part| key(part.attribute_name(), part.key_type().as_str()))
        .collect();
    let indexes = table
        .global_secondary_indexes()
        .iter()
        .map(|index| {
            let projection = index.projection().unwrap().projection_type().unwrap();
            let keys = index
                .key_schema()
                .iter()
                .map(|part| key(part.attribute_name(), part.key_type().as_str()));
            (
                index.index_name().unwrap().to_owned(),
                keys.collect(),
                projection.as_str().to_owned(),
            )
        })
        .collect();
    let answer = client.describe_time_to_live().table_name(name).send().await;
    let expires = answer.unwrap().time_to_live_description.unwrap();
    let expires = expires.attribute_name().map(str::to_owned);
    (keys, indexes, expires)
}

#[tokio::test]
async fn its_tables_are_those_that_the_code_makes() {
    let template = template();
    let settings = StoreSettings {
        tables: TableNames::with_prefix("Template"),
        ..StoreSettings::local(ministack().parse().unwrap())
    };
    let client = settings.client();
    create_missing(&client, &settings.tables).await.unwrap();
    let mut names = BTreeSet::new();
    for (name, table) in of_type(&template, "AWS::DynamoDB::Table") {
        assert_eq!(
            declared(table),
            made(&client, &format!("Template{name}")).await,
            "{name}"
        );
        // What keeps what cannot be got again.
        assert_eq!(table["BillingMode"], "PAY_PER_REQUEST", "{name}");
        assert_eq!(
            table["DeletionProtectionEnabled"]["Ref"],
            "DeletionProtection"
        );
        assert_eq!(table["SSESpecification"]["SSEEnabled"], true, "{name}");
        let recovery = &table["PointInTimeRecoverySpecification"];
        assert_eq!(recovery["PointInTimeRecoveryEnabled"], true, "{name}");
        assert_eq!(template["Resources"][name]["DeletionPolicy"], "Retain");
        names.insert(format!("Template{name}"));
    }
    let TableNames {
        connectors,
        instances,
        hosts,
        authorisations,
        api_keys,
    } = settings.tables;
    let code = BTreeSet::from([connectors, instances, hosts, authorisations, api_keys]);
    assert_eq!(names, code);
}

/// What functions read that the template does not give, each with the reason.
const NOT_GIVEN: [(&str, &str); 3] = [
    ("LATCHKEY_MODE", "nothing said is the cloud"),
    (
        "LATCHKEY_TICK_SECONDS",
        "nothing said is the schedule's minute",
    ),
    ("LATCHKEY_FIRST_KEY_SECRET", "the authorizer's alone"),
];

#[test]
fn its_variables_are_those_that_functions_read() {
    let template = template();
    let variables = |of: &Value| -> BTreeMap<String, Value> {
        let variables = of["Environment"]["Variables"].as_object();
        let pairs = variables.into_iter().flatten();
        pairs
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    let globals = variables(&template["Globals"]["Function"]);
    let mut own = BTreeMap::new();
    for (name, function) in of_type(&template, "AWS::Serverless::Function") {
        own.extend(
            variables(function)
                .into_keys()
                .map(|variable| (variable, name)),
        );
    }
    assert_eq!(
        own,
        BTreeMap::from([("LATCHKEY_FIRST_KEY_SECRET".to_owned(), "AuthorizerFunction")])
    );

    for vault in ["secrets-manager", "leaving-secrets-manager", "sealed"] {
        let asked = RefCell::new(BTreeSet::new());
        let lookup = |name: &str| {
            if name.starts_with("LATCHKEY_") {
                asked.borrow_mut().insert(name.to_owned());
            }
            let given = match name {
                "AWS_REGION" => "eu-central-1",
                "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "x",
                "LATCHKEY_VAULT" => vault,
                "LATCHKEY_BASE_URL" => "https://connect.example.com",
                "LATCHKEY_QUEUE_URL" => "https://sqs.eu-central-1.amazonaws.com/1/queue",
                _ => return globals.get(name).map(|value| parameter(&template, value)),
            };
            Some(given.to_owned())
        };
        let _ = Environment::from_lookup(&lookup).unwrap();
        let _ = Settings::from_lookup(&lookup).unwrap();
        let mut read = asked.into_inner();
        for (name, why) in NOT_GIVEN {
            assert!(read.remove(name), "{name} is not read: {why}");
        }
        if vault == "sealed" {
            let secrets = ["LATCHKEY_SECRET_PREFIX", "LATCHKEY_SECRET_RECOVERY_DAYS"];
            read.extend(secrets.map(str::to_owned));
        }
        assert_eq!(read, globals.keys().cloned().collect());
    }
}

/// What a variable is by default: its parameter's default, or anything where a resource is named.
fn parameter(template: &Value, value: &Value) -> String {
    let default = &template["Parameters"][value["Ref"].as_str().unwrap_or("")]["Default"];
    match default {
        Value::String(text) => text.clone(),
        Value::Null => "x".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            default.to_string()
        }
    }
}

/// What else the page is about.
const OF_NO_ALARM: [&str; 3] = ["Where to look", "Keys", "Moving to the other vault"];

#[test]
fn each_alarm_has_its_section_in_the_page_on_running_it() {
    let template = template();
    let page = std::fs::read_to_string(root().join("infra/RUNNING.md")).unwrap();
    let sections: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .filter(|title| !OF_NO_ALARM.contains(title))
        .collect();
    let mut alarms = BTreeSet::new();
    for (name, alarm) in of_type(&template, "AWS::CloudWatch::Alarm") {
        let title = name.strip_suffix("Alarm").unwrap();
        let said = text(&alarm["AlarmDescription"]);
        assert!(
            said.ends_with(&format!("See infra/RUNNING.md, {title}.")),
            "{said}"
        );
        alarms.insert(title);
    }
    assert_eq!(alarms, sections);
}

#[test]
fn each_metric_is_explained_in_the_page_on_running_it() {
    let page = std::fs::read_to_string(root().join("infra/RUNNING.md")).unwrap();
    let rows: String = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    for metric in Metric::ALL {
        let name = metric.name();
        assert!(rows.contains(&format!("`{name}`")), "{name}");
    }
}

/// Checks that a metric of ours is one that the code tells, of this stack: its name.
fn ours<'a>(name: &'a str, dimension: &Value, stack: &Value, wanted: &Value) -> &'a str {
    assert_eq!((dimension, stack), (&DIMENSION.into(), wanted), "{name}");
    let told = Metric::ALL.map(Metric::name);
    assert!(told.contains(&name), "{name} is told by nobody");
    name
}

#[test]
fn alarms_watch_metrics_that_are_told() {
    let template = template();
    let mut watched = BTreeSet::new();
    let of_ours = of_type(&template, "AWS::CloudWatch::Alarm")
        .filter(|(_, alarm)| alarm["Namespace"] == NAMESPACE);
    for (_, alarm) in of_ours {
        let (name, dimension) = (text(&alarm["MetricName"]), &alarm["Dimensions"][0]);
        let stack = serde_json::json!({ "Ref": "AWS::StackName" });
        watched.insert(ours(name, &dimension["Name"], &dimension["Value"], &stack));
    }
    assert_eq!(watched.len(), 7);
    let variables = &template["Globals"]["Function"]["Environment"]["Variables"];
    assert_eq!(variables["LATCHKEY_STACK"]["Ref"], "AWS::StackName");
}

#[test]
fn the_dashboard_shows_every_alarm_and_every_metric_and_none_besides() {
    let template = template();
    let file = std::fs::read_to_string(root().join("infra/dashboard.json")).unwrap();
    let body = &template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"];
    assert_eq!(text(body), file, "cargo xtask dashboard");

    let dashboard: Value = serde_json::from_str(&file).unwrap();
    let (mut metrics, mut alarms) = (BTreeSet::new(), BTreeSet::new());
    for widget in list(&dashboard["widgets"]) {
        let properties = &widget["properties"];
        alarms.extend(list(&properties["alarms"]).map(|alarm| {
            let alarm = text(alarm).strip_prefix("${").unwrap();
            alarm.strip_suffix(".Arn}").unwrap()
        }));
        for metric in list(&properties["metrics"]).filter(|metric| metric[0] == NAMESPACE) {
            let (name, stack) = (text(&metric[1]), "${AWS::StackName}".into());
            metrics.insert(ours(name, &metric[2], &metric[3], &stack));
        }
    }
    assert_eq!(metrics, BTreeSet::from(Metric::ALL.map(Metric::name)));
    let made = of_type(&template, "AWS::CloudWatch::Alarm").map(|(name, _)| name);
    assert_eq!(alarms, made.collect());
    let count = u32::try_from(alarms.len()).unwrap();
    assert_eq!(f64::from(count), latchkey_cost::calls::ALARMS);
}
