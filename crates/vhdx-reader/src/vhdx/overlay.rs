//! The image file as it would be had its log been written into it, without writing into it.

use std::collections::BTreeMap;

use crate::bytes::{narrow, wide};
use crate::error::DiskError;
use crate::image::ReadAt;

/// What a log replaces at a time.
pub(super) const PAGE: u64 = 4096;
const LEADING: usize = 8;
const TRAILING: usize = 4;
/// What of a page stands in a data sector of the log; its ends stand in the descriptor.
const BODY: usize = 4096 - LEADING - TRAILING;

/// One replaced page. Its body stays in the log area of the image, so that a large log costs little memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    pub(super) leading: [u8; LEADING],
    /// Where on the image the body stands.
    pub(super) body: u64,
    pub(super) trailing: [u8; TRAILING],
}

/// What a log changes: pages, ranges of zeros (of any length), and how long the file is at least.
#[derive(Debug, Default)]
pub(super) struct Overlay {
    pages: BTreeMap<u64, Page>,
    /// Start to end. They neither overlap nor touch. A page in one of them is younger than it.
    zeros: BTreeMap<u64, u64>,
    /// The length that the writer had given the file.
    length: u64,
}

impl Overlay {
    pub(super) fn of_length(length: u64) -> Self {
        Self { length, ..Self::default() }
    }

    pub(super) fn write(&mut self, offset: u64, page: Page) {
        self.pages.insert(offset, page);
    }

    pub(super) fn zero(&mut self, mut start: u64, mut end: u64) {
        let covered: Vec<u64> = self.pages.range(start..end).map(|(&offset, _)| offset).collect();
        for offset in covered {
            self.pages.remove(&offset);
        }
        while let Some((&first, &last)) =
            self.zeros.range(..=end).next_back().filter(|(_, last)| **last >= start)
        {
            self.zeros.remove(&first);
            start = start.min(first);
            end = end.max(last);
        }
        self.zeros.insert(start, end);
    }

    /// What is to be read at `offset`, and up to which offset that holds.
    fn piece(&self, offset: u64) -> (Piece, u64) {
        let first_page = offset - offset % PAGE;
        if let Some(page) = self.pages.get(&first_page) {
            return (Piece::Page(*page), first_page.saturating_add(PAGE));
        }
        let next_page = self.pages.range(offset..).next().map_or(u64::MAX, |(&start, _)| start);
        if let Some((_, &end)) = self.zeros.range(..=offset).next_back().filter(|(_, end)| **end > offset) {
            return (Piece::Zeros, end.min(next_page));
        }
        let next_zeros = self.zeros.range(offset..).next().map_or(u64::MAX, |(&start, _)| start);
        (Piece::Image, next_zeros.min(next_page))
    }
}

enum Piece {
    Page(Page),
    Zeros,
    Image,
}

/// An image with its overlay.
pub(super) struct Patched {
    image: Box<dyn ReadAt>,
    overlay: Option<Overlay>,
}

impl Patched {
    pub(super) fn unchanged(image: Box<dyn ReadAt>) -> Self {
        Self { image, overlay: None }
    }

    pub(super) fn new(image: Box<dyn ReadAt>, overlay: Overlay) -> Self {
        Self { image, overlay: Some(overlay) }
    }

    pub(super) fn size(&self) -> u64 {
        self.image.size().max(self.overlay.as_ref().map_or(0, |overlay| overlay.length))
    }

    /// Fills `into` from `offset` on; `what` names it if it lies beyond the end.
    pub(super) fn read(&self, what: &'static str, offset: u64, into: &mut [u8]) -> Result<(), DiskError> {
        let end = offset.checked_add(wide(into.len())).filter(|end| *end <= self.size());
        if end.is_none() {
            let expected = offset.saturating_add(wide(into.len()));
            return Err(DiskError::Truncated { what, expected, found: self.size() });
        }
        match &self.overlay {
            None => self.as_it_is(offset, into),
            Some(overlay) => self.through(overlay, offset, into),
        }
    }

    fn through(&self, overlay: &Overlay, mut offset: u64, mut into: &mut [u8]) -> Result<(), DiskError> {
        while !into.is_empty() {
            let (piece, until) = overlay.piece(offset);
            let length = wide(into.len()).min(until - offset);
            let (now, later) = into.split_at_mut(narrow(length));
            match piece {
                Piece::Zeros => now.fill(0),
                Piece::Image => self.padded(offset, now)?,
                Piece::Page(page) => {
                    let bytes = self.page(page)?;
                    let within = narrow(offset % PAGE);
                    now.copy_from_slice(&bytes[within..within + now.len()]);
                }
            }
            offset += length;
            into = later;
        }
        Ok(())
    }

    fn page(&self, page: Page) -> Result<[u8; 4096], DiskError> {
        let mut bytes = [0; 4096];
        bytes[..LEADING].copy_from_slice(&page.leading);
        bytes[LEADING + BODY..].copy_from_slice(&page.trailing);
        self.as_it_is(page.body, &mut bytes[LEADING..LEADING + BODY])?;
        Ok(bytes)
    }

    /// The writer had made the file longer, and the crash had taken that back: the gap is zeros.
    fn padded(&self, offset: u64, into: &mut [u8]) -> Result<(), DiskError> {
        let there = self.image.size().saturating_sub(offset).min(wide(into.len()));
        let (there, beyond) = into.split_at_mut(narrow(there));
        beyond.fill(0);
        if there.is_empty() { Ok(()) } else { self.as_it_is(offset, there) }
    }

    fn as_it_is(&self, offset: u64, into: &mut [u8]) -> Result<(), DiskError> {
        let length = wide(into.len());
        self.image.read_exact_at(offset, into).map_err(|source| DiskError::Read { offset, length, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(letter: u8) -> Page {
        Page { leading: [letter; 8], body: 0, trailing: [letter; 4] }
    }

    fn firsts(patched: &Patched, pages: u64) -> Vec<u8> {
        let first = |index| {
            let mut byte = [0];
            patched.read("a test", index * PAGE, &mut byte).unwrap();
            byte[0]
        };
        (0..pages).map(first).collect()
    }

    #[test]
    fn the_younger_of_a_page_and_a_zeroed_range_wins() {
        let mut overlay = Overlay::default();
        overlay.write(0, page(b'a'));
        overlay.write(PAGE, page(b'b'));
        overlay.zero(PAGE, u64::MAX);
        overlay.zero(4 * PAGE, 5 * PAGE);
        overlay.write(2 * PAGE, page(b'c'));
        let patched = Patched::new(Box::new(vec![b'x'; 4 * 4096]), overlay);
        assert_eq!(firsts(&patched, 4), [b'a', 0, b'c', 0]);
    }

    #[test]
    fn ranges_that_meet_become_one_and_others_stay_apart() {
        let mut overlay = Overlay::default();
        for (start, end) in [(0, 1), (4, 5), (2, 3), (1, 2), (7, 9)] {
            overlay.zero(start * PAGE, end * PAGE);
        }
        let ranges: Vec<_> =
            overlay.zeros.into_iter().map(|(start, end)| (start / PAGE, end / PAGE)).collect();
        assert_eq!(ranges, [(0, 3), (4, 5), (7, 9)]);
    }

    #[test]
    fn a_file_that_the_writer_had_made_longer_goes_on_in_zeros() {
        let overlay = Overlay::of_length(2 * PAGE);
        let patched = Patched::new(Box::new(vec![b'x'; 4090]), overlay);
        let mut bytes = [1; 12];
        patched.read("a test", 4084, &mut bytes).unwrap();
        assert_eq!(&bytes, b"xxxxxx\0\0\0\0\0\0");
        assert!(matches!(
            patched.read("a test", 8190, &mut bytes),
            Err(DiskError::Truncated { found: 8192, .. })
        ));
    }
}
