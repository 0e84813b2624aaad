//! A spec, demos and inputs to chat messages, in the format of `docs/prompts.md`.
//!
//! Pure functions of data: no model, no template, no tokenizer. Untrusted text is escaped here so that it can
//! open no section; that it can make no control token is the tokenizer's part.

mod chat;
mod json;
mod message;
mod types;
mod value;

pub(crate) use chat::instruction;
pub use chat::{assistant_content, chat_messages, user_content};
pub use message::{Message, Role};
pub use types::type_name;
pub use value::render_value;
pub(crate) use value::{plain_text, to_json};
