//! Redraws `rendered/`, `catalogue/facts.json` and `docs/` from `vectors/` and `catalogue/`.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use contracts::Language;
use image::RgbImage;
use images::{Catalogue, render};

/// Redraws the catalogue's images.
#[derive(Parser)]
struct Arguments {
    /// Writes nothing; fails if a file is not what it would be.
    #[arg(long)]
    check: bool,
    /// Directory that holds `vectors/` and `catalogue/`.
    #[arg(default_value = env!("CARGO_MANIFEST_DIR"))]
    directory: PathBuf,
}

/// Files that were not, or in a check are not, what they should be.
struct Output {
    check: bool,
    stale: Vec<PathBuf>,
}

#[expect(clippy::print_stdout, reason = "its output is what it is for")]
fn main() -> Result<()> {
    let Arguments { check, directory } = Arguments::parse();
    let mut output = Output {
        check,
        stale: Vec::new(),
    };
    let pictures = draw_all(&directory, &mut output)?;
    if check && !output.stale.is_empty() {
        bail!("out of date, run the render example: {:?}", output.stale);
    }
    let catalogue = Catalogue::from_directory(&directory)?;
    ensure!(
        catalogue.len() == pictures.len(),
        "{} drawings and {} entries: expected one entry a drawing",
        pictures.len(),
        catalogue.len()
    );
    let docs = directory.join("docs");
    output.put(
        &directory.join("catalogue/facts.json"),
        facts_json(&catalogue)?.as_bytes(),
    )?;
    output.put(
        &docs.join("contact-sheet.jpg"),
        &render::contact_sheet(&pictures)?,
    )?;
    output.put(&docs.join("CATALOGUE.md"), listing(&catalogue).as_bytes())?;
    if check && !output.stale.is_empty() {
        bail!("out of date, run the render example: {:?}", output.stale);
    }
    let bytes: usize = catalogue
        .entries()
        .iter()
        .map(|entry| entry.image.bytes.len())
        .sum();
    println!(
        "{} images of {:.1} MB in all, {} files written",
        catalogue.len(),
        bytes as f64 / 1e6,
        output.stale.len()
    );
    Ok(())
}

impl Output {
    fn put(&mut self, path: &Path, contents: &[u8]) -> Result<()> {
        if fs::read(path).is_ok_and(|existing| existing == contents) {
            return Ok(());
        }
        self.stale.push(path.to_owned());
        if !self.check {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(path, contents).with_context(|| format!("writing {}", path.display()))?;
        }
        Ok(())
    }
}

/// Draws every vector file, sorted by name, and drops images whose drawing is gone.
fn draw_all(directory: &Path, output: &mut Output) -> Result<Vec<RgbImage>> {
    let rendered = directory.join("rendered");
    let mut expected = Vec::new();
    let mut pictures = Vec::new();
    for vector in files_in(&directory.join("vectors"))? {
        let svg = fs::read(&vector).with_context(|| format!("reading {}", vector.display()))?;
        let picture = render::draw(&svg).with_context(|| format!("{}", vector.display()))?;
        let name = vector.file_stem().context("a drawing without a name")?;
        let target = rendered.join(name).with_extension("png");
        // Equal pixels are enough: a newer encoder alone changes no file and no hash.
        let existing = fs::read(&target).ok();
        if existing.and_then(|bytes| render::from_png(&bytes)) != Some(picture.clone()) {
            output.put(&target, &render::to_png(&picture)?)?;
        }
        expected.push(target);
        pictures.push(picture);
    }
    let present = if rendered.is_dir() {
        files_in(&rendered)?
    } else {
        Vec::new()
    };
    for orphan in present {
        let is_png = orphan
            .extension()
            .is_some_and(|extension| extension == "png");
        if is_png && !expected.contains(&orphan) {
            if !output.check {
                fs::remove_file(&orphan)?;
            }
            output.stale.push(orphan);
        }
    }
    Ok(pictures)
}

fn files_in(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in
        fs::read_dir(directory).with_context(|| format!("listing {}", directory.display()))?
    {
        paths.push(entry?.path());
    }
    paths.sort();
    Ok(paths)
}

fn facts_json(catalogue: &Catalogue) -> Result<String> {
    let facts: BTreeMap<_, _> = catalogue
        .into_iter()
        .map(|entry| (&entry.id, &entry.facts))
        .collect();
    Ok(serde_json::to_string_pretty(&facts)? + "\n")
}

fn listing(catalogue: &Catalogue) -> String {
    let mut text = String::from(
        "# The catalogue\n\n\
         Written by the `render` example; the order is that of the contact sheet, row by row.\n\n\
         ![Contact sheet](contact-sheet.jpg)\n\n\
         | row | column | id | título | title |\n|---|---|---|---|---|\n",
    );
    let columns = render::sheet_columns();
    for (index, entry) in catalogue.into_iter().enumerate() {
        let title = |language| {
            entry
                .text
                .get(&language)
                .map_or("", |text| text.title.as_str())
        };
        let (row, column) = (index / columns + 1, index % columns + 1);
        let (es, en) = (title(Language::Es), title(Language::En));
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| {row} | {column} | [{id}](../rendered/{id}.png) | {es} | {en} |",
            id = entry.id
        );
    }
    text
}
