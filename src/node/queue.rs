//! Jobs on one value, done one after the other.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::promise;

type Job<T> = Box<dyn FnOnce(&mut T) + Send>;

/// A value and the jobs that wait for it. They are done in the order in which they were pushed.
///
/// A thread is used only while there is a job to do: the first job brings one, which does all that come meanwhile.
pub struct Queue<T: Send + 'static> {
    state: Mutex<State<T>>,
}

struct State<T> {
    /// Absent while a worker has it.
    value: Option<T>,
    jobs: VecDeque<Job<T>>,
}

impl<T: Send + 'static> Queue<T> {
    pub fn new(value: T) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(State { value: Some(value), jobs: VecDeque::new() }) })
    }

    /// Adds a job and returns at once. A job must not panic.
    pub fn push(self: &Arc<Self>, job: impl FnOnce(&mut T) + Send + 'static) {
        let mut state = self.lock();
        state.jobs.push_back(Box::new(job));
        if let Some(value) = state.value.take() {
            drop(state);
            let worker = Worker { queue: self.clone(), value: Some(value) };
            promise::blocking(move || worker.run());
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

impl<T: Send + 'static> Worker<T> {
    fn run(mut self) {
        while let Some(job) = self.next_job() {
            if let Some(value) = &mut self.value {
                job(value);
            }
        }
    }

    fn next_job(&mut self) -> Option<Job<T>> {
        let mut state = self.queue.lock();
        let job = state.jobs.pop_front();
        if job.is_none() {
            state.value = self.value.take();
        }
        job
    }
}

impl<T: Send + 'static> Drop for Worker<T> {
    fn drop(&mut self) {
        // Only if no thread could be had: the value goes back, and dropping the jobs fails them.
        if let Some(value) = self.value.take() {
            let mut state = self.queue.lock();
            state.value = Some(value);
            let jobs = std::mem::take(&mut state.jobs);
            drop(state);
            drop(jobs);
        }
    }
}

impl<T: Send + 'static> Drop for Queue<T> {
    fn drop(&mut self) {
        // Tearing down a virtual machine takes too long for the JavaScript thread, which is where objects are collected.
        if let Some(value) = self.lock().value.take() {
            promise::blocking(move || drop(value));
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
        let queue = Queue::new(0);
        for i in 0..1000 {
            let sender = sender.clone();
            queue.push(move |next: &mut i32| {
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
        let queue = Queue::new(0);
        let value = queue.lock().value.take();
        let (sender, receiver) = mpsc::channel::<()>();
        queue.push(move |_| drop(sender));
        drop(Worker { queue: queue.clone(), value });
        assert_eq!(receiver.recv(), Err(mpsc::RecvError));
        let (sender, receiver) = mpsc::channel();
        queue.push(move |value| sender.send(*value).expect("the test waits"));
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
        drop(Queue::new(Note(sender)));
        assert_ne!(receiver.recv().expect("it is dropped"), std::thread::current().id());
    }
}
