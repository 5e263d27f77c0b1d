//! The picture of a curve: both axes logarithmic, a line for each peer.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;

use crate::curve::Drawn;
use crate::peer::OURS;

/// Pixels.
const SIZE: (u32, u32) = (900, 520);

/// Ours, readable on light and on dark.
const OUR_COLOUR: RGBColor = RGBColor(38, 139, 90);

/// The others', in turn.
const COLOURS: [RGBColor; 3] = [
    RGBColor(120, 120, 120),
    RGBColor(200, 130, 40),
    RGBColor(70, 110, 190),
];

/// Draws it.
pub fn draw(drawn: &Drawn, file: &Path) -> Result<(), Box<dyn Error>> {
    let all = || drawn.points.values().flatten();
    let first = all().map(|point| point.0).min().unwrap_or(1);
    let last = all().map(|point| point.0).max().unwrap_or(1);
    let least = all().map(|point| point.1).fold(f64::MAX, f64::min);
    let most = all().map(|point| point.1).fold(f64::MIN_POSITIVE, f64::max);
    let root = SVGBackend::new(file, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let title = format!("{} ({})", drawn.curve.what, drawn.curve.unit);
    let (across, up) = (
        (first as f64..last as f64 * 1.2).log_scale(),
        (least / 1.5..most * 1.5).log_scale(),
    );
    let mut chart = ChartBuilder::on(&root)
        .caption(title, ("sans-serif", 20))
        .margin(14)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(across, up)?;
    chart
        .configure_mesh()
        .x_desc(drawn.curve.of)
        .y_desc(drawn.curve.unit)
        .x_label_formatter(&|number| format!("{number:.0}"))
        .draw()?;
    let mut colours = COLOURS.iter().cycle();
    for (name, points) in &drawn.points {
        let colour = match *name {
            OURS => OUR_COLOUR,
            _ => *colours.next().expect("they come round"),
        };
        let line = points.iter().map(|(number, cost)| (*number as f64, *cost));
        let style = colour.stroke_width(if *name == OURS { 3 } else { 2 });
        chart
            .draw_series(LineSeries::new(line.clone(), style).point_size(3))?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE)
        .border_style(BLACK)
        .draw()?;
    root.present()?;
    Ok(())
}
