//! The decoders of the ABI: of what comes from a guest, and of what a guest is given.

use std::fmt::Debug;

use guest_abi::call_options::CallOptions;
use guest_abi::heap_use::HeapUse;
use guest_abi::host_request::HostRequest;
use guest_abi::message::{CallContext, Exception, HostFunctionNames, HostReply, ModuleReply, Reply};
use guest_abi::payload::Payload;
use guest_abi::program::Program;
use guest_abi::suspension::{HostResults, StartedCall, Suspension};
use guest_kernel::elf::Image;

use crate::generators::abi::Message;
use crate::memory::peak_of;

/// What decoding may take beside the message, in bytes: little vectors have a smallest size, four items, and so have those of an
/// exception's errors, of which there are not many.
const SLACK: usize = 1024 + 4 * Exception::COUNT_MAX * size_of::<Exception>();

/// Every decoder takes any bytes: it refuses them, or makes a value of them that encodes to what decodes to the same. What the
/// host decodes takes no more memory than twice the message, and the calls that a suspended guest may have started.
pub fn decode(bytes: &[u8]) {
    let from_guest = 2 * bytes.len();
    let suspension = from_guest + Suspension::STARTED_MAX * size_of::<StartedCall>();
    check(bytes, suspension, |bytes| Suspension::from_bytes(&bytes), Suspension::into_bytes);
    check(bytes, usize::MAX, |bytes| HostResults::from_bytes(&bytes), HostResults::into_bytes);
    check(bytes, usize::MAX, |bytes| Program::from_bytes(&bytes), Program::into_bytes);
    check(bytes, usize::MAX, |bytes| CallOptions::from_bytes(&bytes), |options| options.to_bytes());
    check(bytes, 0, with_heap_use, |(mut message, heap)| {
        heap.append_to(&mut message);
        message
    });
    check(bytes, suspension, |bytes| Reply::from_bytes(bytes).ok(), Reply::into_bytes);
    check(bytes, from_guest, HostRequest::from_bytes, HostRequest::into_bytes);
    check(bytes, from_guest, Payload::from_bytes, Payload::into_bytes);
    check(bytes, usize::MAX, |bytes| HostReply::from_bytes(bytes).ok(), HostReply::into_bytes);
    check(bytes, usize::MAX, ModuleReply::from_bytes, ModuleReply::into_bytes);
    check(bytes, usize::MAX, |bytes| HostFunctionNames::from_bytes(&bytes), |names| names.to_bytes());
    check(bytes, 0, |bytes| CallContext::from_bytes(&bytes), |context| context.to_bytes().to_vec());
    if let Some(payload) = Payload::from_bytes(bytes.to_vec()) {
        let arrays: usize = payload.byte_arrays().map(<[u8]>::len).sum();
        let others = payload.byte_arrays().len() * size_of::<u64>() + payload.json().len();
        assert_eq!(payload.size(), arrays + others);
        assert!(payload.size() <= bytes.len(), "a payload has no more than its message");
    }
    image(bytes);
}

fn with_heap_use(mut bytes: Vec<u8>) -> Option<(Vec<u8>, HeapUse)> {
    let heap = HeapUse::take_from(&mut bytes)?;
    Some((bytes, heap))
}

fn check<T: Clone + Debug + PartialEq>(
    bytes: &[u8],
    limit: usize,
    decode: impl Fn(Vec<u8>) -> Option<T>,
    encode: impl FnOnce(T) -> Vec<u8>,
) {
    let copy = bytes.to_vec();
    let (value, peak) = peak_of(|| decode(copy));
    assert!(peak <= limit.saturating_add(SLACK), "decoding {} bytes took {peak} bytes: {value:?}", bytes.len());
    if let Some(value) = value {
        assert_eq!(decode(encode(value.clone())), Some(value));
    }
}

/// The segments of an image that passes lie within the window and the file, one after the other.
fn image(bytes: &[u8]) {
    use guest_abi::memory::{IMAGE_END, IMAGE_START};

    let Ok(image) = Image::parse(bytes) else { return };
    let mut end = IMAGE_START;
    for segment in image.segments() {
        let pages = segment.pages();
        assert!(end <= pages.start && pages.end <= IMAGE_END, "{segment:x?}");
        assert!(segment.file_size <= segment.memory_size, "{segment:x?}");
        assert!(
            segment.offset.checked_add(segment.file_size).is_some_and(|end| end <= bytes.len() as u64),
            "{segment:x?}"
        );
        end = pages.end;
    }
    let constants = image.read_only_after_relocation();
    assert!(constants.start <= constants.end, "{constants:x?}");
}

/// What was encoded decodes to the same, and what is made to fit does.
pub fn round_trip(message: &Message) {
    match message.clone() {
        Message::Context(context) => same(context, |context| CallContext::from_bytes(&context.to_bytes())),
        Message::Names(names) => same(names, |names| HostFunctionNames::from_bytes(&names.to_bytes())),
        Message::Payload(payload) => same(payload, |payload| {
            let encoded = payload.into_bytes();
            // SAFETY: just encoded.
            let believed = unsafe { Payload::from_bytes_unchecked(encoded.clone()) };
            let decoded = Payload::from_bytes(encoded);
            assert_eq!(believed, decoded);
            decoded
        }),
        Message::Reply(reply) => same(reply, |reply| Reply::from_bytes(reply.into_bytes()).ok()),
        Message::HostReply(reply) => same(reply, |reply| HostReply::from_bytes(reply.into_bytes()).ok()),
        Message::Exception(mut exception) => {
            exception.fit();
            assert!(exception.fits());
            same(exception, |mut exception| {
                exception.fit();
                Some(exception)
            });
        }
        Message::HostResults(results) => same(results, |results| HostResults::from_bytes(&results.into_bytes())),
        Message::Program(program) => same(program, |program| Program::from_bytes(&program.into_bytes())),
        Message::CallOptions(options) => same(options, |options| CallOptions::from_bytes(&options.to_bytes())),
        Message::ModuleReply(reply) => same(reply, |reply| ModuleReply::from_bytes(reply.into_bytes())),
    }
}

fn same<T: Clone + Debug + PartialEq>(value: T, pass: impl FnOnce(T) -> Option<T>) {
    assert_eq!(pass(value.clone()), Some(value));
}
