//! Jobs that come while a worker looks for the next, jobs that wait, and the last one.

use hyperlight_js_models::explore;
use hyperlight_js_models::node::error::Result;
use hyperlight_js_models::node::scheduling::calls::Calls;
use hyperlight_js_models::node::scheduling::queue::Queue;
use hyperlight_js_models::sandbox::call_control::CallControl;
use hyperlight_js_models::sandbox::handle;
use hyperlight_js_models::sandbox::sync::Arc;
use loom::sync::mpsc::{Sender, channel};
use loom::thread;

/// A job that counts, and tells the number or that it was refused.
fn count(tell: &Sender<Option<usize>>) -> impl FnOnce(Result<&mut usize>) + Send + 'static {
    let tell = tell.clone();
    move |value| {
        let number = value.ok().map(|value| {
            *value += 1;
            *value
        });
        tell.send(number).expect("the model waits");
    }
}

#[test]
fn every_job_is_done_once_and_one_at_a_time() {
    explore(3, || {
        let (tell, told) = channel();
        let queue = Queue::new("Number", 0);
        let pusher = {
            let (queue, job) = (queue.clone(), count(&tell));
            thread::spawn(move || queue.push(job))
        };
        queue.push(count(&tell));
        let mut numbers = [told.recv().expect("a job"), told.recv().expect("another")];
        numbers.sort_unstable();
        assert_eq!(numbers, [Some(1), Some(2)]);
        pusher.join().expect("no panic");
    });
}

#[test]
fn the_last_job_comes_last_and_every_other_is_done_or_refused() {
    explore(3, || {
        let (tell, told) = channel();
        let queue = Queue::new("Number", 0);
        let pusher = {
            let (queue, job) = (queue.clone(), count(&tell));
            thread::spawn(move || queue.push(job))
        };
        let (end, ended) = channel();
        queue.push_last("unload", move |value| end.send(value).expect("the model waits")).expect("it is the first");
        queue.refuse_waiting();
        let outcome = told.recv().expect("an answer");
        let value = ended.recv().expect("the last job");
        assert_eq!(outcome.unwrap_or(0), value, "a job that was done was done before");
        pusher.join().expect("no panic");
    });
}

#[test]
fn a_value_is_dropped_once_whoever_is_last() {
    struct Note(Sender<()>);
    impl Drop for Note {
        fn drop(&mut self) {
            self.0.send(()).expect("the model waits");
        }
    }
    explore(3, || {
        let (tell, told) = channel();
        let queue: Arc<Queue<Note>> = Queue::new("Note", Note(tell));
        queue.push(|_| ());
        drop(queue);
        told.recv().expect("it is dropped");
        assert!(told.try_recv().is_err(), "once");
    });
}

#[test]
fn a_job_that_waits_keeps_its_turn_and_goes_on_where_it_is_woken() {
    explore(2, || {
        let (tell, told) = channel();
        let (open, opened) = oneshot::channel();
        let queue = Queue::new("Number", 0);
        let rest = tell.clone();
        queue.push_waiting(move |value| {
            let value = value.ok()?;
            Some(Box::pin(async move {
                opened.await.expect("it is opened");
                *value += 1;
                rest.send(Some(*value)).expect("the model waits");
            }))
        });
        queue.push(count(&tell));
        let opener = thread::spawn(move || open.send(()).expect("the job waits"));
        assert_eq!([told.recv().expect("a job"), told.recv().expect("another")], [Some(1), Some(2)]);
        opener.join().expect("no panic");
    });
}

#[test]
fn a_call_that_is_stopped_while_its_job_waits_ends_and_the_next_is_not_affected() {
    explore(2, || {
        let (calls, control) = (Arc::new(Calls::default()), CallControl::new(|| true));
        let (tell, told) = channel();
        let queue = Queue::new("CallControl", control);
        let ticket = calls.add();
        let call = tell.clone();
        queue.push_waiting(move |control| {
            let control = control.ok()?;
            Some(Box::pin(async move {
                let running = ticket.begin(handle(control), || control.begin()).expect("it begins");
                let waited: Option<()> = running.wait_for(std::future::pending()).await;
                assert!(waited.is_none());
                drop((running, ticket));
                call.send(None).expect("the model waits");
            }))
        });
        calls.kill();
        let next = calls.add();
        queue.push(move |control| {
            let control = control.expect("nobody consumes it");
            let running = next.begin(handle(control), || control.begin()).expect("it begins");
            tell.send(running.stopped_by()).expect("the model waits");
        });
        assert_eq!([told.recv().expect("a call"), told.recv().expect("the next")], [None, None]);
    });
}
