//! What all JSON documents of a publication have in common: a format's name and version first, a most number of bytes, and errors
//! that tell a damaged document from another one and from one of a later version.

use serde::{Deserialize, Serialize};

use crate::error::PublicationError;

/// One kind of document.
pub(crate) struct Form {
    /// What it is called in messages.
    pub(crate) what: &'static str,
    /// Its first field.
    pub(crate) format: &'static str,
    /// The version that is written, and the newest that is read.
    pub(crate) version: u32,
    /// Most bytes.
    pub(crate) most: usize,
}

/// The two fields that every document begins with.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Head {
    #[serde(default)]
    pub(crate) format: String,
    #[serde(default)]
    pub(crate) version: u32,
}

/// Longest piece of a message that repeats what was read: a hostile text is no message.
const REPEATED: usize = 300;

impl Form {
    /// The head of a document of this form.
    pub(crate) fn head(&self) -> Head {
        Head { format: self.format.to_owned(), version: self.version }
    }

    /// Writes a document; the same document gives the same bytes.
    pub(crate) fn write(&self, document: &impl Serialize) -> Result<Vec<u8>, PublicationError> {
        let malformed = |error: serde_json::Error| PublicationError::Malformed { what: self.what, why: error.to_string() };
        let bytes = serde_json::to_vec(document).map_err(malformed)?;
        self.fits(&bytes)?;
        Ok(bytes)
    }

    /// Reads a document. Its head is judged first where the rest makes no sense: a later version may look like damage.
    pub(crate) fn read<'a, T: Deserialize<'a>>(
        &self,
        bytes: &'a [u8],
        head: impl Fn(&T) -> (&str, u32),
    ) -> Result<T, PublicationError> {
        self.fits(bytes)?;
        match serde_json::from_slice::<T>(bytes) {
            Ok(document) => {
                let (format, version) = head(&document);
                self.judge(format, version)?;
                Ok(document)
            }
            Err(error) => {
                let told: Head = serde_json::from_slice(bytes).unwrap_or_else(|_| self.head());
                self.judge(&told.format, told.version)?;
                let why = error.to_string();
                let long = why.chars().nth(REPEATED).is_some();
                // Where it stands comes last in the words of the parser.
                let place = format!(" at line {} column {}", error.line(), error.column());
                let why = if long { why.chars().take(REPEATED).collect::<String>() + "\u{2026}" + &place } else { why };
                Err(PublicationError::Malformed { what: self.what, why })
            }
        }
    }

    fn judge(&self, format: &str, version: u32) -> Result<(), PublicationError> {
        if format != self.format {
            let found = format.chars().take(80).collect();
            return Err(PublicationError::OtherFormat { what: self.what, found });
        }
        if version == 0 {
            return Err(PublicationError::invalid("version", "there is no version 0; write a whole number from 1 on"));
        }
        if version > self.version {
            return Err(PublicationError::Newer { what: self.what, found: version, known: self.version });
        }
        Ok(())
    }

    fn fits(&self, bytes: &[u8]) -> Result<(), PublicationError> {
        if bytes.len() <= self.most {
            return Ok(());
        }
        Err(PublicationError::TooLarge { what: self.what, bytes: bytes.len(), most: self.most })
    }
}

/// Whether a text may stand in a manifest.
pub(crate) fn name(text: &str, at: impl FnOnce() -> String) -> Result<(), PublicationError> {
    let most = crate::limits::NAME_BYTES;
    if text.len() <= most {
        return Ok(());
    }
    Err(PublicationError::invalid(at(), format!("this name has {} bytes; at most {most} are read", text.len())))
}
