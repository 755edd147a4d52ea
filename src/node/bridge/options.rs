//! Objects with options, whose members are checked.

use std::ops::RangeInclusive;

use napi::bindgen_prelude::{JsObjectValue, Object};
use napi::{Env, JsValue, KeyCollectionMode, KeyConversion, KeyFilter, Unknown, ValueType};

use super::arguments::{count, from_js, string, wrong_type};
use super::exception;
use super::signal::Signal;
use crate::node::error::{Error, Result};
use crate::node::invalid_value::InvalidValue;

/// Range of timeouts in milliseconds.
const TIMEOUTS: RangeInclusive<f64> = 1.0..=3_600_000.0;

/// An object with options.
pub struct Options<'env> {
    env: &'env Env,
    object: Object<'env>,
}

impl<'env> Options<'env> {
    /// Those that were given, if any. All but the named ones are refused: one that sets a limit must never be ignored for its
    /// spelling.
    pub fn from_js(env: &'env Env, value: Unknown<'_>, names: &[&str]) -> Result<Option<Self>> {
        match value.get_type()? {
            ValueType::Undefined => return Ok(None),
            ValueType::Object => {}
            other => return Err(wrong_type("the options", "an object", other)),
        }
        let options = Self { env, object: Object::from_raw(env.raw(), value.raw()) };
        let (collection, conversion) = (KeyCollectionMode::OwnOnly, KeyConversion::NumbersToStrings);
        let given = options.object.get_all_property_names(collection, KeyFilter::SkipSymbols, conversion);
        let given = given.map_err(|_| options.refused())?;
        for i in 0..given.get_array_length()? {
            let name: String = given.get_element(i)?;
            if !names.contains(&name.as_str()) {
                return Err(InvalidValue::UnknownOption(name).into());
            }
        }
        Ok(Some(options))
    }

    fn read(&self, name: &str) -> Result<Unknown<'_>> {
        self.object.get_named_property_unchecked(name).map_err(|_| self.refused())
    }

    fn refused(&self) -> Error {
        let reason = exception::take_text(self.env).unwrap_or_default();
        InvalidValue::UnreadableOptions(reason).into()
    }

    pub fn given(&self, name: &str) -> Result<Option<Unknown<'_>>> {
        let value = self.read(name)?;
        Ok(if value.get_type()? == ValueType::Undefined { None } else { Some(value) })
    }

    /// Any value.
    pub fn value(&self, name: &str) -> Result<Option<Unknown<'static>>> {
        let Some(value) = self.given(name)? else { return Ok(None) };
        // SAFETY: the value belongs to this environment and to the scope of the running call.
        Ok(Some(unsafe { Unknown::from_raw_unchecked(self.env.raw(), value.raw()) }))
    }

    pub fn signal(&self, name: &str) -> Result<Option<Signal>> {
        self.given(name)?.map(|value| Signal::from_js(self.env, value)).transpose()
    }

    pub fn count(&self, name: &str, range: &RangeInclusive<usize>) -> Result<Option<usize>> {
        let Some(value) = self.given(name)? else { return Ok(None) };
        count(self.env, &format!("the option {name}"), range, value).map(Some)
    }

    pub fn boolean(&self, name: &str) -> Result<Option<bool>> {
        let value = self.read(name)?;
        match value.get_type()? {
            ValueType::Undefined => Ok(None),
            ValueType::Boolean => Ok(Some(from_js(self.env, value)?)),
            other => Err(wrong_type(&format!("the option {name}"), "a boolean", other)),
        }
    }

    /// A text that is one of these.
    pub fn one_of<T: Copy>(&self, name: &str, values: &[(&str, T)]) -> Result<Option<T>> {
        let Some(value) = self.given(name)? else { return Ok(None) };
        let text = string(self.env, &format!("the option {name}"), value)?;
        if let Some((_, value)) = values.iter().find(|(known, _)| *known == text) {
            return Ok(Some(*value));
        }
        let known = values.iter().map(|(known, _)| known.to_string()).collect();
        Err(InvalidValue::Text { what: format!("the option {name}"), known, text }.into())
    }

    pub fn timeout(&self, name: &str) -> Result<Option<f64>> {
        let value = self.read(name)?;
        match value.get_type()? {
            ValueType::Undefined => Ok(None),
            ValueType::Number => match from_js(self.env, value)? {
                milliseconds if TIMEOUTS.contains(&milliseconds) => Ok(Some(milliseconds)),
                number => {
                    let expected = format!("from {} to {}", TIMEOUTS.start(), TIMEOUTS.end());
                    Err(InvalidValue::Number { what: format!("the option {name}"), expected, number }.into())
                }
            },
            other => Err(wrong_type(&format!("the option {name}"), "a number", other)),
        }
    }
}
