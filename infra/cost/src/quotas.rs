//! Quotas of AWS for an account in one region, as they are unless raised; seen 2026-11-26.

/// Writes a second to one table on demand
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>).
pub(crate) const TABLE_WRITES: f64 = 40_000.0;
/// Writes a second to one partition of a table or an index
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>).
pub(crate) const PARTITION_WRITES: f64 = 1_000.0;
/// `PutSecretValue` and `UpdateSecretVersionStage` a second, each
/// (<https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html>).
pub(crate) const SECRET_WRITES: f64 = 50.0;
/// Secrets (the same page).
pub(crate) const SECRETS: f64 = 500_000.0;
/// Invocations of Lambda under way (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
pub(crate) const CONCURRENCY: f64 = 1_000.0;
