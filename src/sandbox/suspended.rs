//! What a suspended call waits for: asynchronous host functions at work, and the time until the guest's next timer.
//!
//! The guest is as little to be trusted here as anywhere: what it says of its calls is checked against what is known of them.
//! It may only suspend itself for something that can come, and it names each host call once.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use guest_abi::message::HostReply;
use guest_abi::suspension::{HostResults, StartedCall, Suspension};

use super::call_control::CallGuard;
use super::dispatcher::Dispatcher;
use super::error::ThrownError;
use super::host_reply::{refused, shorten, size_of};
use super::stopper::Alarm;
use super::tally::{HostCallLimits, Tally};

/// Most host calls that a guest which has been taken over can have in flight, with the results that it has not been given. Another
/// one has half as many.
const IN_FLIGHT_MAX: usize = 2 * *HostCallLimits::IN_FLIGHT_RANGE.end();
/// Most bytes that the arguments of the calls in flight may take, as a multiple of the most that those of one may.
const ARGUMENTS_MAX: usize = 16;
/// What a result takes in a message beside its value, at most.
const RESULT_OVERHEAD: usize = 32;

/// A call of a sandbox that has been suspended at least once.
#[derive(Default)]
pub struct Suspended {
    in_flight: FuturesUnordered<Pin<Box<dyn Future<Output = Finished> + Send>>>,
    /// Bytes of the arguments of those in flight.
    arguments: usize,
    /// What has come and the guest has not been told of.
    results: VecDeque<Kept>,
    /// Bytes of that.
    results_size: usize,
    /// Number of the host call that was started last.
    last: u64,
    tally: Arc<Tally>,
    timer: Option<Alarm>,
    /// The guest wants to go on at once.
    at_once: bool,
}

struct Finished {
    number: u64,
    arguments: usize,
    reply: HostReply,
}

/// A result that the guest has not been told of.
struct Kept {
    number: u64,
    reply: HostReply,
    /// Bytes that it takes in a message.
    size: usize,
}

impl Suspended {
    pub(super) fn of(running: &CallGuard) -> Self {
        Self { tally: running.tally().clone(), ..Self::default() }
    }

    /// The call is suspended: starts what the guest asks for.
    ///
    /// # Errors
    /// What is wrong with the guest's request.
    pub(super) fn suspend(&mut self, suspension: Suspension, dispatcher: &Dispatcher) -> Result<(), &'static str> {
        let Suspension { started, at_once, timer } = suspension;
        // For a guest those whose results it has not been given are still in flight, so it does not start more. One that has been
        // taken over could have the host keep any number of refusals.
        if !started.is_empty() && self.in_flight.len() + self.results.len() >= IN_FLIGHT_MAX {
            return Err("it started more host calls than may be in flight");
        }
        for call in started {
            if call.number <= self.last {
                return Err("it started a host call that it had started before");
            }
            self.last = call.number;
            self.start(call, dispatcher);
        }
        self.at_once = at_once;
        self.timer = timer.and_then(|nanos| Alarm::after(Duration::from_nanos(nanos)));
        if self.in_flight.is_empty() && self.results.is_empty() && timer.is_none() && !at_once {
            return Err("it waits for nothing that could come");
        }
        Ok(())
    }

    fn start(&mut self, call: StartedCall, dispatcher: &Dispatcher) {
        let (number, arguments) = (call.number, call.arguments.size());
        let in_flight = self.tally.limits().in_flight;
        let counted = self.tally.host_call().and_then(|()| {
            if self.in_flight.len() >= in_flight {
                Err(format!("there are {in_flight} calls of host functions in flight already"))
            } else if self.arguments + arguments > ARGUMENTS_MAX * dispatcher.arguments_limit() {
                Err("the arguments of the calls of host functions in flight are too large together".to_string())
            } else {
                Ok(())
            }
        });
        if let Err(refusal) = counted {
            return self.keep(number, refused(refusal));
        }
        self.arguments += arguments;
        let reply = AssertUnwindSafe(dispatcher.start(call)).catch_unwind();
        self.in_flight.push(Box::pin(async move {
            let panicked = |_| HostReply::Failed(ThrownError::new("Error", "the host function panicked"));
            Finished { number, arguments, reply: reply.await.unwrap_or_else(panicked) }
        }));
    }

    /// Keeps a result for the guest.
    fn keep(&mut self, number: u64, reply: HostReply) {
        let size = RESULT_OVERHEAD + size_of(&reply);
        self.results_size += size;
        self.results.push_back(Kept { number, reply, size });
    }

    /// Waits until the guest has something to go on with, and returns what has come of its host calls: all of it that fits a
    /// message of this size.
    pub async fn resumption(&mut self, size_max: usize) -> HostResults {
        self.collect(size_max).await;
        self.timer = None;
        let (mut taken, mut size) = (Vec::new(), 0);
        while let Some(next) = self.results.front() {
            size += next.size;
            if size > size_max && !taken.is_empty() {
                break;
            }
            if let Some(Kept { number, reply, size }) = self.results.pop_front() {
                self.results_size -= size;
                taken.push((number, reply));
            }
        }
        HostResults(taken)
    }

    /// Waits for results, the timer, or nothing, and takes the results that there are: no more than fill a message of this size,
    /// and the one with which it is full. The others stay where they are.
    async fn collect(&mut self, size_max: usize) {
        poll_fn(|context| {
            while self.results_size <= size_max
                && let Poll::Ready(Some(Finished { number, arguments, mut reply })) =
                    self.in_flight.poll_next_unpin(context)
            {
                self.arguments -= arguments;
                shorten(&mut reply, size_max);
                self.keep(number, reply);
            }
            let is_due = self.timer.as_mut().is_some_and(|timer| timer.poll_unpin(context).is_ready());
            if is_due || self.at_once || !self.results.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use guest_abi::payload::Payload;

    use super::*;
    use crate::sandbox::call::block_on;
    use crate::sandbox::configuration::Configuration;
    use crate::sandbox::host_functions::HostFunctions;

    fn dispatcher() -> Dispatcher {
        let mut functions = HostFunctions::default();
        functions.register_async("host", "echo", |arguments| async { Ok(Some(arguments)) }).expect("register");
        functions.register_async("host", "never", |_| std::future::pending()).expect("register");
        functions.register("host", "blocking", |_, arguments| Ok(Some(arguments))).expect("register");
        Dispatcher::new(functions, &Configuration::default(), usize::MAX)
    }

    fn call(number: u64, function: &str) -> StartedCall {
        let arguments = Payload::from_json("[1]".to_string());
        StartedCall { number, module: "host".to_string(), function: function.to_string(), arguments }
    }

    fn started(calls: Vec<StartedCall>) -> Suspension {
        Suspension { started: calls, ..Suspension::default() }
    }

    fn results(suspended: &mut Suspended) -> Vec<(u64, HostReply)> {
        block_on(suspended.resumption(1 << 20)).0
    }

    fn is_refusal(reply: &HostReply) -> bool {
        matches!(reply, HostReply::Failed(error) if error.name == "RangeError")
    }

    #[test]
    fn a_guest_may_not_start_a_call_twice_nor_wait_for_nothing() {
        let dispatcher = dispatcher();
        let mut suspended = Suspended::default();
        assert!(suspended.suspend(Suspension::default(), &dispatcher).is_err());
        assert!(suspended.suspend(started(vec![call(5, "never"), call(5, "never")]), &dispatcher).is_err());
        assert!(suspended.suspend(started(vec![call(6, "never")]), &dispatcher).is_ok());
        assert!(suspended.suspend(started(vec![call(4, "never")]), &dispatcher).is_err());
        // What is in flight may be waited for, as often as the guest likes.
        assert!(suspended.suspend(Suspension::default(), &dispatcher).is_ok());
    }

    #[test]
    fn functions_that_are_not_asynchronous_cannot_be_started() {
        let mut suspended = Suspended::default();
        let calls = vec![call(1, "echo"), call(2, "blocking"), call(3, "none")];
        suspended.suspend(started(calls), &dispatcher()).expect("something to wait for");
        let mut results = results(&mut suspended);
        results.sort_by_key(|(number, _)| *number);
        assert_eq!(results[0], (1, HostReply::Value(Payload::from_json("[1]".to_string()))));
        for (_, reply) in &results[1..] {
            assert!(matches!(reply, HostReply::Failed(error) if error.message == "there is no such host function"));
        }
        assert_eq!(results.len(), 3);
    }

    #[test]
    fn calls_in_flight_and_their_arguments_are_limited() {
        let dispatcher = dispatcher();
        let most = HostCallLimits::DEFAULT_IN_FLIGHT as u64;
        let mut suspended = Suspended::default();
        for first in (1..=most).step_by(100) {
            let calls = (first..first + 100).map(|number| call(number, "never")).collect();
            suspended.suspend(started(calls), &dispatcher).expect("something to wait for");
        }
        assert!(suspended.results.is_empty());
        suspended.suspend(started(vec![call(5_000, "never")]), &dispatcher).expect("something to wait for");
        assert!(matches!(&results(&mut suspended)[..], [(5_000, reply)] if is_refusal(reply)));

        let mut suspended = Suspended::default();
        let large = |number| {
            let arguments = Payload::from_json("x".repeat(Configuration::default().output_size));
            StartedCall { arguments, ..call(number, "never") }
        };
        for number in 1..=ARGUMENTS_MAX as u64 {
            suspended.suspend(started(vec![large(number)]), &dispatcher).expect("something to wait for");
        }
        assert!(suspended.results.is_empty());
        suspended.suspend(started(vec![large(100)]), &dispatcher).expect("something to wait for");
        assert!(matches!(&results(&mut suspended)[..], [(100, reply)] if is_refusal(reply)));
    }

    #[test]
    fn a_call_may_have_limits_of_its_own() {
        let dispatcher = dispatcher();
        let mut suspended = Suspended::default();
        suspended.tally.limit(HostCallLimits { total: 4, in_flight: 2 });
        suspended.suspend(started((1..=3).map(|number| call(number, "never")).collect()), &dispatcher).expect("begun");
        assert!(matches!(&results(&mut suspended)[..], [(3, reply)] if is_refusal(reply)));
        let mut suspended = Suspended::default();
        suspended.tally.limit(HostCallLimits { total: 4, in_flight: 1_000 });
        suspended.suspend(started((1..=6).map(|number| call(number, "never")).collect()), &dispatcher).expect("begun");
        let refusals = results(&mut suspended);
        assert!(matches!(&refusals[..], [(5, first), (6, second)] if is_refusal(first) && is_refusal(second)));
    }

    #[test]
    fn what_a_guest_is_not_told_of_is_limited() {
        let dispatcher = dispatcher();
        let mut suspended = Suspended::default();
        let none = |first: u64| started((first..first + 500).map(|number| call(number, "none")).collect());
        // It takes one result and starts five hundred calls, again and again.
        let mut next = 1;
        while suspended.suspend(none(next), &dispatcher).is_ok() {
            next += 500;
            assert!(suspended.in_flight.len() <= HostCallLimits::DEFAULT_IN_FLIGHT);
            assert!(suspended.in_flight.len() + suspended.results.len() < IN_FLIGHT_MAX + 500, "{next}");
            assert_eq!(block_on(suspended.resumption(1)).0.len(), 1, "the others do not fit");
        }
        assert!(next <= 3_001, "it is refused early: {next}");
        // One that takes what has come may go on.
        while suspended.in_flight.len() + suspended.results.len() >= IN_FLIGHT_MAX {
            block_on(suspended.resumption(1 << 20));
        }
        suspended.suspend(none(next + 500), &dispatcher).expect("there is room");
    }

    #[test]
    fn results_that_wait_for_the_guest_take_no_more_than_two_messages() {
        let dispatcher = dispatcher();
        let mut suspended = Suspended::default();
        let calls = (1..=1_000)
            .map(|number| StartedCall { arguments: Payload::from_json("x".repeat(999)), ..call(number, "echo") });
        suspended.suspend(started(calls.collect()), &dispatcher).expect("something to wait for");
        let mut given = 0;
        while given < 1_000 {
            given += block_on(suspended.resumption(3_000)).0.len();
            let kept: usize = suspended.results.iter().map(|kept| kept.size).sum();
            assert_eq!(kept, suspended.results_size);
            assert!(kept <= 6_000, "{kept}");
        }
        assert!(suspended.results.is_empty() && suspended.in_flight.is_empty());
    }

    #[test]
    fn results_that_do_not_fit_one_message_take_several() {
        let mut suspended = Suspended::default();
        let calls = (1..=5)
            .map(|number| StartedCall { arguments: Payload::from_json("x".repeat(400)), ..call(number, "echo") });
        suspended.suspend(started(calls.collect()), &dispatcher()).expect("something to wait for");
        let mut counts = Vec::new();
        while !suspended.results.is_empty() || counts.is_empty() {
            counts.push(block_on(suspended.resumption(1000)).0.len());
        }
        assert_eq!(counts, [2, 2, 1]);
    }
}
