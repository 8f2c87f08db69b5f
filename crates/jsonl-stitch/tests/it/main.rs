//! Transcripts as a user has them, and what must not be lost of them.

mod arbitrary;
mod oracle;
mod scanner;
mod transcript;
