//! What Latchkey's HTTP functions share: who is asking, problem details, bodies, versions, paging,
//! pages and logs; for axum in one process and for Lambda behind API Gateway alike.

pub mod caller;
pub mod cookie;
pub mod instance;
pub mod json;
pub mod lambda;
pub mod log;
pub mod page;
pub mod paging;
pub mod path;
pub mod problem;
pub mod routes;
pub mod value;
pub mod version;

mod refusal;

pub use problem::Problem;
