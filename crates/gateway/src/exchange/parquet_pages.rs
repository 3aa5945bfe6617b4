//! Looks at each page of a Parquet column before its decoder does: the decoder reserves room for as many values as a page claims
//! to have, and a claim of a damaged file ends the whole program. (A page may still claim 2 GiB of its own size, not more.)

use parquet::basic::Encoding;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};

/// The pages of a column, each looked at.
pub(super) struct Checked(pub(super) Box<dyn PageReader>);

/// An error for a page whose claims can't be believed.
fn check(page: &Page) -> Result<()> {
    match (page, page.encoding()) {
        // Values of a dictionary have a byte at least.
        (Page::DictionaryPage { buf, num_values, .. }, _) if *num_values as usize > buf.len() => {
            Err(refused(&format!("a dictionary of {num_values} values in {} bytes; the file is damaged", buf.len())))
        }
        // How many texts there are stands inside, once more, where nobody but the decoder can look.
        (_, encoding @ (Encoding::DELTA_LENGTH_BYTE_ARRAY | Encoding::DELTA_BYTE_ARRAY)) => {
            Err(refused(&format!("texts in the encoding {encoding}; write them plain or with a dictionary")))
        }
        _ => Ok(()),
    }
}

fn refused(why: &str) -> ParquetError {
    ParquetError::General(format!("a page holds {why}"))
}

impl PageReader for Checked {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.0.get_next_page()?;
        page.as_ref().map_or(Ok(()), check)?;
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.0.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.0.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.0.at_record_boundary()
    }
}

impl Iterator for Checked {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of a page of four bytes.
    fn said(num_values: u32, encoding: Encoding, dictionary: bool) -> String {
        let buf = axum::body::Bytes::from_static(b"four");
        let page = if dictionary {
            Page::DictionaryPage { buf, num_values, encoding, is_sorted: false }
        } else {
            let (def_level_encoding, rep_level_encoding) = (Encoding::RLE, Encoding::RLE);
            Page::DataPage { buf, num_values, encoding, def_level_encoding, rep_level_encoding, statistics: None }
        };
        check(&page).err().map_or_else(String::new, |error| error.to_string())
    }

    #[test]
    fn a_page_is_refused_for_what_it_claims_and_not_for_what_it_holds() {
        assert_eq!(said(4, Encoding::PLAIN, true), "");
        assert!(said(5, Encoding::PLAIN, true).contains("a dictionary of 5 values in 4 bytes; the file is damaged"));
        assert_eq!(said(4_000_000_000, Encoding::RLE_DICTIONARY, false), "", "a run may be as long as it likes");
        assert_eq!(said(4, Encoding::DELTA_BINARY_PACKED, false), "");
        for encoding in [Encoding::DELTA_BYTE_ARRAY, Encoding::DELTA_LENGTH_BYTE_ARRAY] {
            assert!(said(4, encoding, false).contains("write them plain or with a dictionary"), "{encoding}");
        }
    }
}
