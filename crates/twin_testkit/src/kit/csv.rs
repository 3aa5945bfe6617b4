//! CSV as tests need it: a table with a header (RFC 4180, quoted fields allowed), and lines to write one.

/// A parsed table. Rows shorter than the header have empty fields at their end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Parses text whose first row is the header.
    pub fn parse(text: &str, separator: char) -> Self {
        let mut records = records(text.strip_prefix('\u{feff}').unwrap_or(text), separator).into_iter();
        let header = records.next().unwrap_or_default();
        Self { header, rows: records.collect() }
    }

    /// Names of the columns.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// How many rows follow the header.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no row follows the header.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Position of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    /// A field by row and column name; `None` where there is no such row or column.
    pub fn get(&self, row: usize, name: &str) -> Option<&str> {
        let column = self.column(name)?;
        self.rows.get(row).map(|fields| fields.get(column).map_or("", String::as_str))
    }

    /// The rows as slices of fields.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[String]> {
        self.rows.iter().map(Vec::as_slice)
    }
}

/// One line of CSV with a comma and a line feed; fields are quoted where they must be.
pub fn line<T: AsRef<str>>(fields: &[T]) -> String {
    let quoted = |field: &T| {
        let field = field.as_ref();
        if field.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.to_owned() }
    };
    fields.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n"
}

fn records(text: &str, separator: char) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    let (mut record, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            c if c == separator && !quoted => record.push(core::mem::take(&mut field)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                record.push(core::mem::take(&mut field));
                all.push(core::mem::take(&mut record));
            }
            c => field.push(c),
        }
    }
    if !field.is_empty() || !record.is_empty() {
        record.push(field);
        all.push(record);
    }
    // Blank lines are no records.
    all.retain(|record| record.len() > 1 || record.first().is_some_and(|field| !field.is_empty()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_by_row_and_column() {
        let table = Table::parse("t;v\r\n1;a\r\n2;\"b;\"\"c\"\"\"\r\n\r\n3", ';');
        assert_eq!(table.header(), ["t", "v"]);
        assert_eq!(table.len(), 3);
        assert_eq!(table.get(1, "v"), Some("b;\"c\""));
        assert_eq!(table.get(2, "v"), Some(""));
        assert_eq!(table.get(0, "x"), None);
        assert_eq!(table.get(9, "v"), None);
    }

    #[test]
    fn a_written_line_reads_back() {
        let fields = ["plain", "with, comma", "with \"quotes\"", "", "two\nlines"];
        let table = Table::parse(&("a,b,c,d,e\n".to_owned() + &line(&fields)), ',');
        assert_eq!(table.rows().next().map(<[String]>::to_vec), Some(fields.map(str::to_owned).to_vec()));
    }
}
