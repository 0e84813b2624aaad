//! Where in a file of demos, or in a literal of the source, a value stands.

use super::text::Text;

/// A place: the file's line, and the way of field names and indices that leads there.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    /// Empty for a literal of the source, which rustc points at.
    file: &'p str,
    line: u128,
    up: Option<&'p Place<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Key(&'p str),
    Index(usize),
}

impl<'p> Place<'p> {
    /// A field of a signature, in the source.
    pub(super) const fn source(name: &'p str) -> Self {
        Place::file("", 0, name)
    }

    /// A field of a signature, in a record of a file.
    pub(super) const fn file(file: &'p str, line: u128, name: &'p str) -> Self {
        Place {
            file,
            line,
            up: None,
            step: Step::Key(name),
        }
    }

    /// An entry of the map that stands here.
    pub(super) const fn key(&'p self, line: u128, name: &'p str) -> Self {
        self.below(line, Step::Key(name))
    }

    /// An item of the list that stands here.
    pub(super) const fn index(&'p self, line: u128, at: usize) -> Self {
        self.below(line, Step::Index(at))
    }

    /// An entry that the map which stands here should have.
    pub(super) const fn lacking(&'p self, name: &'p str) -> Self {
        self.below(self.line, Step::Key(name))
    }

    const fn below(&'p self, line: u128, step: Step<'p>) -> Self {
        Place {
            file: self.file,
            line,
            up: Some(self),
            step,
        }
    }

    /// `` demos.jsonl:3: `owner.name` ``
    pub(super) const fn named(&self) -> Text {
        let mut text = Text::new();
        if !self.file.is_empty() {
            text = text.text(self.file).text(":").uint(self.line).text(": ");
        }
        self.path(text.text("`")).text("`")
    }

    /// The same, for what is wrong there to follow.
    pub(super) const fn open(&self) -> Text {
        self.named().text(": ")
    }

    /// A loop for each step from the top: a call for each would use up the frames that constant evaluation has.
    const fn path(&self, mut text: Text) -> Text {
        let mut depth = self.depth();
        while depth > 0 {
            depth -= 1;
            let mut place = self;
            let mut up = depth;
            while up > 0 {
                if let Some(above) = place.up {
                    place = above;
                }
                up -= 1;
            }
            text = match place.step {
                Step::Key(name) => text.text(name),
                Step::Index(at) => text.uint(at as u128),
            };
            if depth > 0 {
                text = text.text(".");
            }
        }
        text
    }

    const fn depth(&self) -> usize {
        let (mut place, mut depth) = (self, 1);
        while let Some(above) = place.up {
            place = above;
            depth += 1;
        }
        depth
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn a_place_is_named_from_the_top() {
        let steps = Place::file("demos.json", 1, "steps");
        let second = steps.index(2, 1);
        let who = second.key(3, "who");
        assert_eq!(who.open().as_str(), "demos.json:3: `steps.1.who`: ");
        assert_eq!(
            who.lacking("name").named().as_str(),
            "demos.json:3: `steps.1.who.name`"
        );
        assert_eq!(Place::source("score").open().as_str(), "`score`: ");
    }
}
