//! The functions of the guest that the host calls, as `hyperlight-host` has their arguments. They are compared with what the
//! guest knows when this is compiled.

use guest_abi::function::{self, Kind, Signature};
use hyperlight_common::flatbuffer_wrappers::function_types::ParameterType;
use hyperlight_common::func::{ParameterTuple, ReturnType, SupportedReturnType};

pub type AddHandler = (Vec<u8>, String, String, i32, bool);
pub type CallHandler = (Vec<u8>, Vec<u8>, String, Vec<u8>);
pub type SetHostFunctions = Vec<u8>;
pub type AddPiece = Vec<u8>;
pub type SetEnvironment = String;
pub type AddModule = (String, String, i32);
pub type Run = (Vec<u8>, Vec<u8>, Vec<u8>);
pub type Resume = (Vec<u8>, Vec<u8>);
pub type HostReplyBytes = Vec<u8>;

const _: () = {
    assert!(matches_signature::<AddHandler, Vec<u8>>(&function::ADD_HANDLER), "see guest_abi::function");
    assert!(matches_signature::<CallHandler, Vec<u8>>(&function::CALL_HANDLER), "see guest_abi::function");
    assert!(matches_signature::<Run, Vec<u8>>(&function::RUN), "see guest_abi::function");
    assert!(matches_signature::<Resume, Vec<u8>>(&function::RESUME), "see guest_abi::function");
    assert!(matches_signature::<(), ()>(&function::ROUND_TRIP), "see guest_abi::function");
    assert!(matches_signature::<CallHandler, Vec<u8>>(&function::WARM_UP), "see guest_abi::function");
    assert!(matches_signature::<(), Vec<u8>>(&function::COUNTERS), "see guest_abi::function");
    assert!(matches_signature::<(), Vec<u8>>(&function::COPIED_PAGES), "see guest_abi::function");
    assert!(
        matches_signature::<(Vec<u8>, Vec<u8>, Vec<u8>), ()>(&function::SET_WORKING_SETS),
        "see guest_abi::function"
    );
    assert!(matches_signature::<SetHostFunctions, ()>(&function::SET_HOST_FUNCTIONS), "see guest_abi::function");
    assert!(matches_signature::<AddPiece, ()>(&function::ADD_PIECE), "see guest_abi::function");
    assert!(matches_signature::<SetEnvironment, ()>(&function::SET_ENVIRONMENT), "see guest_abi::function");
    assert!(matches_signature::<AddModule, ()>(&function::ADD_MODULE), "see guest_abi::function");
    assert!(matches_signature::<HostReplyBytes, Vec<u8>>(&function::HOST_REPLY), "see guest_abi::function");
    #[cfg(feature = "test-guest")]
    assert!(matches_signature::<i32, Vec<u8>>(&function::COMMIT_FAULT), "see guest_abi::function");
};

const fn matches_signature<Parameters: ParameterTuple, Output: SupportedReturnType>(signature: &Signature) -> bool {
    let parameters = Parameters::TYPE;
    if parameters.len() != signature.parameters.len() {
        return false;
    }
    let mut i = 0;
    while i < parameters.len() {
        match (&parameters[i], signature.parameters[i]) {
            (ParameterType::String, Kind::Text)
            | (ParameterType::VecBytes, Kind::Bytes)
            | (ParameterType::Bool, Kind::Bool)
            | (ParameterType::Int, Kind::Int) => {}
            _ => return false,
        }
        i += 1;
    }
    matches!(
        (Output::TYPE, signature.result),
        (ReturnType::String, Kind::Text)
            | (ReturnType::VecBytes, Kind::Bytes)
            | (ReturnType::Bool, Kind::Bool)
            | (ReturnType::Int, Kind::Int)
            | (ReturnType::Void, Kind::Void)
    )
}
