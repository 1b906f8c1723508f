//! Parameters of a statement being written.

use time::Date;

use super::Bind;

#[derive(Debug, Default)]
pub struct Writer {
    binds: Vec<Bind>,
}

impl Writer {
    /// Makes a value a parameter, and gives what stands for it in the text.
    pub fn bind(&mut self, value: Bind) -> String {
        let known = self.binds.iter().position(|one| *one == value);
        let place = known.unwrap_or_else(|| {
            self.binds.push(value);
            self.binds.len() - 1
        });
        format!("${}", place + 1)
    }

    pub fn date(&mut self, day: Date) -> String {
        self.bind(Bind::Date(day))
    }

    pub fn into_binds(self) -> Vec<Bind> {
        self.binds
    }
}
