//! A list that grows piece by piece: what is in it is never copied to make room, so that a long one takes no more memory
//! while it grows than when it has grown.

use std::ops::{Index, IndexMut};

/// How many items a piece has.
const PIECE: usize = 1 << 14;

#[derive(Debug, Clone)]
pub(crate) struct Pieces<T>(Vec<Vec<T>>);

impl<T> Default for Pieces<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Pieces<T> {
    pub(crate) fn push(&mut self, item: T) {
        match self.0.last_mut() {
            Some(last) if last.len() < PIECE => last.push(item),
            None => self.0.push(vec![item]), // most lists are short
            Some(_) => {
                let mut piece = Vec::with_capacity(PIECE);
                piece.push(item);
                self.0.push(piece);
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.last().map_or(0, |last| (self.0.len() - 1) * PIECE + last.len())
    }

    pub(crate) fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut T> {
        self.0.iter_mut().flatten()
    }

    /// How many of the first items this holds for: of an item for which it does not, it must hold for none behind.
    pub(crate) fn partition_point(&self, holds: impl Fn(&T) -> bool) -> usize {
        let before = self.0.partition_point(|piece| piece.last().is_some_and(&holds));
        self.0.get(before).map_or(self.len(), |piece| before * PIECE + piece.partition_point(holds))
    }
}

impl<T> Index<usize> for Pieces<T> {
    type Output = T;

    fn index(&self, at: usize) -> &T {
        &self.0[at / PIECE][at % PIECE]
    }
}

impl<T> IndexMut<usize> for Pieces<T> {
    fn index_mut(&mut self, at: usize) -> &mut T {
        &mut self.0[at / PIECE][at % PIECE]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_list_however_many_pieces_it_has() {
        for len in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE] {
            let mut pieces = Pieces::default();
            (0..len).for_each(|item| pieces.push(item));
            assert_eq!(pieces.len(), len);
            assert!((0..len).all(|at| pieces[at] == at));
            for limit in [0, 1, PIECE - 1, PIECE, PIECE + 1, len] {
                assert_eq!(pieces.partition_point(|&item| item < limit), limit.min(len), "{limit} of {len}");
            }
            pieces.iter_mut().for_each(|item| *item += 1);
            assert!((0..len).all(|at| pieces[at] == at + 1));
        }
    }
}
