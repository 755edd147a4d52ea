//! Times in which the engine collects no garbage.
//!
//! A collection looks at every object that there is. QuickJS begins one whenever memory has grown by half, so native code that makes
//! nothing but what is needed has all of it looked at again and again.

use rquickjs::{Ctx, qjs};

/// As long as it is there, the engine does not collect garbage when memory grows.
pub struct NoCollections<'a, 'js> {
    ctx: &'a Ctx<'js>,
    threshold: qjs::size_t,
}

impl<'a, 'js> NoCollections<'a, 'js> {
    pub fn begin(ctx: &'a Ctx<'js>) -> Self {
        // SAFETY: a context has a runtime, and it is only asked for a number and told one.
        let threshold = unsafe {
            let runtime = qjs::JS_GetRuntime(ctx.as_raw().as_ptr());
            let threshold = qjs::JS_GetGCThreshold(runtime);
            qjs::JS_SetGCThreshold(runtime, qjs::size_t::MAX);
            threshold
        };
        Self { ctx, threshold }
    }
}

impl Drop for NoCollections<'_, '_> {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { qjs::JS_SetGCThreshold(qjs::JS_GetRuntime(self.ctx.as_raw().as_ptr()), self.threshold) };
    }
}
