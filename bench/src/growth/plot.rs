//! A plot of lines as an SVG picture, without a library: axes, lines and a legend.

use std::fmt::Write;

/// A line through points.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) points: Vec<(u64, f64)>,
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 380.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 230.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 40.0;
/// Colours that can be told apart without red and green.
const COLOURS: [&str; 6] = ["#0072b2", "#56b4e9", "#009e73", "#d55e00", "#e69f00", "#cc79a7"];

/// Plots the lines over the logarithm of their first coordinate; the second begins at 0.
pub(super) fn svg(title: &str, lines: &[Line]) -> String {
    let points = || lines.iter().flat_map(|line| line.points.iter());
    let sizes: std::collections::BTreeSet<u64> = points().map(|(size, _)| *size).collect();
    let highest = points().map(|(_, value)| *value).fold(1.0, f64::max) * 1.1;
    #[expect(clippy::cast_precision_loss, reason = "a plot shows no digit beyond the third")]
    let logarithm = |size: u64| (size as f64).log10();
    let lowest = sizes.first().map_or(0.0, |size| logarithm(*size));
    let span = (sizes.last().map_or(1.0, |size| logarithm(*size)) - lowest).max(f64::MIN_POSITIVE);
    let x = |size: u64| LEFT + (logarithm(size) - lowest) / span * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| HEIGHT - BOTTOM - value / highest * (HEIGHT - TOP - BOTTOM);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n<text x=\"{LEFT}\" y=\"22\" font-size=\"14\">{title}</text>\n"
    );
    for value in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let _ = writeln!(
            svg,
            "<path d=\"M{LEFT} {y:.1}H{right}\" stroke=\"#ddd\"/><text x=\"{label}\" y=\"{y:.1}\" text-anchor=\"end\">{value}</text>",
            y = y(value),
            right = WIDTH - RIGHT,
            label = LEFT - 8.0,
        );
    }
    for size in &sizes {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{size}</text>",
            x(*size),
            HEIGHT - BOTTOM + 20.0
        );
    }
    for (index, (line, colour)) in lines.iter().zip(COLOURS.iter().cycle()).enumerate() {
        let points: Vec<String> =
            line.points.iter().map(|(size, value)| format!("{:.1},{:.1}", x(*size), y(*value))).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            points.join(" ")
        );
        #[expect(clippy::cast_precision_loss, reason = "there are a few lines")]
        let at = TOP + 20.0 * index as f64;
        let _ = writeln!(
            svg,
            "<path d=\"M{} {at}h20\" stroke=\"{colour}\" stroke-width=\"2\"/><text x=\"{}\" y=\"{}\">{}</text>",
            WIDTH - RIGHT + 20.0,
            WIDTH - RIGHT + 46.0,
            at + 4.0,
            line.name
        );
    }
    svg + "</svg>\n"
}
