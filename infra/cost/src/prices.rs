//! Prices of AWS in us-east-1, in US dollars, without free tiers, as published; seen 2026-11-26.

/// One write request unit on demand: 1 KiB written (<https://aws.amazon.com/dynamodb/pricing/on-demand/>).
pub(crate) const WRITE_UNIT: f64 = 0.625e-6;
/// One read request unit on demand: 4 KiB read, strongly consistent (the same page).
pub(crate) const READ_UNIT: f64 = 0.125e-6;
/// A GB of table for a month, with point-in-time recovery (0.25 and 0.20; the same page).
pub(crate) const TABLE_GB: f64 = 0.25 + 0.20;
/// A GB-second of Lambda on arm64 (<https://aws.amazon.com/lambda/pricing/>).
pub(crate) const GB_SECOND: f64 = 0.000_013_333_4;
/// An invocation of Lambda (the same page).
pub(crate) const INVOCATION: f64 = 0.20e-6;
/// A request to SQS, standard queue (<https://aws.amazon.com/sqs/pricing/>).
pub(crate) const QUEUE_REQUEST: f64 = 0.40e-6;
/// A request to an HTTP API (<https://aws.amazon.com/api-gateway/pricing/>).
pub(crate) const API_REQUEST: f64 = 1.00e-6;
/// A secret for a month (<https://aws.amazon.com/secrets-manager/pricing/>).
pub(crate) const SECRET: f64 = 0.40;
/// A call to Secrets Manager (the same page).
pub(crate) const SECRETS_CALL: f64 = 0.05 / 10_000.0;
/// A GB of logs taken in (<https://aws.amazon.com/cloudwatch/pricing/>).
pub(crate) const LOG_GB: f64 = 0.50;
/// A metric of one's own that is sent all month; by the hour if it is not (the same page).
pub(crate) const METRIC: f64 = 0.30;
/// An alarm on one metric (the same page).
pub(crate) const ALARM: f64 = 0.10;
/// A dashboard (the same page).
pub(crate) const DASHBOARD: f64 = 3.00;
