//! The fuzzer's corpus, run as a test.

use std::fs;
use std::path::Path;

use crate::exercise::rewrite_anything;

#[test]
fn what_the_rewriter_met_once_it_stands_for_ever() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/rewrite");
    let seeds: Vec<_> = fs::read_dir(corpus).unwrap().map(Result::unwrap).collect();
    assert!(!seeds.is_empty());
    for seed in seeds {
        rewrite_anything(&fs::read(seed.path()).unwrap());
    }
}
