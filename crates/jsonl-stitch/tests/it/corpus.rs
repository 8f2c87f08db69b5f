//! The fuzzers' corpora, run as tests.

use std::fs;
use std::path::Path;

use crate::exercise::{agree, stitch_and_take_back};

fn each_seed(target: &str, run: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let seeds: Vec<_> = fs::read_dir(corpus).unwrap().map(Result::unwrap).collect();
    assert!(!seeds.is_empty());
    for seed in seeds {
        run(&fs::read(seed.path()).unwrap());
    }
}

#[test]
fn what_the_scanner_met_once_it_stands_for_ever() {
    each_seed("scan", agree);
}

#[test]
fn what_a_stitch_met_once_it_stands_for_ever() {
    each_seed("stitch", stitch_and_take_back);
}
