//! The features that a reader must know, or must not read on.

/// Bits of the incompatible features, by the names that `dumpe2fs` gives them.
const NAMES: [(u32, &str); 16] = [
    (COMPRESSION, "compression"),
    (FILETYPE, "filetype"),
    (RECOVER, "needs_recovery"),
    (JOURNAL_DEV, "journal_dev"),
    (META_BG, "meta_bg"),
    (EXTENTS, "extents"),
    (SIXTY_FOUR_BIT, "64bit"),
    (MMP, "mmp"),
    (FLEX_BG, "flex_bg"),
    (EA_INODE, "ea_inode"),
    (DIRDATA, "dirdata"),
    (CSUM_SEED, "metadata_csum_seed"),
    (LARGE_DIR, "large_dir"),
    (INLINE_DATA, "inline_data"),
    (ENCRYPT, "encrypt"),
    (CASEFOLD, "casefold"),
];

const COMPRESSION: u32 = 0x1;
const FILETYPE: u32 = 0x2;
pub(super) const RECOVER: u32 = 0x4;
const JOURNAL_DEV: u32 = 0x8;
const META_BG: u32 = 0x10;
const EXTENTS: u32 = 0x40;
pub(super) const SIXTY_FOUR_BIT: u32 = 0x80;
const MMP: u32 = 0x100;
const FLEX_BG: u32 = 0x200;
const EA_INODE: u32 = 0x400;
const DIRDATA: u32 = 0x1000;
pub(super) const CSUM_SEED: u32 = 0x2000;
const LARGE_DIR: u32 = 0x4000;
const INLINE_DATA: u32 = 0x8000;
const ENCRYPT: u32 = 0x1_0000;
const CASEFOLD: u32 = 0x2_0000;

/// What makes no difference to one who reads inodes, lists directories from end to end and never writes. Encrypted
/// files are told from others inode by inode.
const KNOWN: u32 = FILETYPE
    | RECOVER
    | EXTENTS
    | SIXTY_FOUR_BIT
    | MMP
    | FLEX_BG
    | EA_INODE
    | CSUM_SEED
    | LARGE_DIR
    | ENCRYPT
    | CASEFOLD;

/// The names of the features in `incompatible` that this reader does not know; none if it knows all.
pub(super) fn unknown(incompatible: u32) -> Option<String> {
    let unknown = incompatible & !KNOWN;
    let bits = (0..u32::BITS).map(|bit| 1 << bit).filter(|bit| unknown & bit != 0);
    let names: Vec<String> = bits.map(name).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn name(bit: u32) -> String {
    let known = NAMES.iter().find(|(known, _)| *known == bit);
    known.map_or_else(|| format!("{bit:#x}"), |(_, name)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_that_are_not_known_are_named_and_those_without_name_numbered() {
        assert_eq!(unknown(KNOWN), None);
        assert_eq!(
            unknown(KNOWN | INLINE_DATA | META_BG | 1 << 30).as_deref(),
            Some("meta_bg, inline_data, 0x40000000")
        );
    }
}
