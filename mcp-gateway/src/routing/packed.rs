//! Numbers of a model in few bytes.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize, de::Error as _};

/// Numbers that are kept as multiples of one step: `{"step": 0.1, "bytes": 2, "base64": "…"}`,
/// signed, of one or two bytes each, the lower byte first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Packed {
    step: f32,
    bytes: u8,
    values: Vec<f32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    step: f32,
    bytes: u8,
    base64: String,
}

impl Packed {
    /// Rounds to 127 steps on either side of zero.
    pub fn in_one_byte(values: &[f32]) -> Self {
        Self::rounded(values, 1, f32::from(i8::MAX))
    }

    /// Rounds to 32,767 steps on either side of zero.
    pub fn in_two_bytes(values: &[f32]) -> Self {
        Self::rounded(values, 2, f32::from(i16::MAX))
    }

    fn rounded(values: &[f32], bytes: u8, steps: f32) -> Self {
        let most = values.iter().fold(0.0, |most: f32, x| most.max(x.abs()));
        let step = most.max(f32::MIN_POSITIVE) / steps;
        let round = |x: &f32| (x / step).round().clamp(-steps, steps) * step;
        Self {
            step,
            bytes,
            values: values.iter().map(round).collect(),
        }
    }

    /// The rounded numbers.
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

impl Serialize for Packed {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut raw = Vec::with_capacity(self.values.len() * usize::from(self.bytes));
        for value in &self.values {
            let steps = (value / self.step).round() as i16;
            raw.extend_from_slice(&steps.to_le_bytes()[..usize::from(self.bytes)]);
        }
        let kept = Kept {
            step: self.step,
            bytes: self.bytes,
            base64: STANDARD.encode(raw),
        };
        kept.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Packed {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Kept {
            step,
            bytes,
            base64,
        } = Kept::deserialize(deserializer)?;
        let raw = STANDARD.decode(base64).map_err(D::Error::custom)?;
        let steps: Vec<i16> = match bytes {
            1 => raw
                .iter()
                .map(|byte| i16::from(i8::from_le_bytes([*byte])))
                .collect(),
            2 if raw.len().is_multiple_of(2) => raw
                .chunks_exact(2)
                .map(|two| i16::from_le_bytes([two[0], two[1]]))
                .collect(),
            _ => {
                return Err(D::Error::custom(
                    "packed numbers have one or two bytes each",
                ));
            }
        };
        let values = steps.into_iter().map(|steps| f32::from(steps) * step);
        Ok(Self {
            step,
            bytes,
            values: values.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Packed;

    #[test]
    fn packed_numbers_come_back_as_they_were_rounded() {
        let values = [0.0, 1.0, -0.3333, 0.001];
        for (packed, off) in [
            (Packed::in_one_byte(&values), 0.5 / 127.0),
            (Packed::in_two_bytes(&values), 0.5 / 32_767.0),
        ] {
            for (one, other) in packed.values().iter().zip(values) {
                assert!((one - other).abs() <= off * 1.01, "{one} {other}");
            }
            let text = serde_json::to_string(&packed).unwrap();
            let back: Packed = serde_json::from_str(&text).unwrap();
            assert_eq!(back, packed);
        }
        let nothing = Packed::in_one_byte(&[0.0, 0.0]);
        assert_eq!(nothing.values(), [0.0, 0.0]);
    }

    #[test]
    fn half_a_number_and_other_widths_are_refused() {
        for text in [
            r#"{"step": 1.0, "bytes": 2, "base64": "AAAA"}"#,
            r#"{"step": 1.0, "bytes": 4, "base64": "AAAA"}"#,
            r#"{"step": 1.0, "bytes": 1, "base64": "?"}"#,
        ] {
            serde_json::from_str::<Packed>(text).unwrap_err();
        }
        let three = r#"{"step": 1.0, "bytes": 1, "base64": "AP8B"}"#;
        let three: Packed = serde_json::from_str(three).unwrap();
        assert_eq!(three.values(), [0.0, -1.0, 1.0]);
    }
}
