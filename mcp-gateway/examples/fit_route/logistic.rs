//! Multinomial logistic regression with a penalty on squared weights.

/// Multinomial log loss and its gradient, with a penalty on all weights but the bias.
fn loss(
    inputs: &[Vec<f64>],
    labels: &[usize],
    classes: usize,
    weights: &[f64],
    penalty: f64,
) -> (f64, Vec<f64>) {
    let width = inputs[0].len();
    let mut gradient = vec![0.0; weights.len()];
    let mut total = 0.0;
    for (x, label) in inputs.iter().zip(labels) {
        let logits: Vec<f64> = weights
            .chunks_exact(width)
            .map(|w| w.iter().zip(x).map(|(w, x)| w * x).sum())
            .collect();
        let most = logits.iter().copied().fold(f64::MIN, f64::max);
        let sum: f64 = logits.iter().map(|logit| (logit - most).exp()).sum();
        total += most + sum.ln() - logits[*label];
        for class in 0..classes {
            let error = (logits[class] - most).exp() / sum - f64::from(u8::from(class == *label));
            let slopes = &mut gradient[class * width..(class + 1) * width];
            for (slope, x) in slopes.iter_mut().zip(x) {
                *slope += error * x;
            }
        }
    }
    for (at, (weight, slope)) in weights.iter().zip(&mut gradient).enumerate() {
        if at % width != width - 1 {
            total += 0.5 * penalty * weight * weight;
            *slope += penalty * weight;
        }
    }
    (total, gradient)
}

/// The weights of every class, one after the other, each with its bias last. `penalty` is half of what
/// the square of a weight costs, in units of log loss.
///
/// L-BFGS with backtracking (Nocedal and Wright, Numerical Optimization, algorithm 7.5).
pub fn fit(inputs: &[Vec<f64>], labels: &[usize], classes: usize, penalty: f64) -> Vec<f64> {
    const MEMORY: usize = 10;
    const MOST_STEPS: usize = 300;
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut weights = vec![0.0; classes * inputs[0].len()];
    let (mut value, mut gradient) = loss(inputs, labels, classes, &weights, penalty);
    let mut history: Vec<(Vec<f64>, Vec<f64>, f64)> = Vec::new();
    for _ in 0..MOST_STEPS {
        let mut direction = gradient.clone();
        let mut alphas = Vec::new();
        for (step, change, rho) in history.iter().rev() {
            let alpha = rho * dot(step, &direction);
            direction
                .iter_mut()
                .zip(change)
                .for_each(|(d, y)| *d -= alpha * y);
            alphas.push(alpha);
        }
        if let Some((step, change, _)) = history.last() {
            let scale = dot(step, change) / dot(change, change);
            direction.iter_mut().for_each(|d| *d *= scale);
        }
        for ((step, change, rho), alpha) in history.iter().zip(alphas.into_iter().rev()) {
            let beta = rho * dot(change, &direction);
            direction
                .iter_mut()
                .zip(step)
                .for_each(|(d, s)| *d += (alpha - beta) * s);
        }
        let slope = dot(&gradient, &direction);
        let mut length = if history.is_empty() {
            1.0 / slope.sqrt()
        } else {
            1.0
        };
        let (next, next_value, next_gradient) = loop {
            let next: Vec<f64> = weights
                .iter()
                .zip(&direction)
                .map(|(w, d)| w - length * d)
                .collect();
            let (next_value, next_gradient) = loss(inputs, labels, classes, &next, penalty);
            if next_value <= value - 1e-4 * length * slope || length < 1e-10 {
                break (next, next_value, next_gradient);
            }
            length /= 2.0;
        };
        let step: Vec<f64> = next.iter().zip(&weights).map(|(n, w)| n - w).collect();
        let change: Vec<f64> = next_gradient
            .iter()
            .zip(&gradient)
            .map(|(n, g)| n - g)
            .collect();
        let curvature = dot(&step, &change);
        let gained = value - next_value;
        (weights, value, gradient) = (next, next_value, next_gradient);
        if gained.abs() < 1e-7 * value.abs().max(1.0) {
            break;
        }
        if curvature > 1e-12 {
            history.push((step, change, 1.0 / curvature));
            if history.len() > MEMORY {
                history.remove(0);
            }
        }
    }
    weights
}
