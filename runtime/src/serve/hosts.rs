//! The names by which clients may call this machine: against pages that make a name of their own point here.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, StatusCode, header};

use super::api_error::ApiError;

/// Names that are answered to.
#[derive(Debug)]
pub(super) enum Hosts {
    /// Any: other machines are let in, by whatever names they have for this one.
    Any,
    /// `localhost`, numeric addresses, and these.
    Own(Vec<String>),
}

impl Hosts {
    pub fn of(address: SocketAddr, names: Vec<String>) -> Self {
        match address.ip().is_loopback() {
            true => Hosts::Own(names),
            false => Hosts::Any,
        }
    }

    pub fn check(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let Hosts::Own(names) = self else {
            return Ok(());
        };
        let given = headers
            .get(header::HOST)
            .map(|host| host.to_str().unwrap_or("unreadable"));
        // HTTP/1.0 has no such header, and pages do not speak it.
        let Some(given) = given else {
            return Ok(());
        };
        let name = without_port(given);
        let is_own = name.eq_ignore_ascii_case("localhost")
            || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
            || names.iter().any(|own| own.eq_ignore_ascii_case(name));
        match is_own {
            true => Ok(()),
            false => Err(ApiError::refused(
                StatusCode::FORBIDDEN,
                "unknown_host",
                format!(
                    "this server does not answer to `{name}`: call it localhost, or name it with .host(..)"
                ),
            )),
        }
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(hosts: &Hosts, host: &str) -> bool {
        let host = host.parse().expect("a header");
        hosts
            .check(&HeaderMap::from_iter([(header::HOST, host)]))
            .is_ok()
    }

    #[test]
    fn only_own_names_are_answered_to() {
        let local: SocketAddr = "127.0.0.1:8000".parse().expect("an address");
        let own = Hosts::of(local, vec!["box.lan".into()]);
        for host in [
            "localhost",
            "LOCALHOST:8000",
            "127.0.0.1:8000",
            "[::1]:8000",
            "[::1]",
            "box.lan:80",
        ] {
            assert!(allows(&own, host), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example:8000",
            "",
            "127.0.0.1.evil.example",
        ] {
            assert!(!allows(&own, host), "{host}");
        }
        assert!(own.check(&HeaderMap::new()).is_ok());
        let all = Hosts::of("0.0.0.0:8000".parse().expect("an address"), Vec::new());
        assert!(allows(&all, "gpu.lan"));
    }
}
