//! The sandboxes of a pool: where they come from, and the state in which requests get them.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use napi::Env;

use super::loaded::LoadedJSSandbox;
use crate::node::bridge::function::{self, AnyFunction, Completion};
use crate::node::bridge::host_calls::HostCalls;
use crate::node::bridge::thenable::{is_thenable, when_settled};
use crate::node::bridge::value::undefined;
use crate::node::bridge::{arguments, exception};
use crate::node::console::callback::{Callback, recording_lines};
use crate::node::error::{Error, Result};
use crate::node::invalid_value::InvalidValue;
use crate::node::panic::catch_panic;
use crate::node::scheduling::jobs;
use crate::node::scheduling::pool_id::PoolId;
use crate::node::scheduling::sandbox_context::SandboxContext;
use crate::node::scheduling::worker_threads::blocking;
use crate::sandbox::error::PoolFailure;
use crate::sandbox::pool::{Expected, LeaseQueue, Member, Members};

/// Makes and renews the sandboxes of a pool.
pub struct PoolMembers {
    id: PoolId,
    source: MemberSource,
    /// The state in which requests get a sandbox since modules were prepared.
    prepared: Mutex<Option<Arc<crate::Snapshot>>>,
}

/// Where the sandboxes come from.
pub enum MemberSource {
    /// The runtime alone, once a sandbox has been in that state; and what a snapshot does not have.
    Runtime(Arc<OnceLock<Arc<crate::Snapshot>>>, Option<Callback>, usize),
    /// And what it does not have.
    Snapshot(Arc<crate::Snapshot>, Option<Callback>, usize),
    /// The function, and the way to its thread.
    Prepare(Arc<AnyFunction>, Arc<HostCalls>),
}

/// A sandbox of a pool.
pub struct PoolMember {
    pub member: Member,
    pub context: Arc<SandboxContext>,
}

impl PoolMembers {
    /// Those of a new pool.
    pub fn new(source: MemberSource) -> Self {
        Self { id: PoolId::next(), source, prepared: Mutex::default() }
    }

    /// Which pool they are of.
    pub fn pool(&self) -> PoolId {
        self.id
    }

    /// Whether host functions may be registered in them.
    pub fn may_have_host_functions(&self) -> bool {
        // Those of a snapshot have none.
        matches!(self.source, MemberSource::Prepare(..))
    }

    /// Whether the pool's sandboxes are its own, so that their state can be another one from now on.
    pub fn can_prepare(&self) -> bool {
        !matches!(self.source, MemberSource::Prepare(..))
    }

    /// Has requests get sandboxes in this state from now on. Those that are ready are to be taken and given again.
    pub fn set_prepared(&self, clean: Arc<crate::Snapshot>) {
        let old = self.lock_prepared().replace(clean);
        drop(old);
    }

    fn lock_prepared(&self) -> MutexGuard<'_, Option<Arc<crate::Snapshot>>> {
        // No code runs under the lock that could leave it half changed.
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Members for PoolMembers {
    type Member = PoolMember;

    fn make(&self, expected: Expected<Self>) {
        let id = self.id;
        match &self.source {
            MemberSource::Snapshot(snapshot, callback, max_values) => {
                let snapshot = self.lock_prepared().clone().unwrap_or_else(|| snapshot.clone());
                let (callback, max_values) = (callback.clone(), *max_values);
                blocking(move || {
                    fulfil(
                        expected,
                        id,
                        catch_panic(|| {
                            let context = SandboxContext::new();
                            let print = recording_lines(callback, &context);
                            let member = Member::start(snapshot, |builder| {
                                builder.with_host_print_fn(print).with_max_output_values(max_values)
                            });
                            Ok((member?, context))
                        }),
                    );
                });
            }
            MemberSource::Runtime(clean, callback, max_values) => {
                let (clean, callback, max_values) = (clean.clone(), callback.clone(), *max_values);
                let prepared = self.lock_prepared().clone();
                blocking(move || {
                    fulfil(
                        expected,
                        id,
                        catch_panic(|| {
                            let context = SandboxContext::new();
                            let print = recording_lines(callback, &context);
                            let builder = |builder: crate::SandboxBuilder| {
                                builder.with_host_print_fn(print).with_max_output_values(max_values)
                            };
                            let member = match prepared {
                                Some(prepared) => Member::start(prepared, builder),
                                None => make_of_runtime(&clean, builder),
                            };
                            Ok((member?, context))
                        }),
                    );
                });
            }
            MemberSource::Prepare(prepare, waiting) => {
                let prepare = prepare.clone();
                // If the thread has ended, nobody waits for the sandbox any more.
                let _ =
                    waiting.inbox().post(jobs::Source::HOST, move |env| prepare_on_thread(env, &prepare, expected, id));
            }
        }
    }

    fn renew(&self, PoolMember { member, .. }: &mut PoolMember) -> crate::Result<()> {
        member.renew()
    }

    fn warm_up(&self, PoolMember { member, .. }: &mut PoolMember) -> crate::Result<()> {
        member.warm_up()
    }

    /// If the member is not in the state in which requests get it now, it is put into that first.
    fn give(&self, mut member: PoolMember, leases: &LeaseQueue<PoolMember>) -> crate::Result<()> {
        loop {
            let prepared = self.lock_prepared();
            match &*prepared {
                Some(newest) if !Arc::ptr_eq(newest, &member.member.clean()) => {
                    member.member.set_clean(newest.clone());
                    drop(prepared);
                    let renewed = catch_unwind(AssertUnwindSafe(|| {
                        member.member.renew()?;
                        member.member.warm_up()
                    }));
                    renewed.unwrap_or(Err(crate::Error::Unrecoverable))?;
                }
                // The lock is held until it is given: whoever sets another state looks for members afterwards.
                _ => {
                    leases.give(member);
                    return Ok(());
                }
            }
        }
    }

    fn discard(members: VecDeque<PoolMember>) {
        // Tearing down virtual machines takes too long for the JavaScript thread, which is where objects are collected.
        blocking(move || drop(members));
    }
}

/// A sandbox has been made for a pool, or could not be.
fn fulfil(expected: Expected<PoolMembers>, id: PoolId, made: Result<(Member, Arc<SandboxContext>)>) {
    expected.fulfil(match made {
        Ok((member, context)) => {
            context.join(id);
            Ok(PoolMember { member, context })
        }
        Err(error) => Err(failure(error)),
    });
}

fn failure(error: Error) -> PoolFailure {
    match error {
        Error::Sandbox(error) => PoolFailure::Failed(Arc::new(error)),
        other => PoolFailure::Told(other.to_string()),
    }
}

/// A sandbox with the runtime alone.
fn make_of_runtime(
    clean: &OnceLock<Arc<crate::Snapshot>>,
    builder: impl FnOnce(crate::SandboxBuilder) -> crate::SandboxBuilder,
) -> crate::Result<Member> {
    if let Some(clean) = clean.get() {
        return Member::start(clean.clone(), builder);
    }
    let builder = builder(crate::SandboxBuilder::new());
    let member = Member::new(builder.build()?.load_runtime()?.get_loaded_sandbox()?)?;
    // Another may have been the first.
    let _ = clean.set(member.clean());
    Ok(member)
}

/// Has the function make a sandbox, on the JavaScript thread.
fn prepare_on_thread(env: &Env, prepare: &AnyFunction, expected: Expected<PoolMembers>, id: PoolId) {
    let expected = Mutex::new(Some(expected));
    let settle = move |env: &Env, completion: Completion| {
        let Some(expected) = expected.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        match catch_panic(|| adopt(env, completion)) {
            Ok(adopt) => adopt(expected, id),
            Err(error) => fulfil(expected, id, Err(error)),
        }
    };
    let begun = catch_panic(|| {
        let completion = function::call(env, prepare, undefined(env)?, &[])?;
        match completion {
            Ok(value) if matches!(is_thenable(env, value)?, Ok(true)) => when_settled(env, value, settle),
            completion => {
                settle(env, completion);
                Ok(())
            }
        }
    });
    // What could not be begun has been dropped, and with it what was expected.
    drop(begun);
}

/// What hands over the sandbox that the function gave.
fn adopt(env: &Env, completion: Completion) -> Result<impl FnOnce(Expected<PoolMembers>, PoolId) + use<>> {
    let value = completion.map_err(|thrown| InvalidValue::Thrown(exception::text(env, thrown)))?;
    let sandbox = arguments::instance::<LoadedJSSandbox>(env, "what prepare gives", "a LoadedJSSandbox", value)?;
    let (sender, receiver) = oneshot::channel::<crate::LoadedJSSandbox>();
    let context = sandbox.give_up("SandboxPool", move |sandbox| drop(sender.send(sandbox)))?;
    Ok(move |expected: Expected<PoolMembers>, id: PoolId| {
        blocking(move || {
            fulfil(
                expected,
                id,
                catch_panic(|| {
                    let given = receiver.recv().map_err(|_| Error::Internal("the sandbox was lost".to_string()));
                    Ok((Member::new(given?)?, context))
                }),
            );
        });
    })
}
