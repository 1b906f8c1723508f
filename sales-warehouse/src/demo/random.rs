//! Random numbers that depend on what they are for, and on nothing that was drawn before.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore as _, SeedableRng as _},
};

/// What a stream of numbers is for. Streams of two topics are independent.
#[derive(Clone, Copy)]
pub(super) enum Topic {
    Campaign = 1,
    Ad,
    Person,
    Journey,
    Rates,
    Tick,
}

/// A stream of random numbers for one entity: the same for the same seed, topic and number, however
/// many other entities there are.
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    pub fn new(seed: u64, topic: Topic, entity: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&(topic as u64).to_le_bytes());
        key[16..24].copy_from_slice(&entity.to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// From 0 to below 1.
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = u128::from((high - low).unsigned_abs() + 1);
        low + ((u128::from(self.0.next_u64()) * span) >> 64) as i64
    }

    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.between(0, choices.len() as i64 - 1) as usize]
    }

    /// One of the choices, as often as its weight says.
    pub fn weighted<'a, T>(&mut self, choices: &'a [T], weight: impl Fn(&T) -> f64) -> &'a T {
        let mut left = self.unit() * choices.iter().map(&weight).sum::<f64>();
        for choice in choices {
            left -= weight(choice);
            if left < 0.0 {
                return choice;
            }
        }
        &choices[choices.len() - 1]
    }

    /// `median * e^(sigma z)`, with z from the normal distribution (Box and Muller 1958).
    pub fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        let angle = std::f64::consts::TAU * self.unit();
        median * (sigma * radius * angle.cos()).exp()
    }

    /// Pareto's distribution from 1 up: few are very large.
    pub fn pareto(&mut self, alpha: f64) -> f64 {
        (1.0 - self.unit()).powf(-1.0 / alpha)
    }

    /// With this mean, as between independent events.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// A whole number whose mean is `value`, up to `spread` (a part of it) away.
    pub fn around(&mut self, value: f64, spread: f64) -> i64 {
        let value = value * self.uniform(1.0 - spread, 1.0 + spread);
        (value + self.unit()) as i64
    }
}
