//! Bars from left to right, a group below the other, each with its value at its end. Text is dark on white, so that it reads on any page.

use anyhow::anyhow;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::figures::Figures;

const WIDTH: u32 = 860;
/// Room for the names of groups.
const NAMES: i32 = 240;
/// Room behind the longest bar, for its value.
const BEHIND: i32 = 70;
const BAR: i32 = 18;
const GAP: i32 = 14;
/// Room for the title and the names of series.
const HEAD: i32 = 66;
/// Room for the command and the machine.
const FOOT: i32 = 50;

const INK: RGBColor = RGBColor(31, 35, 40);
const GREY: RGBColor = RGBColor(89, 99, 110);
const COLOURS: [RGBColor; 4] = [
    RGBColor(9, 105, 218),
    RGBColor(191, 135, 0),
    RGBColor(84, 174, 255),
    RGBColor(225, 180, 90),
];

/// The figures as SVG.
pub fn draw(figures: &Figures) -> anyhow::Result<String> {
    let rows = (figures.groups.len() * figures.series.len()) as i32;
    let height = HEAD + rows * BAR + figures.groups.len() as i32 * GAP + FOOT;
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height as u32)).into_drawing_area();
        area.fill(&WHITE).map_err(failed)?;
        head(&area, figures)?;
        bars(&area, figures)?;
        let foot = format!("{} · {}", figures.command, figures.run);
        text(&area, &foot, (16, height - 20), 15, GREY, HPos::Left)?;
        area.present().map_err(failed)?;
    }
    Ok(svg)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// The backend's errors borrow it.
fn failed<E: std::error::Error + Send + Sync>(error: DrawingAreaErrorKind<E>) -> anyhow::Error {
    anyhow!("drawing: {error}")
}

fn head(area: &Area, figures: &Figures) -> anyhow::Result<()> {
    let title = format!("{}, {}", figures.title, figures.unit);
    text(area, &title, (16, 20), 21, INK, HPos::Left)?;
    let mut x = 16;
    if figures.series.len() == 1 {
        return Ok(());
    }
    for (series, colour) in figures.series.iter().zip(COLOURS.iter().cycle()) {
        let square = Rectangle::new([(x, 40), (x + 12, 52)], colour.filled());
        area.draw(&square).map_err(failed)?;
        text(area, &series.name, (x + 18, 46), 16, INK, HPos::Left)?;
        // SVG knows no widths before it is shown: seven and a half a letter is enough for this size.
        x += 18 + 15 * series.name.chars().count() as i32 / 2 + 20;
    }
    Ok(())
}

fn bars(area: &Area, figures: &Figures) -> anyhow::Result<()> {
    let scale = f64::from(WIDTH as i32 - NAMES - BEHIND) / figures.most();
    let mut y = HEAD;
    for (at, group) in figures.groups.iter().enumerate() {
        let middle = y + figures.series.len() as i32 * BAR / 2;
        text(area, group, (NAMES - 12, middle), 16, INK, HPos::Right)?;
        for (series, colour) in figures.series.iter().zip(COLOURS.iter().cycle()) {
            if let Some(value) = series.values[at] {
                let end = NAMES + (value * scale) as i32;
                let bar = Rectangle::new([(NAMES, y + 1), (end, y + BAR - 1)], colour.filled());
                area.draw(&bar).map_err(failed)?;
                let digits = usize::from(value < 100.0);
                let shown = format!("{value:.digits$}");
                text(area, &shown, (end + 6, y + BAR / 2), 15, INK, HPos::Left)?;
            }
            y += BAR;
        }
        y += GAP;
    }
    Ok(())
}

fn text(
    area: &Area,
    words: &str,
    at: (i32, i32),
    size: i32,
    colour: RGBColor,
    side: HPos,
) -> anyhow::Result<()> {
    let style = TextStyle::from(("sans-serif", size).into_font())
        .color(&colour)
        .pos(Pos::new(side, VPos::Center));
    area.draw_text(words, &style, at).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Series;

    #[test]
    fn every_value_stands_beside_its_bar_and_what_was_not_measured_has_none() {
        let figures = Figures {
            title: "Decoding".into(),
            unit: "tok/s".into(),
            command: "c".into(),
            run: "r".into(),
            groups: vec!["one".into(), "two".into()],
            series: vec![Series {
                name: "ours".into(),
                values: vec![Some(12.34), None],
            }],
        };
        let svg = draw(&figures).expect("drawn");
        let bars = svg.matches("<rect").count();
        // The page, and one bar: a lone series needs no legend.
        assert_eq!(bars, 2, "{svg}");
        assert!(svg.contains("12.3") && svg.contains("two"));
    }
}
