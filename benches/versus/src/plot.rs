//! One picture for each row: a bar for each peer, the budget as a line.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;

use crate::outcome::Outcome;
use crate::peer::OURS;

/// Pixels: width, and height of one bar with its gap.
const WIDTH: u32 = 900;

/// See [`WIDTH`].
const BAR: u32 = 34;

/// Ours, readable on light and on dark.
const OUR_COLOUR: RGBColor = RGBColor(38, 139, 90);

/// Everybody else's.
const COLOUR: RGBColor = RGBColor(120, 140, 170);

/// The budget's line.
const LIMIT_COLOUR: RGBColor = RGBColor(200, 80, 60);

/// Draws every row that has numbers.
pub fn all(outcomes: &[Outcome], folder: &Path) -> Result<(), Box<dyn Error>> {
    for outcome in outcomes
        .iter()
        .filter(|outcome| !outcome.numbers.is_empty())
    {
        one(outcome, &folder.join(format!("{}.svg", outcome.row.name)))?;
    }
    Ok(())
}

/// Bars on a logarithmic scale: peers differ by powers of ten.
fn one(outcome: &Outcome, file: &Path) -> Result<(), Box<dyn Error>> {
    let mut bars: Vec<_> = outcome
        .numbers
        .keys()
        .filter_map(|name| Some((name.as_str(), outcome.value(name)?)))
        .collect();
    bars.sort_by(|a, b| b.1.total_cmp(&a.1));
    let least = bars.last().map_or(1.0, |bar| bar.1) / 2.0;
    let most = bars.first().map_or(1.0, |bar| bar.1) * 4.0;
    let height = 110 + BAR * bars.len() as u32;
    let root = SVGBackend::new(file, (WIDTH, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let title = format!("{} ({})", outcome.row.what, outcome.row.unit);
    let mut chart = ChartBuilder::on(&root)
        .caption(title, ("sans-serif", 20))
        .margin(14)
        .x_label_area_size(34)
        .y_label_area_size(120)
        .build_cartesian_2d((least..most).log_scale(), 0.0..bars.len() as f64)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .x_desc("logarithmic")
        .draw()?;
    for (place, (name, value)) in bars.iter().enumerate() {
        let (low, high) = (place as f64 + 0.15, place as f64 + 0.85);
        let colour = if *name == OURS { OUR_COLOUR } else { COLOUR };
        chart.draw_series([Rectangle::new(
            [(least, low), (*value, high)],
            colour.filled(),
        )])?;
        let label = format!("{name} {value:.1}");
        chart.draw_series([Text::new(
            label,
            (*value * 1.05, place as f64 + 0.62),
            ("sans-serif", 15),
        )])?;
    }
    if let Some(limit) = outcome.limit() {
        let line = [(limit, 0.0), (limit, bars.len() as f64)];
        chart.draw_series(LineSeries::new(line, LIMIT_COLOUR.stroke_width(2)))?;
    }
    root.present()?;
    Ok(())
}
