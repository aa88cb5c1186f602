//! Little PDFs and PNGs: the plan of a floor, a different one for each drawing and version.

use std::io;

use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str};
use sha2::{Digest, Sha256};

use crate::sample::Sampler;

/// The size of a plan, in pixels and in points of 1/72 inch.
const WIDTH: u16 = 480;
const HEIGHT: u16 = 360;

/// The room between the plan and the edge of its page.
const MARGIN: u16 = 60;

/// The colours of a PNG: paper, wall, and the floors.
const PALETTE: [[u8; 3]; 6] =
    [[255, 255, 255], [40, 40, 48], [238, 226, 208], [214, 228, 238], [224, 236, 216], [240, 216, 216]];

/// A room of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Room {
    x: u16,
    y: u16,
    width: u16,
    height: u16,
    floor: u8,
}

/// The rooms of a version of a drawing. Its PDF and its PNG show the same.
fn plan(name: &str, version: u64) -> Vec<Room> {
    let digest = Sha256::digest(format!("{name} {version}"));
    let seed = digest.iter().take(8).fold(0, |seed, &byte| seed << 8 | u64::from(byte));
    let mut sampler = Sampler::new(seed);
    let mut rooms = Vec::new();
    divide(Room { x: 0, y: 0, width: WIDTH, height: HEIGHT, floor: 0 }, &mut sampler, &mut rooms);
    rooms
}

/// Divides a room along its longer side until its parts are small.
fn divide(room: Room, sampler: &mut Sampler, rooms: &mut Vec<Room>) {
    let Room { x, y, width, height, .. } = room;
    let longer = width.max(height);
    if longer < 120 || (longer < 240 && sampler.chance(0.3)) {
        let floor = u8::try_from(sampler.between(2, 5)).unwrap_or(2);
        rooms.push(Room { floor, ..room });
        return;
    }
    let part = u16::try_from(sampler.between(u64::from(longer) / 3, u64::from(longer) * 2 / 3)).unwrap_or(longer / 2);
    let (first, second) = if width >= height {
        (Room { width: part, ..room }, Room { x: x + part, width: width - part, ..room })
    } else {
        (Room { height: part, ..room }, Room { y: y + part, height: height - part, ..room })
    };
    divide(first, sampler, rooms);
    divide(second, sampler, rooms);
}

/// A page with the plan and its name.
pub(super) fn pdf(name: &str, version: u64) -> Vec<u8> {
    let [catalog, pages, page, contents, font] = [1, 2, 3, 4, 5].map(Ref::new);
    let points = |pixels: u16| f32::from(pixels);
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(pages);
    pdf.pages(pages).kids([page]).count(1);
    let mut writer = pdf.page(page);
    writer.parent(pages).contents(contents);
    writer.media_box(Rect::new(0.0, 0.0, points(WIDTH + 2 * MARGIN), points(HEIGHT + 2 * MARGIN)));
    writer.resources().fonts().pair(Name(b"F"), font);
    writer.finish();
    pdf.type1_font(font).base_font(Name(b"Helvetica"));
    let mut content = Content::new();
    content.set_line_width(2.0);
    for room in plan(name, version) {
        let [r, g, b] = PALETTE[usize::from(room.floor)].map(|part| f32::from(part) / 255.0);
        content.set_fill_rgb(r, g, b);
        // The origin of a page is below.
        let y = MARGIN + HEIGHT - room.y - room.height;
        content.rect(points(room.x + MARGIN), points(y), points(room.width), points(room.height));
        content.fill_nonzero_and_stroke();
    }
    content.set_fill_rgb(0.0, 0.0, 0.0);
    content.begin_text().set_font(Name(b"F"), 14.0).next_line(points(MARGIN), points(MARGIN / 2));
    content.show(Str(format!("{name}, version {version} (made up)").as_bytes())).end_text();
    pdf.stream(contents, &content.finish());
    pdf.finish()
}

/// A picture of the plan.
pub(super) fn png(name: &str, version: u64) -> io::Result<Vec<u8>> {
    let mut pixels = vec![0; usize::from(WIDTH) * usize::from(HEIGHT)];
    for room in plan(name, version) {
        for y in room.y..room.y + room.height {
            for x in room.x..room.x + room.width {
                let is_wall = x < room.x + 2 || y < room.y + 2 || x + 2 >= WIDTH || y + 2 >= HEIGHT;
                pixels[usize::from(y) * usize::from(WIDTH) + usize::from(x)] = if is_wall { 1 } else { room.floor };
            }
        }
    }
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, WIDTH.into(), HEIGHT.into());
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(PALETTE.as_flattened());
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_differ_by_name_and_version_and_repeat() {
        assert_eq!(pdf("drawings/1", 1), pdf("drawings/1", 1));
        assert_eq!(png("drawings/1", 1).unwrap(), png("drawings/1", 1).unwrap());
        for (name, version) in [("drawings/1", 2), ("drawings/2", 1)] {
            assert_ne!(pdf("drawings/1", 1), pdf(name, version));
            assert_ne!(png("drawings/1", 1).unwrap(), png(name, version).unwrap());
        }
    }

    #[test]
    fn png_is_read_as_it_was_drawn() {
        let file = png("drawings/1", 1).unwrap();
        let mut reader = png::Decoder::new(io::Cursor::new(&file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((frame.width, frame.height), (u32::from(WIDTH), u32::from(HEIGHT)));
        // Every pixel belongs to a room.
        assert!(pixels.contains(&1) && !pixels.contains(&0));
    }

    #[test]
    fn rooms_fill_the_plan() {
        for version in 0..50 {
            let rooms = plan("drawings/1", version);
            let area: u32 = rooms.iter().map(|room| u32::from(room.width) * u32::from(room.height)).sum();
            assert_eq!(area, u32::from(WIDTH) * u32::from(HEIGHT));
            assert!(rooms.len() > 4);
        }
    }
}
