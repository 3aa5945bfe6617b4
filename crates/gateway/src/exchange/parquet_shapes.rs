//! What the fields of a Parquet file's footer and page headers are
//! (<https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift>), as far as a decoder reads them. What is not
//! here it passes over by what the file says.

/// What a field is.
#[derive(Debug)]
pub(super) enum Kind {
    Bool,
    Byte,
    I16,
    I32,
    I64,
    Double,
    Binary,
    List(&'static Kind),
    Structure(Shape),
}

/// The fields of a structure by their numbers. Of a union one is there.
pub(super) type Shape = &'static [(u8, Kind)];

use Kind::{Binary, Bool, Byte, Double, I16, I32, I64, List, Structure};

impl Kind {
    /// Whether a file may say so of a field of this kind, by its code in Thrift's compact protocol.
    pub(super) const fn is_written_as(&self, code: u8) -> bool {
        match self {
            Bool => matches!(code, 1 | 2),
            Byte => code == 3,
            I16 => code == 4,
            I32 => code == 5,
            I64 => code == 6,
            Double => code == 7,
            Binary => code == 8,
            List(_) => code == 9,
            Structure(_) => code == 12,
        }
    }
}

const STATISTICS: Shape = &[(1, Binary), (2, Binary), (3, I64), (4, I64), (5, Binary), (6, Binary), (7, Bool), (8, Bool)];
const SIZE_STATISTICS: Shape = &[(1, I64), (2, List(&I64)), (3, List(&I64))];
const BOUNDING_BOX: Shape =
    &[(1, Double), (2, Double), (3, Double), (4, Double), (5, Double), (6, Double), (7, Double), (8, Double)];
const GEOSPATIAL_STATISTICS: Shape = &[(1, Structure(BOUNDING_BOX)), (2, List(&I32))];
const EMPTY: Shape = &[];
const TIME_UNIT: Shape = &[(1, Structure(EMPTY)), (2, Structure(EMPTY)), (3, Structure(EMPTY))];
const TIME_TYPE: Shape = &[(1, Bool), (2, Structure(TIME_UNIT))];
const LOGICAL_TYPE: Shape = &[
    (1, Structure(EMPTY)),
    (2, Structure(EMPTY)),
    (3, Structure(EMPTY)),
    (4, Structure(EMPTY)),
    (5, Structure(&[(1, I32), (2, I32)])),
    (6, Structure(EMPTY)),
    (7, Structure(TIME_TYPE)),
    (8, Structure(TIME_TYPE)),
    (10, Structure(&[(1, Byte), (2, Bool)])),
    (11, Structure(EMPTY)),
    (12, Structure(EMPTY)),
    (13, Structure(EMPTY)),
    (14, Structure(EMPTY)),
    (15, Structure(EMPTY)),
    (16, Structure(&[(1, Byte)])),
    (17, Structure(&[(1, Binary)])),
    (18, Structure(&[(1, Binary), (2, I32)])),
];
const SCHEMA_ELEMENT: Shape =
    &[(1, I32), (2, I32), (3, I32), (4, Binary), (5, I32), (6, I32), (7, I32), (8, I32), (9, I32), (10, Structure(LOGICAL_TYPE))];
const KEY_VALUE: Shape = &[(1, Binary), (2, Binary)];
const COLUMN_META_DATA: Shape = &[
    (1, I32),
    (2, List(&I32)),
    (3, List(&Binary)),
    (4, I32),
    (5, I64),
    (6, I64),
    (7, I64),
    (8, List(&Structure(KEY_VALUE))),
    (9, I64),
    (10, I64),
    (11, I64),
    (12, Structure(STATISTICS)),
    (13, List(&Structure(&[(1, I32), (2, I32), (3, I32)]))),
    (14, I64),
    (15, I32),
    (16, Structure(SIZE_STATISTICS)),
    (17, Structure(GEOSPATIAL_STATISTICS)),
];
const COLUMN_CRYPTO_META_DATA: Shape = &[(1, Structure(EMPTY)), (2, Structure(&[(1, List(&Binary)), (2, Binary)]))];
const COLUMN_CHUNK: Shape = &[
    (1, Binary),
    (2, I64),
    (3, Structure(COLUMN_META_DATA)),
    (4, I64),
    (5, I32),
    (6, I64),
    (7, I32),
    (8, Structure(COLUMN_CRYPTO_META_DATA)),
    (9, Binary),
];
const ROW_GROUP: Shape = &[
    (1, List(&Structure(COLUMN_CHUNK))),
    (2, I64),
    (3, I64),
    (4, List(&Structure(&[(1, I32), (2, Bool), (3, Bool)]))),
    (5, I64),
    (6, I64),
    (7, I16),
];
const ENCRYPTION: Shape = &[(1, Binary), (2, Binary), (3, Bool)];
/// The footer.
pub(super) const FILE_META_DATA: Shape = &[
    (1, I32),
    (2, List(&Structure(SCHEMA_ELEMENT))),
    (3, I64),
    (4, List(&Structure(ROW_GROUP))),
    (5, List(&Structure(KEY_VALUE))),
    (6, Binary),
    (7, List(&Structure(&[(1, Structure(EMPTY))]))),
    (8, Structure(&[(1, Structure(ENCRYPTION)), (2, Structure(ENCRYPTION))])),
    (9, Binary),
];

/// The header of a page.
pub(super) const PAGE_HEADER: Shape = &[
    (1, I32),
    (2, I32),
    (3, I32),
    (4, I32),
    (5, Structure(&[(1, I32), (2, I32), (3, I32), (4, I32), (5, Structure(STATISTICS))])),
    (6, Structure(EMPTY)),
    (7, Structure(&[(1, I32), (2, I32), (3, Bool)])),
    (8, Structure(&[(1, I32), (2, I32), (3, I32), (4, I32), (5, I32), (6, I32), (7, Bool), (8, Structure(STATISTICS))])),
];
