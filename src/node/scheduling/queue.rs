//! Jobs on one value, done one after the other.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;

use super::consumable::DISPOSE;
use super::{tasks, worker_threads};
use crate::node::error::{Error, Result};
use crate::sandbox::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is left of a job that has to wait. It has the value until it is done.
pub type Rest<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

type QueuedJob<T> = Box<dyn for<'a> FnOnce(Result<&'a mut T>) -> Option<Rest<'a>> + Send>;
type LastJob<T> = Box<dyn FnOnce(T) + Send>;

/// A value and the jobs that wait for it. They are done in the order in which they were pushed.
///
/// A thread is used only while there is something to do: the first job brings one, which does all that come meanwhile. A job that
/// waits gives its thread back, but not the value: no other is done before its end.
pub struct Queue<T: Send + 'static> {
    /// Class of the JavaScript object that stands for the value.
    class: &'static str,
    state: Mutex<State<T>>,
}

struct State<T> {
    /// Absent while a worker has it, and for good after the last job.
    value: Option<T>,
    jobs: VecDeque<QueuedJob<T>>,
    /// Done after all others, with the value itself.
    last_job: Option<LastJob<T>>,
    /// Method that brought the last job.
    consumed_by: Option<&'static str>,
}

impl<T: Send + 'static> Queue<T> {
    pub fn new(class: &'static str, value: T) -> Arc<Self> {
        let state = State { value: Some(value), jobs: VecDeque::new(), last_job: None, consumed_by: None };
        Arc::new(Self { class, state: Mutex::new(state) })
    }

    /// An error if the queue takes no more jobs.
    pub fn check(&self) -> Result<()> {
        self.check_state(&self.lock())
    }

    /// Adds a job and returns at once. A job must not panic. It is given an error if the value is gone before its turn.
    pub fn push(self: &Arc<Self>, job: impl FnOnce(Result<&mut T>) + Send + 'static) {
        self.push_waiting(move |value| {
            job(value);
            None
        });
    }

    /// As [`push`](Self::push), but the job may leave something to be done by a future, unless it is given an error.
    pub fn push_waiting(
        self: &Arc<Self>,
        job: impl for<'a> FnOnce(Result<&'a mut T>) -> Option<Rest<'a>> + Send + 'static,
    ) {
        let mut state = self.lock();
        if let Err(error) = self.check_state(&state) {
            drop(state);
            drop(job(Err(error)));
            return;
        }
        state.jobs.push_back(Box::new(job));
        self.work(state);
    }

    /// Adds the last job, which takes the value away. From now on the queue takes no more.
    pub fn push_last(self: &Arc<Self>, method: &'static str, job: impl FnOnce(T) + Send + 'static) -> Result<()> {
        let mut state = self.lock();
        self.check_state(&state)?;
        state.consumed_by = Some(method);
        state.last_job = Some(Box::new(job));
        self.work(state);
        Ok(())
    }

    /// Fails the jobs that wait for their turn. The running one goes on, and so does the last one.
    pub fn refuse_waiting(&self) {
        let jobs = std::mem::take(&mut self.lock().jobs);
        for job in jobs {
            let method = self.lock().consumed_by.unwrap_or(DISPOSE);
            drop(job(Err(Error::Consumed { class: self.class, method })));
        }
    }

    fn check_state(&self, state: &State<T>) -> Result<()> {
        match state.consumed_by {
            Some(method) => Err(Error::Consumed { class: self.class, method }),
            None => Ok(()),
        }
    }

    /// Sees to it that the jobs are done.
    fn work(self: &Arc<Self>, mut state: MutexGuard<'_, State<T>>) {
        if let Some(value) = state.value.take() {
            drop(state);
            let worker = Worker { queue: self.clone(), value: Some(value) };
            tasks::spawn(worker.run());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // No user code runs under the lock, so the state is whole whatever happened.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does the jobs of a queue until there are none left.
struct Worker<T: Send + 'static> {
    queue: Arc<Queue<T>>,
    value: Option<T>,
}

enum Next<T> {
    Job(QueuedJob<T>),
    Last(LastJob<T>, T),
    None,
}

impl<T: Send + 'static> Worker<T> {
    async fn run(mut self) {
        loop {
            match self.next() {
                Next::Job(job) => {
                    if let Some(value) = &mut self.value {
                        if let Some(rest) = job(Ok(value)) {
                            rest.await;
                        }
                        worker_threads::yield_to_js_thread();
                    }
                }
                Next::Last(job, value) => return job(value),
                Next::None => return,
            }
        }
    }

    fn next(&mut self) -> Next<T> {
        let mut state = self.queue.lock();
        if let Some(job) = state.jobs.pop_front() {
            return Next::Job(job);
        }
        let Some(value) = self.value.take() else { return Next::None };
        match state.last_job.take() {
            Some(job) => Next::Last(job, value),
            None => {
                state.value = Some(value);
                Next::None
            }
        }
    }
}

impl<T: Send + 'static> Drop for Worker<T> {
    fn drop(&mut self) {
        // Only if no thread could be had: the value goes back, and dropping the jobs fails them.
        if let Some(value) = self.value.take() {
            let mut state = self.queue.lock();
            state.value = Some(value);
            let jobs = std::mem::take(&mut state.jobs);
            let last_job = state.last_job.take();
            drop(state);
            drop(jobs);
            drop(last_job);
        }
    }
}

impl<T: Send + 'static> Drop for Queue<T> {
    fn drop(&mut self) {
        // Tearing down a virtual machine takes too long for the JavaScript thread, which is where objects are collected.
        if let Some(value) = self.lock().value.take() {
            worker_threads::blocking(move || drop(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn jobs_are_done_one_at_a_time_in_the_order_in_which_they_were_pushed() {
        let (sender, receiver) = mpsc::channel();
        let queue = Queue::new("Number", 0);
        for i in 0..1000 {
            let sender = sender.clone();
            queue.push(move |next: Result<&mut i32>| {
                let next = next.expect("nobody consumes it");
                *next += 1;
                sender.send((i, *next)).expect("the test waits");
            });
        }
        for i in 0..1000 {
            assert_eq!(receiver.recv().expect("a job for each"), (i, i + 1));
        }
    }

    #[test]
    fn jobs_that_find_no_thread_are_dropped_and_the_value_is_kept() {
        let queue = Queue::new("Number", 0);
        let value = queue.lock().value.take();
        let (sender, receiver) = mpsc::channel::<()>();
        queue.push(move |_| drop(sender));
        drop(Worker { queue: queue.clone(), value });
        assert_eq!(receiver.recv(), Err(mpsc::RecvError));
        let (sender, receiver) = mpsc::channel();
        queue.push(move |value| sender.send(*value.expect("nobody consumes it")).expect("the test waits"));
        assert_eq!(receiver.recv(), Ok(0));
    }

    #[test]
    fn the_value_is_dropped_with_the_queue_on_another_thread() {
        struct Note(mpsc::Sender<std::thread::ThreadId>);
        impl Drop for Note {
            fn drop(&mut self) {
                self.0.send(std::thread::current().id()).expect("the test waits");
            }
        }
        let (sender, receiver) = mpsc::channel();
        drop(Queue::new("Note", Note(sender)));
        assert_ne!(receiver.recv().expect("it is dropped"), std::thread::current().id());
    }

    #[test]
    fn the_last_job_waits_for_the_others_and_none_comes_after_it() {
        let (sender, receiver) = mpsc::channel();
        let queue = Queue::new("Number", 0);
        for _ in 0..100 {
            queue.push(|value| *value.expect("its turn comes before") += 1);
        }
        let last = sender.clone();
        queue.push_last("unload", move |value| last.send(Ok(value)).expect("the test waits")).expect("it is the first");
        queue.push(move |value| sender.send(value.map(|value| *value)).expect("the test waits"));
        let mut answers = [receiver.recv().expect("two jobs"), receiver.recv().expect("two jobs")];
        answers.sort_by_key(Result::is_err);
        assert_eq!(*answers[0].as_ref().expect("the last job"), 100);
        let refused = answers[1].as_ref().expect_err("it came too late").to_string();
        assert_eq!(refused, "this Number was consumed by unload()");
        assert!(queue.push_last("dispose", |_| ()).is_err());
    }

    #[test]
    fn jobs_that_wait_can_be_refused() {
        let (release, block) = mpsc::channel::<()>();
        let (sender, receiver) = mpsc::channel();
        let queue = Queue::new("Number", 0);
        let (begun, wait) = mpsc::channel();
        queue.push(move |_| {
            begun.send(()).expect("the test waits");
            block.recv().expect("the test releases it");
        });
        wait.recv().expect("the first job begins");
        queue.push(move |value| sender.send(value.is_err()).expect("the test waits"));
        queue.refuse_waiting();
        assert_eq!(receiver.recv(), Ok(true));
        release.send(()).expect("it waits");
    }
}
