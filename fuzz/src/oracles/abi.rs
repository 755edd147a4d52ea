//! The decoders of the ABI: of what comes from a guest, and of what a guest is given.

use std::fmt::Debug;

use guest_abi::boot::{BootHeader, Segment, Settings};
use guest_abi::call_options::CallOptions;
use guest_abi::heap_report::HeapReport;
use guest_abi::host_request::HostRequest;
use guest_abi::message::{CallContext, Exception, HostFunctionNames, HostReply, ModuleReply, Reply};
use guest_abi::payload::Payload;
use guest_abi::program::ProgramMessage;
use guest_abi::suspension::{HostResults, StartedCall, Suspension};
use guest_kernel::segments::Segments;

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
    check(bytes, usize::MAX, |bytes| ProgramMessage::from_bytes(&bytes), ProgramMessage::into_bytes);
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
    segments(bytes);
}

fn with_heap_use(mut bytes: Vec<u8>) -> Option<(Vec<u8>, HeapReport)> {
    let heap = HeapReport::take_from(&mut bytes)?;
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

/// Segments that pass lie within the window, one after the other, and the image has the content of them all.
fn segments(bytes: &[u8]) {
    use guest_abi::memory::{IMAGE_END, IMAGE_START, PAGE_SIZE};

    let ([image_size, entry], rest) = (words(bytes), bytes.get(16..).unwrap_or_default());
    let entry = IMAGE_START.wrapping_add(entry);
    let table: Vec<_> = rest
        .chunks(24)
        .map(|bytes| {
            let [address, pages, rights] = words(bytes);
            let [image_pages, zeroed_pages] = [pages as u32, (pages >> 32) as u32];
            let address = IMAGE_START.wrapping_add(address);
            Segment { address, image_pages, zeroed_pages, access: rights as u32 % 4, reserved: 0 }
        })
        .collect();
    let settings = Settings { heap_size: 0, javascript_limit: 0, stack_size: 0, output_limit: 0 };
    let Some(header) = BootHeader::new(entry, &table, settings) else { return };
    let Ok(segments) = Segments::check(&header, image_size) else { return };
    let (mut end, mut content) = (IMAGE_START, 0);
    for segment in segments.iter() {
        assert!(end <= segment.from_image.start && segment.from_image.end == segment.zeroed.start, "{segment:x?}");
        end = segment.zeroed.end;
        assert!(segment.from_image.end <= end && end <= IMAGE_END && end.is_multiple_of(PAGE_SIZE), "{segment:x?}");
        content += segment.from_image.end - segment.from_image.start;
    }
    assert!(content <= image_size, "{segments:x?}");
}

/// Numbers of 64 bits; those that the bytes do not have are zero.
fn words<const N: usize>(bytes: &[u8]) -> [u64; N] {
    let chunks = bytes.as_chunks::<8>().0;
    std::array::from_fn(|i| chunks.get(i).map_or(0, |bytes| u64::from_le_bytes(*bytes)))
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
        Message::Program(program) => same(program, |program| ProgramMessage::from_bytes(&program.into_bytes())),
        Message::CallOptions(options) => same(options, |options| CallOptions::from_bytes(&options.to_bytes())),
        Message::ModuleReply(reply) => same(reply, |reply| ModuleReply::from_bytes(reply.into_bytes())),
    }
}

fn same<T: Clone + Debug + PartialEq>(value: T, pass: impl FnOnce(T) -> Option<T>) {
    assert_eq!(pass(value.clone()), Some(value));
}
