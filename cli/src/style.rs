//! The few styles that the commands use; `anstream` drops them where there is no terminal, or `NO_COLOR` is set.

use anstyle::{AnsiColor, Style};

/// A failure.
pub const ERROR: Style = AnsiColor::Red.on_default().bold();
/// All is well.
pub const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Works, and could be better.
pub const WARN: Style = AnsiColor::Yellow.on_default().bold();
/// A name, a heading.
pub const NAME: Style = AnsiColor::Cyan.on_default().bold();
/// What matters less.
pub const DIM: Style = Style::new().dimmed();

/// A text in a style.
pub fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{}{text}{}", style.render(), style.render_reset())
}

/// The styles of help texts.
pub fn help() -> clap::builder::Styles {
    clap::builder::Styles::styled()
        .header(AnsiColor::Green.on_default().bold())
        .usage(AnsiColor::Green.on_default().bold())
        .literal(AnsiColor::Cyan.on_default().bold())
        .placeholder(AnsiColor::Cyan.on_default())
}
