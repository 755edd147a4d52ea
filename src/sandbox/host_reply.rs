//! What the host answers a guest, cut to what fits a message.

use guest_abi::message::HostReply;

use super::error::ThrownError;

/// Size of an error that fits every message.
const ERROR_SIZE_MIN: usize = 32 << 10;

/// The reply to a call that is beyond a limit.
pub fn refused(why: String) -> HostReply {
    HostReply::Failed(ThrownError::new("RangeError", why))
}

/// If the reply is too large, it says so instead.
pub fn fit(reply: &mut HostReply, limit: usize) {
    match reply {
        HostReply::Value(value) if value.size() > limit => {
            let size = value.size();
            let text = format!("the result of the host function is {size} bytes long, but at most {limit} bytes fit");
            *reply = HostReply::Failed(ThrownError::new("RangeError", text));
        }
        HostReply::Failed(error) => error.fit(),
        _ => {}
    }
}

/// An error may be larger than a result, and than the message: then its name and its message have to do.
pub fn shorten(reply: &mut HostReply, size_max: usize) {
    let size = size_of(reply);
    if let HostReply::Failed(error) = reply
        && size > size_max.max(ERROR_SIZE_MIN)
    {
        let mut short = ThrownError::new(std::mem::take(&mut error.name), std::mem::take(&mut error.message));
        for text in [&mut short.name, &mut short.message] {
            text.truncate(text.floor_char_boundary(ERROR_SIZE_MIN / 2));
        }
        *error = short;
    }
}

/// Bytes of a reply in a message.
pub fn size_of(reply: &HostReply) -> usize {
    match reply {
        HostReply::Value(value) => value.size(),
        HostReply::Undefined => 0,
        HostReply::Failed(_) => reply.clone().into_bytes().len(),
    }
}
