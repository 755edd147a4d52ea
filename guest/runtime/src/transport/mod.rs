//! Messages to and from the host.
//!
//! Two rings in memory that the host shares with CPL 3: one carries messages from the guest to the host (G2H), one from the
//! host to the guest (H2G). Both are produced by the guest: on the second it offers empty buffers, which the host fills.
//! Nothing here is privileged. The host looks into the first one when the guest has been left, and at no other time: each entry
//! begins with one message on the second and ends with one on the first.
//!
//! The host is trusted, so a message that breaks the protocol is a bug: it ends in a panic, and so in an abort.

mod memory;

use alloc::string::String;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use flatbuffers::FlatBufferBuilder;
use guest_abi::function::HOST_REPLY;
use guest_abi::host_request::HostRequest;
use guest_abi::memory::{PAGE_SIZE, SCRATCH_END, SCRATCH_END_PHYSICAL, ScratchMetadata};
use guest_abi::message::Reply;
use hyperlight_common::flatbuffer_wrappers::function_call::FunctionCall;
use hyperlight_common::flatbuffer_wrappers::function_types::{Bytes, FunctionCallResult, ParameterValue, ReturnValue};
use hyperlight_common::flatbuffer_wrappers::guest_error::GuestError;
use hyperlight_common::layout::{QueueDims, TransportArena};
use hyperlight_common::transport::{
    EncodedMessage, ExternalValues, MailboxValue, MsgHeader, MsgKind, SIZE_PREFIX_LEN, size_prefix_payload_len,
    size_prefixed_len,
};
use hyperlight_common::virtq::{
    G2H_LOWER_SLOT_COUNT, G2H_LOWER_SLOT_SIZE, Layout, Notifier, QueueStats, Segments, SendChain, SlotLayout, SlotPool,
    UsedChain, VirtqError, VirtqProducer,
};

use memory::Arena;

use crate::allocator::heap_use;
use crate::context;
use crate::global::Global;

/// The connection to the host. It is not borrowed while JavaScript runs, which may ask the host for something itself.
pub static TRANSPORT: Global<Transport> = Global::new();

/// What the host asks for.
pub enum Request {
    /// Call a guest function and answer with its result.
    Call { function: String, arguments: Vec<ParameterValue> },
    /// Bring the rings into the state that a snapshot keeps.
    Checkpoint,
}

/// Tells nobody: the host looks for messages when the guest has been left, and for buffers when it needs them.
#[derive(Clone, Copy)]
struct Silent;

impl Notifier for Silent {
    fn notify(&self, _: QueueStats) {}
}

/// The connection to the host.
pub struct Transport {
    to_host: VirtqProducer<Arena, Silent>,
    from_host: VirtqProducer<Arena, Silent>,
    /// Size of a buffer offered to the host.
    buffer_size: usize,
    /// Tells the host that a checkpoint is complete.
    mailbox: &'static AtomicU64,
    /// Identifies the call that the next answer is for.
    call: u32,
}

impl Transport {
    /// Sets up both rings as `geometry` describes them.
    pub fn new(geometry: &ScratchMetadata) -> Self {
        Self::try_new(geometry).expect("the host describes a transport that works")
    }

    fn try_new(geometry: &ScratchMetadata) -> Option<Self> {
        let (g2h_pages, h2g_pages) = (geometry.g2h_pool_pages as usize, geometry.h2g_pool_pages as usize);
        let (g2h_size, h2g_size) = (geometry.g2h_buffer_size as usize, geometry.h2g_buffer_size as usize);
        let page = PAGE_SIZE as usize;

        let g2h = QueueDims::new(geometry.g2h_queue_size as usize, g2h_pages)?;
        let h2g = QueueDims::new(geometry.h2g_queue_size as usize, h2g_pages)?;
        let start = geometry.transport_arena.wrapping_add(SCRATCH_END.wrapping_sub(SCRATCH_END_PHYSICAL));
        let places = TransportArena::new(start, g2h, h2g)?;
        // SAFETY: the host maps the arena for as long as the guest lives, and shares it with this program alone.
        let arena = unsafe { Arena::new(places.base_addr()..places.end_addr()) };

        // SAFETY: the arena reserves aligned, disjoint space for both rings.
        let g2h_ring = unsafe { Layout::from_base(places.g2h_ring_addr(), g2h.size()) }.ok()?;
        // SAFETY: as above.
        let h2g_ring = unsafe { Layout::from_base(places.h2g_ring_addr(), h2g.size()) }.ok()?;

        let small = SlotLayout::new(places.g2h_pool_addr(), G2H_LOWER_SLOT_SIZE, G2H_LOWER_SLOT_COUNT).ok()?;
        let large_count = (g2h_pages * page - G2H_LOWER_SLOT_COUNT * G2H_LOWER_SLOT_SIZE) / g2h_size;
        let large = SlotLayout::new(small.end_addr(), g2h_size, large_count).ok()?;
        let g2h_pool = SlotPool::new_tiered(small, large).ok()?;
        let h2g_slots = SlotLayout::new(places.h2g_pool_addr(), h2g_size, h2g_pages * page / h2g_size).ok()?;
        let h2g_pool = SlotPool::new(h2g_slots).ok()?;

        // SAFETY: the mailbox is an aligned word of the arena that nothing else uses.
        let mailbox = unsafe { AtomicU64::from_ptr(places.mbx_addr() as *mut u64) };
        let mut transport = Self {
            to_host: VirtqProducer::new(g2h_ring, arena.clone(), Silent, g2h_pool),
            from_host: VirtqProducer::new(h2g_ring, arena, Silent, h2g_pool),
            buffer_size: h2g_size,
            mailbox,
            call: 0,
        };
        transport.offer_buffers();
        Some(transport)
    }

    /// Exclusive end of the shared memory.
    #[cfg(feature = "commit-faults")]
    pub fn end_address(&self) -> u64 {
        self.to_host.memory().end_address()
    }

    /// Offers no buffers any more: none is large enough.
    #[cfg(feature = "commit-faults")]
    pub fn withhold_buffers(&mut self) {
        self.buffer_size = usize::MAX;
    }

    /// Offers every free buffer to the host.
    fn offer_buffers(&mut self) {
        let mut batch = self.from_host.batch();
        while let Ok(chain) = batch.chain().writable(self.buffer_size).build() {
            if batch.submit(chain).is_err() {
                break;
            }
        }
        batch.finish_without_notify();
    }

    /// Brings the rings into the state that a snapshot keeps: nothing on the way to the host, every buffer offered.
    pub fn checkpoint(&mut self) {
        self.mailbox.store(MailboxValue::CheckpointPending.raw(), Ordering::Release);
        self.to_host.reclaim().expect("the host has taken all messages");
        // SAFETY: the host waits for the checkpoint, so it uses neither ring, and it starts over with both after it. No
        // buffer is in use: every message was copied.
        unsafe {
            self.to_host.reset().expect("nothing is on the way to the host");
            self.from_host.reset().expect("no message from the host is left");
        }
        self.offer_buffers();
        self.mailbox.store(MailboxValue::CheckpointComplete.raw(), Ordering::Release);
    }

    /// Forgets the buffers that were in use when the snapshot was taken.
    pub fn after_restore(&mut self) {
        // SAFETY: the snapshot was taken at a checkpoint, when no buffer was in use but those offered to the host, and the
        // host waits for this call.
        unsafe {
            self.to_host.reclaim_slots().expect("nothing was on the way to the host");
            self.from_host.reclaim_slots().expect("nothing was on the way from the host");
        }
    }

    /// Takes the message for which the host called.
    pub fn receive(&mut self) -> Request {
        self.to_host.reclaim().expect("the host gives back what it has read");
        let mut message = self.next_segments().expect("the host called with a message");
        let header = message.split_to(MsgHeader::SIZE).and_then(|header| MsgHeader::from_bytes(&header.into_bytes()));
        let header = header.expect("a message starts with a header");
        if header.kind == MsgKind::SnapshotCheckpoint {
            return Request::Checkpoint;
        }
        assert!(header.kind == MsgKind::Request && header.cid != 0, "the host called with a request");
        while message.len() < header.payload_len as usize {
            message.append(self.next_segments().expect("the message is complete"));
        }
        assert!(message.len() == header.payload_len as usize, "the message ends where it should");

        let (control, mut rest) = split_control(message).expect("a message holds its control data");
        let call = FunctionCall::decode(&control, &mut rest).expect("a call can be decoded");
        self.call = header.cid;
        Request::Call { function: call.function_name, arguments: call.parameters.unwrap_or_default() }
    }

    fn next_segments(&mut self) -> Option<Segments> {
        match self.from_host.poll() {
            Ok(Some(UsedChain::Data(_, segments))) if !segments.is_empty() => Some(segments),
            _ => None,
        }
    }

    /// Sends the result of the call that was received last. The host reads it when the guest halts.
    pub fn answer(&mut self, result: Result<ReturnValue, GuestError>) {
        self.try_answer(result).expect("an answer within the output limit fits the buffers");
    }

    fn try_answer(&mut self, result: Result<ReturnValue, GuestError>) -> Result<(), VirtqError> {
        self.submit_answer(&FunctionCallResult::new(result))?;
        self.offer_buffers();
        Ok(())
    }

    fn submit_answer(&mut self, result: &FunctionCallResult) -> Result<(), VirtqError> {
        self.to_host.reclaim()?;
        let mut builder = FlatBufferBuilder::new();
        let mut externals = ExternalValues::new();
        let control = result.encode(&mut builder, &mut externals).map_err(|_| VirtqError::Bookkeeping)?;
        let message =
            EncodedMessage::new(MsgKind::Response, self.call, control, externals).ok_or(VirtqError::OutOfMemory)?;
        let chain = self.chain(&message)?;
        let mut batch = self.to_host.batch();
        batch.submit(chain)?;
        batch.finish_without_notify();
        Ok(())
    }

    /// Identifies the call that the next answer is for.
    #[cfg(feature = "commit-faults")]
    pub fn call(&self) -> u32 {
        self.call
    }

    /// Sends these bytes, whatever they are.
    #[cfg(feature = "commit-faults")]
    pub fn send_raw(&mut self, bytes: &[u8]) -> Result<(), VirtqError> {
        self.to_host.reclaim()?;
        let mut chain = self.to_host.chain().readable(bytes.len()).build()?;
        chain.write_all(bytes)?;
        let mut batch = self.to_host.batch();
        batch.submit(chain)?;
        batch.finish_without_notify();
        Ok(())
    }

    /// Asks the host for something and returns the answer.
    ///
    /// # Errors
    /// It does not fit the buffers.
    pub fn ask(&mut self, call: HostRequest) -> Result<Vec<u8>, DoesNotFit> {
        let mut reply = Reply::HostRequest(call).into_bytes();
        heap_use().append_to(&mut reply);
        self.try_answer(Ok(ReturnValue::VecBytes(reply))).map_err(|_| DoesNotFit)?;
        context::leave();
        let Request::Call { function, arguments } = self.receive() else { panic!("a call is no state to keep") };
        assert!(function == HOST_REPLY.name, "the host answers before it asks for something else");
        match <[_; 1]>::try_from(arguments) {
            Ok([ParameterValue::VecBytes(answer)]) => Ok(answer),
            _ => panic!("an answer is made of bytes"),
        }
    }

    /// Copies a message into buffers.
    fn chain(&self, message: &EncodedMessage<'_>) -> Result<SendChain<Arena>, VirtqError> {
        let mut chain = self.to_host.chain().readable(message.total_len()).build()?;
        for chunk in message.chunks() {
            chain.write_all(chunk)?;
        }
        Ok(chain)
    }
}

/// What the guest asks its host for is larger than all buffers.
#[derive(Clone, Copy, Debug)]
pub struct DoesNotFit;

/// Splits a message's payload into its control data, a FlatBuffer behind its length, and the bytes that follow.
fn split_control(mut payload: Segments) -> Option<(Bytes, Segments)> {
    use hyperlight_common::transport::Buf;

    let mut prefix = [0; SIZE_PREFIX_LEN];
    payload.as_buf().try_copy_to_slice(&mut prefix).ok()?;
    let length = size_prefixed_len(size_prefix_payload_len(&prefix)?)?;
    Some((payload.split_to(length)?.into_bytes(), payload))
}

const _: () = {
    use guest_abi::{gate, memory as abi};
    use hyperlight_common::{layout, outb, vmem};

    assert!(abi::PAGE_SIZE as usize == vmem::PAGE_SIZE, "follow hyperlight-common");
    assert!(abi::SCRATCH_END - 1 == layout::SCRATCH_TOP_GVA as u64, "follow hyperlight-common");
    assert!(abi::SCRATCH_END_PHYSICAL - 1 == layout::SCRATCH_TOP_GPA as u64, "follow hyperlight-common");
    assert!(abi::SCRATCH_RESERVED_PAGES as usize == layout::SCRATCH_TOP_RESERVED_PAGES, "follow hyperlight-common");
    assert!(gate::port::ABORT == outb::OutBAction::Abort as u16, "follow hyperlight-common");
    assert!(gate::port::HALT == outb::VmAction::Halt as u16, "follow hyperlight-common");

    macro_rules! same_place {
        ($($field:ident: $offset:ident),* $(,)?) => {
            $(assert!(
                size_of::<ScratchMetadata>() - core::mem::offset_of!(ScratchMetadata, $field) == layout::$offset as usize,
                "follow hyperlight-common"
            );)*
        };
    }
    same_place!(
        h2g_buffer_size: SCRATCH_TOP_H2G_BUFFER_SIZE_OFFSET,
        h2g_pool_pages: SCRATCH_TOP_H2G_POOL_PAGES_OFFSET,
        h2g_queue_size: SCRATCH_TOP_H2G_QUEUE_SIZE_OFFSET,
        g2h_buffer_size: SCRATCH_TOP_G2H_BUFFER_SIZE_OFFSET,
        g2h_pool_pages: SCRATCH_TOP_G2H_POOL_PAGES_OFFSET,
        g2h_queue_size: SCRATCH_TOP_G2H_QUEUE_SIZE_OFFSET,
        transport_arena: SCRATCH_TOP_TRANSPORT_ARENA_GPA_OFFSET,
        guest_log_level: SCRATCH_TOP_GUEST_LOG_LEVEL_OFFSET,
        libc_rng_seed: SCRATCH_TOP_LIBC_RNG_SEED_OFFSET,
        snapshot_generation: SCRATCH_TOP_SNAPSHOT_GENERATION_OFFSET,
        page_tables: SCRATCH_TOP_SNAPSHOT_PT_GPA_BASE_OFFSET,
        next_free: SCRATCH_TOP_ALLOCATOR_OFFSET,
        scratch_size: SCRATCH_TOP_SIZE_OFFSET,
    );
};
