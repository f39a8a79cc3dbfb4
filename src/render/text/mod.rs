//! Reports for people on a terminal or in a file: capture health, one line per session, stories, ladders.

mod health;
mod ladder;
pub mod layout;
mod live;
mod sessions;
mod stories;
mod story;
mod style;
mod together;
pub mod words;

pub use health::{damage, health, troubles};
pub use ladder::ladder;
pub use live::{
    LiveLines, OPEN_LISTED, Summary, live_insight, live_saved, live_story, live_withdrawn, open_sessions, summary,
};
pub use sessions::{SHOWN, sessions};
pub use stories::stories;
pub use story::{Page, Telling, finding, session, told};
pub use style::{Paint, Style, Times};
