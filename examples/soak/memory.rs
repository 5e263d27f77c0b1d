//! What the process holds, over time.

use std::error::Error;
use std::fmt;
use std::fs;
use std::time::Duration;

use greenthread::stats;
use plotters::prelude::{ChartBuilder, IntoDrawingArea, LineSeries, SVGBackend};
use plotters::style::{BLUE, WHITE};

/// Bytes in a MiB.
const MIB: f64 = 1024.0 * 1024.0;

/// One look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Since the beginning.
    pub(crate) at: Duration,

    /// Bytes of memory.
    pub(crate) resident: usize,

    /// Open files.
    pub(crate) descriptors: usize,

    /// Stacks of this OS thread in use.
    pub(crate) stacks: usize,
}

impl Sample {
    pub(crate) fn now(at: Duration) -> Self {
        Sample {
            at,
            resident: resident(),
            descriptors: fs::read_dir("/proc/self/fd").map_or(0, Iterator::count),
            stacks: stats().stacks.live,
        }
    }
}

/// Bytes of memory that the process has, by the kernel's count.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|text| text.parse().ok()).unwrap_or(0) * 1024
}

/// All looks, in order.
#[derive(Debug, Default)]
pub(crate) struct History(Vec<Sample>);

impl History {
    pub(crate) fn push(&mut self, sample: Sample) {
        self.0.push(sample);
    }

    /// What came after the first third: the rest is warm-up.
    fn warm(&self) -> &[Sample] {
        &self.0[self.0.len() / 3..]
    }

    /// Bytes a second by which memory grew after the warm-up: the slope of the line of least squares.
    fn slope(&self) -> f64 {
        let points = self.warm().iter();
        let points: Vec<(f64, f64)> = points
            .map(|sample| (sample.at.as_secs_f64(), sample.resident as f64))
            .collect();
        let count = points.len() as f64;
        let mean_x = points.iter().map(|point| point.0).sum::<f64>() / count;
        let mean_y = points.iter().map(|point| point.1).sum::<f64>() / count;
        let together = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y));
        let alone = points.iter().map(|(x, _)| (x - mean_x).powi(2));
        let slope = together.sum::<f64>() / alone.sum::<f64>();
        if slope.is_finite() { slope } else { 0.0 }
    }

    /// Bytes by which memory grew after the warm-up, by the slope.
    pub(crate) fn growth(&self) -> f64 {
        let warm = self.warm();
        let length = match (warm.first(), warm.last()) {
            (Some(first), Some(last)) => last.at - first.at,
            _ => Duration::ZERO,
        };
        self.slope() * length.as_secs_f64()
    }

    /// Draws memory over time, as SVG.
    pub(crate) fn draw(&self, path: &str) -> Result<(), Box<dyn Error>> {
        let end = self.0.last().map_or(1.0, |last| last.at.as_secs_f64());
        let most = self.0.iter().map(|sample| sample.resident).max();
        let top = most.unwrap_or(0) as f64 / MIB * 1.1 + 1.0;
        let area = SVGBackend::new(path, (900, 360)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption("resident memory", ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(36)
            .y_label_area_size(56)
            .build_cartesian_2d(0.0..end, 0.0..top)?;
        chart
            .configure_mesh()
            .x_desc("seconds")
            .y_desc("MiB")
            .draw()?;
        let points = self.0.iter();
        let points = points.map(|sample| (sample.at.as_secs_f64(), sample.resident as f64 / MIB));
        chart.draw_series(LineSeries::new(points, &BLUE))?;
        area.present()?;
        Ok(())
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |part: &[Sample]| part.iter().map(|sample| sample.resident).max().unwrap_or(0);
        write!(
            f,
            "memory: at most {:.1} MiB in the first third, {:.1} MiB after it; slope after it {:+.1} KiB a second",
            of(&self.0[..self.0.len() / 3]) as f64 / MIB,
            of(self.warm()) as f64 / MIB,
            self.slope() / 1024.0
        )
    }
}
