//! Dominant colours, by counting.

use std::{cmp::Reverse, collections::HashMap};

use image::RgbImage;

/// Most colours in a palette.
const MAX_COLOURS: usize = 5;
/// Colours nearer than this (Euclidean, in 8-bit RGB) are one.
const MERGE_DISTANCE: i32 = 44;
/// A colour on less than this share of the pixels is an edge, not a colour of the picture; the most
/// common one always counts.
const LEAST_SHARE: f64 = 0.01;

/// Pixels of nearly one colour: their count and the sum of their channels.
#[derive(Clone, Copy, Default)]
struct Bin {
    count: u32,
    sum: [u32; 3],
}

impl Bin {
    fn mean(&self) -> [u8; 3] {
        self.sum
            .map(|sum| ((sum + self.count / 2) / self.count) as u8)
    }
}

/// Up to five colours as `#rrggbb`, most common first.
///
/// Pixels are counted in bins of 5 bits a channel. From the fullest bin down, each joins the
/// nearest colour found so far, or founds a new one. A colour keeps its founding bin's mean, so
/// that a flat drawing gives exactly the colours it was drawn with.
pub(super) fn dominant(pixels: &RgbImage) -> Vec<String> {
    let mut colours: Vec<([u8; 3], u32)> = Vec::new();
    for bin in fullest_first(pixels) {
        let mean = bin.mean();
        let nearest = colours
            .iter_mut()
            .min_by_key(|(colour, _)| squared_distance(*colour, mean))
            .filter(|(colour, _)| squared_distance(*colour, mean) < MERGE_DISTANCE.pow(2));
        match nearest {
            Some((_, count)) => *count += bin.count,
            None => colours.push((mean, bin.count)),
        }
    }
    colours.sort_by_key(|(_, count)| Reverse(*count));
    let least = f64::from(pixels.width()) * f64::from(pixels.height()) * LEAST_SHARE;
    colours
        .iter()
        .take(MAX_COLOURS)
        .enumerate()
        .filter(|(rank, (_, count))| *rank == 0 || f64::from(*count) >= least)
        .map(|(_, ([red, green, blue], _))| format!("#{red:02x}{green:02x}{blue:02x}"))
        .collect()
}

fn fullest_first(pixels: &RgbImage) -> Vec<Bin> {
    let mut bins: HashMap<[u8; 3], Bin> = HashMap::new();
    for pixel in pixels.pixels() {
        let bin = bins.entry(pixel.0.map(|channel| channel >> 3)).or_default();
        bin.count += 1;
        for (sum, channel) in bin.sum.iter_mut().zip(pixel.0) {
            *sum += u32::from(channel);
        }
    }
    let mut bins: Vec<_> = bins.into_iter().collect();
    // The key breaks ties, so that the same picture always gives the same palette.
    bins.sort_by_key(|(key, bin)| (Reverse(bin.count), *key));
    bins.into_iter().map(|(_, bin)| bin).collect()
}

fn squared_distance(left: [u8; 3], right: [u8; 3]) -> i32 {
    left.into_iter()
        .zip(right)
        .map(|(left, right)| (i32::from(left) - i32::from(right)).pow(2))
        .sum()
}
