//! The performance budget: what a function may be and take.

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// How large a binary may be, in bytes.
pub const LARGEST_BINARY: u64 = 8 * MIB;
/// How large a package may be, as it is uploaded, in bytes.
pub const LARGEST_PACKAGE: u64 = 4 * MIB;
/// How much memory a function may ever hold, in KiB.
pub const MOST_MEMORY_KIB: u64 = 16 * KIB;

/// How many instructions a function may take, in thousands, at three times.
///
/// Until it asks for its first event; for its first, with the TLS handshakes of the store and, where something is sealed or
/// opened, of the Secrets Manager; and for each further one.
///
/// The first is what we set ourselves: 3.0 million, or 3.5 with an HTTP client for providers. The others are what was
/// reached, and a tenth.
pub const INSTRUCTIONS: [(&str, [u64; 3]); 6] = [
    ("auth-methods", [3_500, 4_100, 860]),
    ("authorise", [3_000, 8_500, 1_800]),
    ("authorizer", [3_000, 4_030, 800]),
    ("callback", [3_500, 11_600, 5_050]),
    ("credentials", [3_500, 7_200, 990]),
    ("refresher", [3_500, 10_800, 4_100]),
];
