//! A place on earth (RFC 1876).

use std::fmt;

use super::RecordError;
use super::words::Words;

pub(super) const EXPECTED: &str =
    "write latitude, longitude and altitude, such as `43 43 33 N 12 38 11 E 485m` (degrees, minutes and seconds)";

/// The equator and the prime meridian.
const MIDDLE: u32 = 1 << 31;
/// Thousandths of an arc second in a degree.
const DEGREE: u32 = 3_600_000;
/// Thousandths of an arc second in an arc minute.
const MINUTE: u32 = 60_000;
/// The altitude from which altitudes are counted, in centimetres below the ellipsoid.
const DEPTH: i64 = 10_000_000;

/// A place, as on the wire (RFC 1876 §2): angles in thousandths of an arc second, altitude in centimetres, sizes as mantissa and exponent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Loc {
    sizes: [u8; 3],
    latitude: u32,
    longitude: u32,
    altitude: u32,
}

impl Loc {
    pub(super) fn read(words: &mut Words<'_>) -> Result<Self, RecordError> {
        let latitude = angle(words, 90, ["N", "S"])?;
        let longitude = angle(words, 180, ["E", "W"])?;
        let altitude = u32::try_from(metres(words)? + DEPTH).map_err(|_| words.wrong())?;
        // A place of 1 m, known to 10 km and 10 m (RFC 1876 §3).
        let mut sizes = [0x12, 0x16, 0x13];
        for size in &mut sizes {
            if words.peek().is_some() {
                *size = precision(metres(words)?).ok_or_else(|| words.wrong())?;
            }
        }
        Ok(Self { sizes, latitude, longitude, altitude })
    }

    /// The place of these octets, of version 0.
    pub(super) fn from_wire(octets: &[u8]) -> Option<Self> {
        let ([0, size, horizontal, vertical], numbers) = octets.split_first_chunk()? else { return None };
        let [latitude, longitude, altitude] = numbers.as_chunks().0 else { return None };
        (numbers.len() == 12).then(|| Self {
            sizes: [*size, *horizontal, *vertical],
            latitude: u32::from_be_bytes(*latitude),
            longitude: u32::from_be_bytes(*longitude),
            altitude: u32::from_be_bytes(*altitude),
        })
    }

    /// Whether every server reads its own form: NSD 4.12 takes the lowest altitude that there is for a mistake.
    pub(super) fn is_read_by_all(&self) -> bool {
        self.altitude > 0
    }

    pub(super) fn write_wire(&self, out: &mut Vec<u8>) {
        out.push(0);
        out.extend_from_slice(&self.sizes);
        for number in [self.latitude, self.longitude, self.altitude] {
            out.extend_from_slice(&number.to_be_bytes());
        }
    }
}

/// Degrees, then perhaps minutes and seconds, then the hemisphere.
fn angle(words: &mut Words<'_>, most: u32, [positive, negative]: [&str; 2]) -> Result<u32, RecordError> {
    let mut parts = Vec::new();
    let is_positive = loop {
        match words.word()? {
            word if word.eq_ignore_ascii_case(positive) => break true,
            word if word.eq_ignore_ascii_case(negative) => break false,
            word => parts.push(word),
        }
    };
    let (&[degrees] | &[degrees, _] | &[degrees, _, _]) = parts.as_slice() else { return Err(words.wrong()) };
    let part = |at: usize, places, least_wrong| match parts.get(at) {
        Some(word) => decimal(word, places).filter(|number| *number < least_wrong),
        None => Some(0),
    };
    let whole = decimal(degrees, 0).filter(|degrees| *degrees <= i64::from(most));
    let (Some(degrees), Some(minutes), Some(seconds)) = (whole, part(1, 0, 60), part(2, 3, i64::from(MINUTE))) else {
        return Err(words.wrong());
    };
    let thousandths = degrees * i64::from(DEGREE) + minutes * i64::from(MINUTE) + seconds;
    let offset = u32::try_from(thousandths).ok().filter(|offset| *offset <= most * DEGREE);
    let offset = offset.ok_or_else(|| words.wrong())?;
    Ok(if is_positive { MIDDLE + offset } else { MIDDLE - offset })
}

/// Metres with at most two decimals, in centimetres.
fn metres(words: &mut Words<'_>) -> Result<i64, RecordError> {
    let word = words.word()?;
    let number = word.strip_suffix(['m', 'M']).unwrap_or(word);
    let (sign, number) = number.strip_prefix('-').map_or((1, number), |number| (-1, number));
    decimal(number, 2).map(|centimetres| sign * centimetres).ok_or_else(|| words.wrong())
}

/// A number with at most so many decimals, in units of the last one.
fn decimal(word: &str, places: usize) -> Option<i64> {
    let (whole, fraction) = word.split_once('.').unwrap_or((word, ""));
    let is_right = !whole.is_empty() && whole.len() <= 9 && fraction.len() <= places;
    let digits = format!("{whole}{fraction:0<places$}");
    (is_right && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// A length in centimetres as a digit and a power of ten (RFC 1876 §2).
fn precision(centimetres: i64) -> Option<u8> {
    let mut mantissa = u64::try_from(centimetres).ok()?;
    let mut exponent = 0;
    while mantissa > 9 {
        mantissa /= 10;
        exponent += 1;
    }
    (exponent <= 9).then(|| u8::try_from(mantissa).unwrap_or(9) << 4 | exponent)
}

impl fmt::Display for Loc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (angle, [positive, negative]) in [(self.latitude, ["N", "S"]), (self.longitude, ["E", "W"])] {
            let (offset, side) = (angle.abs_diff(MIDDLE), if angle >= MIDDLE { positive } else { negative });
            let (degrees, minutes, rest) = (offset / DEGREE, offset % DEGREE / MINUTE, offset % MINUTE);
            write!(f, "{degrees} {minutes} {}.{:03} {side} ", rest / 1000, rest % 1000)?;
        }
        let altitude = i64::from(self.altitude) - DEPTH;
        let sign = if altitude < 0 { "-" } else { "" };
        write!(f, "{sign}{}.{:02}m", altitude.abs() / 100, altitude.abs() % 100)?;
        for size in self.sizes {
            let centimetres = u64::from(size >> 4) * 10_u64.pow(u32::from(size & 0xF));
            match centimetres % 100 {
                0 => write!(f, " {}m", centimetres / 100)?,
                rest => write!(f, " {}.{rest:02}m", centimetres / 100)?,
            }
        }
        Ok(())
    }
}
