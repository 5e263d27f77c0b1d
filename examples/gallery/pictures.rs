//! The pictures of the embedded server: gradients from 1 to 200 KiB, each made anew and always the same.

/// How many pictures there are.
pub(crate) const COUNT: usize = 200;

/// The first picture is a square of this many pixels on a side, a little over 1 KiB ..
const FIRST_SIDE: usize = 20;

/// .. and the last one of this many, a little under 200 KiB.
const LAST_SIDE: usize = 260;

/// The path under which the server has picture `number`.
pub(crate) fn path(number: usize) -> String {
    format!("/pictures/{number:03}.png")
}

/// The number of the picture under `path`, if there is one.
pub(crate) fn number(path: &str) -> Option<usize> {
    (0..COUNT).find(|&number| self::path(number) == path)
}

/// Picture `number` as a PNG file.
pub(crate) fn png(number: usize) -> Vec<u8> {
    let side = FIRST_SIDE + (LAST_SIDE - FIRST_SIDE) * number / (COUNT - 1);
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, side as u32, side as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    // Stored, not squeezed: the size of the file then follows from the side alone.
    encoder.set_compression(png::Compression::NoCompression);
    let mut writer = encoder.write_header().expect("a header fits into memory");
    writer
        .write_image_data(&pixels(number, side))
        .expect("there are side x side pixels");
    writer.finish().expect("an end fits into memory");
    file
}

/// Red grows to the right, green downwards, and blue with the number.
fn pixels(number: usize, side: usize) -> Vec<u8> {
    let shade = |part: usize, whole: usize| (part * 255 / whole) as u8;
    let rows = 0..side;
    rows.flat_map(|y| (0..side).map(move |x| (x, y)))
        .flat_map(|(x, y)| [shade(x, side), shade(y, side), shade(number, COUNT)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_have_1_to_200_kib() {
        let sizes: Vec<usize> = (0..COUNT).map(|number| png(number).len()).collect();
        assert!(sizes.is_sorted());
        assert!(sizes[0] >= 1 << 10 && sizes[0] < 2 << 10, "{}", sizes[0]);
        let last = sizes[COUNT - 1];
        assert!(last > 190 << 10 && last <= 200 << 10, "{last}");
    }

    #[test]
    fn a_path_leads_back_to_its_number() {
        assert_eq!(number(&path(0)), Some(0));
        assert_eq!(number(&path(COUNT - 1)), Some(COUNT - 1));
        assert_eq!(number(&path(COUNT)), None);
        assert_eq!(number("/pictures/1.png"), None);
    }
}
