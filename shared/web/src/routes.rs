//! Routes, and what the OpenAPI document says of them, out of one list of handlers.
//!
//! # Why
//! The document is built from the types of every request and answer, which takes many times what all else does until a
//! function can answer. Only the local server shows it: a function makes its routes alone.

use axum::{
    Router,
    handler::Handler,
    routing::{MethodFilter, on},
};
use utoipa_axum::PathItemExt as _;

#[doc(hidden)]
pub use {axum, pastey, utoipa, utoipa_axum};

/// Makes `router()` and `document()` out of handlers, `module::handler`, those of one path together:
///
/// ```text
/// latchkey_web::routes! { Ports: things::list, things::create; things::read }
/// ```
#[macro_export]
macro_rules! routes {
    ($ports:ty: $($($module:ident::$handler:ident),+);+ $(;)?) => {
        /// The function's routes.
        #[must_use]
        pub fn router() -> $crate::routes::axum::Router<$ports> {
            let router = $crate::routes::axum::Router::new();
            $($(
                let router = $crate::routes::add::<
                    $crate::routes::pastey::paste! { $module::[<__path_ $handler>] }, _, _, _,
                >(router, $module::$handler);
            )+)+
            router
        }

        /// What the OpenAPI document says of them.
        #[must_use]
        pub fn document() -> $crate::routes::utoipa::openapi::OpenApi {
            $crate::routes::utoipa_axum::router::OpenApiRouter::<$ports>::new()
                $(.routes($crate::routes::utoipa_axum::routes!($($module::$handler),+)))+
                .into_openapi()
        }
    };
}

/// A router with a handler more, where its `#[utoipa::path]`, `P`, says.
pub fn add<P, H, T, S>(router: Router<S>, handler: H) -> Router<S>
where
    P: utoipa::Path,
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    let methods = P::methods().into_iter();
    // There is one.
    let filter = methods.map(|method| method.to_method_filter());
    match filter.reduce(MethodFilter::or) {
        Some(filter) => router.route(&P::path(), on(filter, handler)),
        None => router,
    }
}
