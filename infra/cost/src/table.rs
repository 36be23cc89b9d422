//! The table, as Markdown.

use std::fmt::Write as _;

use crate::{
    calls::{ALARMS, METRICS},
    prices::{ALARM, DASHBOARD, METRIC},
    usage::{Deployment, Policy, Vault},
};

const SIZES: [(&str, f64); 3] = [("1,000", 1e3), ("100,000", 1e5), ("10,000,000", 1e7)];
const VAULTS: [(&str, Vault); 2] = [
    ("sealed", Vault::Sealed),
    ("secrets-manager", Vault::SecretsManager),
];
const POLICIES: [(&str, Policy); 3] = [
    ("`keep_alive`", Policy::KeepAlive),
    ("eager while used", Policy::EagerWhileUsed),
    ("`always_eager`", Policy::AlwaysEager),
];

/// What a month costs, and the quota that is nearest, for each vault, policy and number of instances.
#[must_use]
pub fn table() -> String {
    let mut text = String::from(
        "| vault | policy | instances | US$ a month | each | nearest quota |\n|---|---|---|---|---|---|\n",
    );
    for (vault_name, vault) in VAULTS {
        for (policy_name, policy) in POLICIES {
            for (size, instances) in SIZES {
                let deployment = Deployment {
                    instances,
                    vault,
                    policy,
                };
                let (cost, (quota, used)) = (deployment.cost(), deployment.binding());
                let over = if used > 1.0 { " **over**" } else { "" };
                // A text takes whatever is written.
                writeln!(
                    text,
                    "| {vault_name} | {policy_name} | {size} | {cost:.2} | {:.5} | {quota}: {:.2} %{over} |",
                    cost / instances,
                    used * 100.0,
                )
                .unwrap_or_default();
            }
        }
    }
    text
}

/// What it costs to watch a deployment, as a sentence.
#[must_use]
pub fn watching() -> String {
    let cost = METRICS * METRIC + ALARMS * ALARM + DASHBOARD;
    format!(
        "Watching a deployment of any size costs US$ {cost:.2} a month more: {ALARMS} alarms, {METRICS} metrics that are always sent, \
         and the dashboard,\nwhich is {DASHBOARD:.2} of it (`ShowDashboard=off`). Of an account's alarms and metrics ten each are \
         free, and of its dashboards three.\n"
    )
}
