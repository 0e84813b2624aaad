//! API keys, compared in a time that says nothing of them but their length.

use axum::http::{HeaderMap, header};
use subtle::ConstantTimeEq as _;

use super::api_error::ApiError;

/// Lets in whoever brings one of the keys; everybody if there are none.
pub(super) fn check(keys: &[String], headers: &HeaderMap) -> Result<(), ApiError> {
    if keys.is_empty() {
        return Ok(());
    }
    let Some(given) = headers.get(header::AUTHORIZATION) else {
        return Err(ApiError::unauthorized(
            "no API key: send the header `Authorization: Bearer <key>`",
        ));
    };
    let scheme = "bearer ";
    let bytes = given.as_bytes();
    let is_bearer = bytes
        .get(..scheme.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(scheme.as_bytes()));
    if !is_bearer {
        return Err(ApiError::unauthorized(
            "the Authorization header is no bearer token: send `Authorization: Bearer <key>`",
        ));
    }
    let given = bytes[scheme.len()..].trim_ascii();
    // All keys are compared, whichever is right.
    let right = keys.iter().fold(subtle::Choice::from(0), |right, key| {
        right | key.as_bytes().ct_eq(given)
    });
    match bool::from(right) {
        true => Ok(()),
        false => Err(ApiError::unauthorized("the API key is wrong")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(value: &str) -> HeaderMap {
        let value = value.parse().expect("a header");
        HeaderMap::from_iter([(header::AUTHORIZATION, value)])
    }

    #[test]
    fn only_a_whole_key_opens() {
        let keys = ["sk-one".to_owned(), "sk-two".to_owned()];
        for right in ["Bearer sk-one", "bearer sk-two", "Bearer  sk-two "] {
            assert!(check(&keys, &with(right)).is_ok(), "{right}");
        }
        for wrong in [
            "Bearer sk-on",
            "Bearer sk-one1",
            "Bearer ",
            "sk-one",
            "Basic sk-one",
            "é",
        ] {
            assert!(check(&keys, &with(wrong)).is_err(), "{wrong}");
        }
        assert!(check(&keys, &HeaderMap::new()).is_err());
        assert!(check(&[], &HeaderMap::new()).is_ok());
    }
}
