//! JSONL transcripts at speed and byte-exact: scanning, splicing, loader simulation, and stitching over compactions.
