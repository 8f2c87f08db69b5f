//! Streams that are compressed on their way, and when that is worth it.

use std::io::Write;
use std::time::{Duration, Instant};

use durable_files::Meter;

use super::{Far, FarError};
use crate::pack::PackError;

/// Whether streams to the far end are compressed. That takes the feature `gzip`, and a far end that has the program;
/// digests are of what was compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Compression {
    /// Where there is much to send over a link that is measured slow: on a fast one it costs more than it saves.
    #[default]
    Auto,
    /// Never.
    Never,
    /// Always.
    Gzip,
}

/// From how many bytes on a measurement is worth its time.
const MUCH: u64 = 16 << 20;

/// What is sent to measure, and how long that takes at 0.7 Gbit/s, at which gzip begins to hold up a stream on a machine
/// that has nothing else to do.
const PROBE: usize = 1 << 20;
const SLOW: Duration = Duration::from_millis(12);

/// How often it is sent before the link is called slow: a busy machine makes some take longer, a slow link all.
const TRIES: usize = 3;

/// How many times as long as compressing it the sending must take: a machine that is busy all the time sends slowly, and
/// compresses slowly too.
const WORTH: u32 = 2;

impl Far {
    /// Has streams compressed, or not.
    pub fn compress(&mut self, compression: Compression) {
        self.compression = compression;
    }

    /// Whether the far end can take what is compressed.
    pub fn can_decompress(&self) -> bool {
        cfg!(feature = "gzip") && self.hello.has.iter().any(|program| program == "gzip")
    }

    /// Whether a stream of so many bytes shall be compressed.
    pub(super) fn compresses(&mut self, bytes: u64, meter: &mut dyn Meter) -> Result<bool, FarError> {
        Ok(match self.compression {
            _ if !self.can_decompress() => false,
            Compression::Never => false,
            Compression::Gzip => true,
            Compression::Auto => bytes >= MUCH && self.is_slow(meter)?,
        })
    }

    /// Measured once: how much longer it takes to send much than to send a byte.
    fn is_slow(&mut self, meter: &mut dyn Meter) -> Result<bool, FarError> {
        if let Some(known) = self.slow {
            return Ok(known);
        }
        let mut send = |input: &[u8]| {
            let begun = Instant::now();
            self.run("measure the link", "exec cat >/dev/null", &[], input, meter).map(|_| begun.elapsed())
        };
        let (mut little, mut much) = (Duration::MAX, Duration::MAX);
        for _ in 0..TRIES {
            little = little.min(send(b"0")?);
            much = much.min(send(&vec![0; PROBE])?);
            if much.saturating_sub(little) <= SLOW {
                break;
            }
        }
        let takes = much.saturating_sub(little);
        Ok(*self.slow.insert(takes > SLOW && takes > WORTH * time_to_compress()))
    }
}

/// How long it takes here, by now, to compress what is sent to measure.
fn time_to_compress() -> Duration {
    let numbers: Vec<u8> = (0_u32..).flat_map(|number| number.to_string().into_bytes()).take(PROBE).collect();
    let once = |_| {
        let begun = Instant::now();
        let _ = zipped(&mut std::io::sink(), |out| out.write_all(&numbers).map_err(PackError::Stream)); // a sink takes all
        begun.elapsed()
    };
    (0..TRIES).map(once).min().unwrap_or_default()
}

/// Sends through gzip.
#[cfg(feature = "gzip")]
pub(super) fn zipped<T>(
    out: &mut dyn Write,
    send: impl FnOnce(&mut dyn Write) -> Result<T, PackError>,
) -> Result<T, PackError> {
    let mut gzip = flate2::write::GzEncoder::new(out, flate2::Compression::default());
    let value = send(&mut gzip)?;
    gzip.finish().map_err(PackError::Stream)?;
    Ok(value)
}

/// Sends as it is: without the feature nothing is compressed.
#[cfg(not(feature = "gzip"))]
pub(super) fn zipped<T>(
    out: &mut dyn Write,
    send: impl FnOnce(&mut dyn Write) -> Result<T, PackError>,
) -> Result<T, PackError> {
    send(out)
}
