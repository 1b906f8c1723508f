//! Regularised least squares with a kernel.

/// A symmetric matrix, or its lower triangle, row by row.
pub struct Square {
    pub size: usize,
    pub values: Vec<f64>,
}

impl Square {
    fn row(&self, at: usize) -> &[f64] {
        &self.values[at * self.size..(at + 1) * self.size]
    }

    /// The rows and columns at `kept`.
    pub fn part(&self, kept: &[usize]) -> Self {
        let rows = kept.iter().flat_map(|row| {
            let row = self.row(*row);
            kept.iter().map(|column| row[*column])
        });
        Self {
            size: kept.len(),
            values: rows.collect(),
        }
    }
}

/// Eight sums at once, which the compiler puts in registers.
fn dot(one: &[f64], other: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (ones, others) = (one.chunks_exact(8), other.chunks_exact(8));
    let rest = ones.remainder().iter().zip(others.remainder());
    let rest: f64 = rest.map(|(a, b)| a * b).sum();
    for (one, other) in ones.zip(others) {
        for lane in 0..8 {
            sums[lane] += one[lane] * other[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// For each row of `kernel`, its part in each target: (K + penalty · I)⁻¹ T by Cholesky's
/// decomposition. `targets` has a vector for each row.
pub fn solve(mut kernel: Square, penalty: f64, targets: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let size = kernel.size;
    for at in 0..size {
        let (above, below) = kernel.values.split_at_mut(at * size);
        let row = &mut below[..size];
        for column in 0..at {
            let other = &above[column * size..(column + 1) * size];
            let sum = dot(&row[..column], &other[..column]);
            row[column] = (row[column] - sum) / other[column];
        }
        let sum = dot(&row[..at], &row[..at]);
        row[at] = (row[at] + penalty - sum).max(1e-9).sqrt();
    }
    let mut solved = targets.to_vec();
    for at in 0..size {
        let row = kernel.row(at);
        let (known, open) = solved.split_at_mut(at);
        for (class, value) in open[0].iter_mut().enumerate() {
            let known = known
                .iter()
                .zip(row)
                .map(|(one, factor)| factor * one[class]);
            *value = (*value - known.sum::<f64>()) / row[at];
        }
    }
    for at in (0..size).rev() {
        let row = kernel.row(at);
        let done: Vec<f64> = solved[at].iter().map(|x| x / row[at]).collect();
        for (one, factor) in row[..at].iter().enumerate() {
            for (class, done) in done.iter().enumerate() {
                solved[one][class] -= factor * done;
            }
        }
        solved[at] = done;
    }
    solved
}

#[cfg(test)]
mod tests {
    use super::{Square, solve};

    #[test]
    fn what_is_solved_solves() {
        let size = 19;
        let entry = |a: usize, b: usize| (-((a as f64 - b as f64) / 5.0).powi(2)).exp();
        let matrix = || Square {
            size,
            values: (0..size * size)
                .map(|at| entry(at / size, at % size))
                .collect(),
        };
        let targets: Vec<Vec<f64>> = (0..size).map(|at| vec![at as f64, 1.0]).collect();
        let solved = solve(matrix(), 0.5, &targets);
        for row in 0..size {
            for class in 0..2 {
                let back: f64 = (0..size)
                    .map(|one| {
                        (entry(row, one) + f64::from(u8::from(row == one)) * 0.5)
                            * solved[one][class]
                    })
                    .sum();
                assert!((back - targets[row][class]).abs() < 1e-9);
            }
        }
        assert_eq!(
            matrix().part(&[1, 3]).values,
            [1.0, entry(1, 3), entry(1, 3), 1.0]
        );
    }
}
