//! Small files, many at a time: a link's delay is waited for three times for all of them, and not five times for each.

use std::collections::HashMap;

use super::packet::{Packet, Request};
use super::{BLOCK, FileAttributes, OK, Sftp, SftpError};

/// A file that was read in one go.
pub(crate) struct Small {
    /// What was said of it before.
    pub(crate) before: FileAttributes,
    /// What it held.
    pub(crate) content: Vec<u8>,
    /// What was said of it afterwards.
    pub(crate) after: FileAttributes,
}

impl Small {
    /// Whether it is a file that stayed what it was, and all of it.
    pub(crate) fn is_whole(&self) -> bool {
        self.before.is_file()
            && self.before == self.after
            && self.before.size == Some(self.content.len() as u64)
    }
}

/// How long such a file may be.
pub(crate) const SMALL: u64 = BLOCK as u64;

/// How many are read at a time: what is asked for them fits into any pipe while nobody listens.
pub(crate) const AT_A_TIME: usize = 32;

impl Sftp<'_> {
    /// Reads the beginning of each of these files, as many as come at once; nothing for one of which the server did not
    /// give everything that was asked.
    pub(crate) fn read_small(&mut self, files: &[&[u8]]) -> Result<Vec<Option<Small>>, SftpError> {
        let mut questions = self.of_each(files, |id, file| Request::stat(id, file));
        questions.extend(self.of_each(files, |id, file| Request::open_file(id, file)));
        let mut found = self.ask_all(&questions)?;
        let opened = found.split_off(files.len());
        let handles: Vec<Option<Vec<u8>>> = opened
            .into_iter()
            .map(|answer| if let Packet::Handle(handle) = answer { Some(handle) } else { None })
            .collect();

        let known: Vec<&Vec<u8>> = handles.iter().flatten().collect();
        let mut questions = self.of_each(&known, |id, handle| Request::read(id, handle, 0, BLOCK));
        questions.extend(self.of_each(&known, |id, handle| Request::close(id, handle)));
        let mut read = self.ask_all(&questions)?;
        read.truncate(known.len());
        let questions = self.of_each(files, |id, file| Request::stat(id, file));
        let after = self.ask_all(&questions)?;

        let mut read = read.into_iter();
        let all = handles.into_iter().zip(found).zip(after);
        Ok(all
            .map(|((handle, before), after)| {
                let content = match handle.and_then(|_| read.next())? {
                    Packet::Data(data) => data,
                    Packet::Status(super::EOF, _) => Vec::new(),
                    _ => return None,
                };
                match (before, after) {
                    (Packet::Attributes(before), Packet::Attributes(after)) => {
                        Some(Small { before, content, after })
                    }
                    _ => None,
                }
            })
            .collect())
    }

    fn of_each<T>(&mut self, all: &[T], ask: impl Fn(u32, &T) -> Request) -> Vec<(u32, Request)> {
        let mut of = |one| {
            let id = self.id();
            (id, ask(id, one))
        };
        all.iter().map(&mut of).collect()
    }

    /// Asks all of it before the first answer is read, and gives the answers in the order of the questions.
    fn ask_all(&mut self, questions: &[(u32, Request)]) -> Result<Vec<Packet>, SftpError> {
        let mut asked = HashMap::new();
        for (number, (id, question)) in questions.iter().enumerate() {
            self.send(question)?;
            asked.insert(*id, number);
        }
        let mut answers: Vec<Packet> = questions.iter().map(|_| Packet::Status(OK, String::new())).collect();
        while !asked.is_empty() {
            let answer = self.receive()?.answer();
            let known = answer.and_then(|(id, packet)| Some((asked.remove(&id)?, packet)));
            let Some((number, packet)) = known else { return Err(self.malformed("an unasked answer")) };
            answers[number] = packet;
        }
        Ok(answers)
    }
}
