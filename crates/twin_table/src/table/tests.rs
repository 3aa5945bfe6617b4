//! Literal tables in, samples out.

use std::collections::HashMap;

use twin_model::{Quality, Value, ValueKind};

use super::*;
use crate::{CellRules, Codes, NumberStyle, TimeFormat, TimeSpec, Years, Zone};

/// Signals 0 `a` (float), 1 `n` (int), 2 `b` (bool), 3 `w` (text) by their names.
fn feeds() -> Feeds {
    let feed = |at: u32, kind| vec![Feed { signal: SignalIndex(at), kind, unit: "°C".to_owned() }];
    let kinds = [("a", ValueKind::Float), ("n", ValueKind::Int), ("b", ValueKind::Bool), ("w", ValueKind::Text)];
    kinds.into_iter().zip(0..).map(|((name, kind), at)| (name.to_owned(), feed(at, kind))).collect()
}

fn named(name: &str) -> Column {
    Column::Name(name.to_owned())
}

/// A wide table with the columns `names`, times in milliseconds.
fn wide(names: &[&str]) -> TableDef {
    TableDef {
        separator: b',',
        encoding: None,
        skip_lines: 0,
        header: true,
        units_row: false,
        time: TimeColumns::One(named("t")),
        times: TimeSpec {
            format: TimeFormat::parse("epoch_ms", None).unwrap().unwrap(),
            zone: None,
            years: Years::new(1, 9999).unwrap(),
        },
        received: None,
        layout: Layout::Wide { columns: names.iter().map(|name| (named(name), (*name).to_owned())).collect() },
        quality: None,
        cells: CellRules::default(),
        empty: Empty::NoValue,
    }
}

fn long(key: Vec<KeyPart>) -> TableDef {
    TableDef { layout: Layout::Long { values: vec![(named("v"), key)] }, ..wide(&[]) }
}

type Found = Vec<(u32, i64, Value)>;

/// Every sample with a value, by signal and millisecond, and what was odd.
fn read(def: &TableDef, bytes: &[u8]) -> Result<(Found, Report), String> {
    let feeds = feeds();
    let mut table = Table::open(bytes, def, &feeds).map_err(|e| e.to_string())?;
    let (mut samples, mut places) = (Vec::new(), Vec::new());
    while let Some(place) = table.next(&mut samples).unwrap() {
        places.push((place, samples.len()));
    }
    // Every row can be read again from its place alone.
    let known = table.known();
    let mut before = 0;
    for (place, upto) in places {
        let piece = &bytes[place.offset as usize..(place.offset + place.bytes) as usize];
        let mut again = Vec::new();
        let found = Table::again(piece, def, &feeds, &known, &place).next(&mut again).unwrap();
        if !place.by_order {
            assert_eq!((found, again.as_slice()), (Some(place), &samples[before..upto]), "line {}", place.line);
        }
        before = upto;
    }
    let value = |(signal, sample): &(SignalIndex, Sample)| {
        sample.given().map(|value| (signal.0, sample.source_time.as_micros() / 1_000, value.clone()))
    };
    Ok((samples.iter().filter_map(value).collect(), table.report))
}

fn floats(def: &TableDef, text: &str) -> Vec<(i64, f64)> {
    let (found, _) = read(def, text.as_bytes()).unwrap();
    found.into_iter().filter_map(|(signal, t, value)| if signal == 0 { Some((t, value.as_f64()?)) } else { None }).collect()
}

fn lines(report: &Report, seen: Seen) -> Vec<u64> {
    report.of(seen).1.iter().map(|fault| fault.line).collect()
}

#[test]
fn wide_columns_feed_signals_of_every_kind() {
    let (found, report) = read(&wide(&["a", "n", "b", "w"]), b"t,a,n,b,w\n1,1.5,7,true,\"run, slow\"\n2,,8.0,0,stop\n").unwrap();
    let expected = vec![
        (0, 1, Value::Float(1.5)),
        (1, 1, Value::Int(7)),
        (2, 1, Value::Bool(true)),
        (3, 1, Value::text("run, slow")),
        (1, 2, Value::Int(8)),
        (2, 2, Value::Bool(false)),
        (3, 2, Value::text("stop")),
    ];
    assert_eq!(found, expected);
    assert_eq!((report.samples, report.without_value, report.rows), (8, 1, 2), "the empty cell is a reading without a value");
    let sparse = TableDef { empty: Empty::NoSample, ..wide(&["a", "n", "b", "w"]) };
    let (_, report) = read(&sparse, b"t,a,n,b,w\n1,1.5,7,true,run\n2,,8.0,0,stop\n").unwrap();
    assert_eq!((report.samples, report.without_value), (7, 0), "or none, where the table joins series");
}

#[test]
fn rows_that_end_with_a_separator_stand_under_their_names() {
    for text in ["t,a\n5,2.5,\n6,3.5,\n", "t,a,\n5,2.5\n6,3.5,\n", "t,a,,\n5,2.5,,,\n6,3.5\n"] {
        let (found, report) = read(&wide(&["a"]), text.as_bytes()).unwrap();
        assert_eq!(found, [(0, 5, Value::Float(2.5)), (0, 6, Value::Float(3.5))], "{text}");
        assert_eq!(report.all().count(), 0, "{text}");
    }
}

#[test]
fn a_first_cell_without_a_name_is_a_name_of_the_row() {
    assert_eq!(floats(&wide(&["a"]), "t,a\n\"r1\",5,2.5\n\"r2\",6,3.5\n"), [(5, 2.5), (6, 3.5)]);
    assert_eq!(
        floats(&wide(&["a"]), "t,a,s\n\"r1\",5,2.5,\"x\"\n\"r2\",6,3.5,\"\"\n"),
        [(5, 2.5), (6, 3.5)],
        "an empty last cell in quotes"
    );
    // Numbers of rows are no times where no such year is believed.
    let def = wide(&["a"]);
    let def = TableDef { times: TimeSpec { years: Years::default(), ..def.times.clone() }, ..def };
    let (t, u) = (1_772_438_400_000, 1_772_438_460_000);
    assert_eq!(floats(&def, &format!("t,a\n\"1\",{t},2.5\n\"2\",{u},3.5\n")), [(t, 2.5), (u, 3.5)]);
    // One that is shorter may lack its name: nobody knows which cell is whose.
    let rows: String = (0..300).map(|at| format!("r{at},{at},2.5,7\n")).collect();
    let (found, report) = read(&wide(&["a", "n"]), format!("t,a,n\n{rows}300,3,8\n").as_bytes()).unwrap();
    assert_eq!((found.len(), lines(&report, Seen::Row)), (600, vec![302]));
}

#[test]
fn a_first_cell_that_is_a_time_is_no_name_of_its_row_and_no_other_cell_takes_its_place() {
    for text in ["t,a\n0,21.5,3\n1,21.6,3\n", "t,a\n0,5,21\n1,5,22\n", "t,a\n1000,2000,21.5\n3000,4000,22.5\n"] {
        let (found, report) = read(&wide(&["a"]), text.as_bytes()).unwrap();
        assert_eq!((found, report.without_value), (Vec::new(), 2), "{text}");
        assert_eq!(lines(&report, Seen::Row), [2, 3], "{text}");
        let said = &report.of(Seen::Row).1[0].what;
        assert!(said.contains("3 cells, the header has 2 names; is a cell that holds the separator not in quotes?"), "{said}");
    }
    let (found, report) = read(&long(vec![KeyPart::Column(named("s"))]), b"t,s,v\n0,1,a,7\n1,1,a,8\n").unwrap();
    assert_eq!((found, lines(&report, Seen::Row)), (Vec::new(), vec![2, 3]));
    let (_, report) = read(&wide(&["a"]), b"t,a\nx,y,1.5\n").unwrap();
    assert!(report.of(Seen::Time).1[0].what.contains("'x'"), "the cell under the name is what is no time: {report:?}");
}

#[test]
fn a_number_that_nobody_declared_is_found_wherever_it_stands() {
    let rows: String = (0..500).map(|at| format!("{at};1.500\n")).collect();
    let def = TableDef { separator: b';', ..wide(&["a"]) };
    let (_, report) = read(&def, format!("t;a\n{rows}500;2,5\n501;2,6\n").as_bytes()).unwrap();
    let error = report.undeclared.unwrap().error();
    assert_eq!(error.key, "decimal");
    assert!(
        error.to_string().contains("line 502: '2,5' has a comma") && error.to_string().contains("decimal = \",\""),
        "{error}"
    );
    let quality = Some(QualityColumn { column: named("q"), codes: Codes::OpcUa });
    let def = TableDef { quality, ..wide(&["a"]) };
    let rows: String = (0..500).map(|at| format!("{at},1,0\n")).collect();
    let (_, report) = read(&def, format!("t,a,q\n{rows}500,1,192\n").as_bytes()).unwrap();
    assert!(report.undeclared.unwrap().error().to_string().contains("line 502: the quality '192' is a number of OPC DA"));
    assert_eq!(read(&wide(&["a"]), b"t,a\n1,1.5\n").unwrap().1.undeclared, None);
}

#[test]
fn rows_around_a_block_of_nul_bytes_are_read_and_the_block_is_named() {
    let nul = "\0".repeat(70_000);
    // At the end, before a row, and in the middle of one, whose last cell is a part of what it was.
    for (text, expected, line, words) in [
        (format!("t,a\n1,1\n2,2\n{nul}"), vec![(1, 1.0), (2, 2.0)], 4, "70000 NUL bytes stand where a row should begin"),
        (format!("t,a\n1,1\n{nul}2,2\n3,3\n"), vec![(1, 1.0), (2, 2.0), (3, 3.0)], 3, "70000 NUL bytes"),
        (format!("t,a\n1,1\n{nul}\n2,2\n"), vec![(1, 1.0), (2, 2.0)], 3, "70000 NUL bytes"),
        (format!("t,a\n1,1\n2,2{nul}3,3\n"), vec![(1, 1.0), (3, 3.0)], 3, "breaks off in 70000 NUL bytes"),
        (format!("t,a\n1,1\n2,2{nul}"), vec![(1, 1.0)], 3, "breaks off in 70000 NUL bytes"),
        (format!("t,a\n1,1\n17724{nul}3,3\n"), vec![(1, 1.0), (3, 3.0)], 3, "breaks off in 70000 NUL bytes"),
        (format!("{nul}t,a\n1,1\n"), vec![], 1, ""),
    ] {
        let Ok((found, report)) = read(&wide(&["a"]), text.as_bytes()) else {
            assert_eq!(words, "", "nothing but zeros at its beginning");
            continue;
        };
        let found: Vec<_> = found.into_iter().map(|(_, t, value)| (t, value.as_f64().unwrap())).collect();
        assert_eq!(found, expected);
        let (count, named) = report.of(Seen::Broken);
        assert_eq!((count, named[0].line), (1, line), "{named:?}");
        assert!(named[0].what.contains(words), "{named:?}");
        assert_eq!(report.of(Seen::Row).0 + report.of(Seen::Time).0 + report.of(Seen::Value).0, 0, "{report:?}");
    }
    // Padded cells are no such block.
    let (found, report) = read(&wide(&["a"]), format!("t,w,a\n1,P{nul},2.5\n2,{nul},3.5\n").as_bytes()).unwrap();
    assert_eq!((found.len(), report.of(Seen::Broken).0), (2, 0));
}

#[test]
fn a_row_whose_last_letter_is_cut_in_half_gives_no_value() {
    for (text, expected) in [("t,a\n1,1\n2,2", 1), ("t,a\n1,1\n2,2\n", 2)] {
        let mut bytes: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        bytes.push(0x35);
        let (found, report) = read(&wide(&["a"]), &bytes).unwrap();
        assert_eq!(found.len(), expected, "{text:?}");
        let (count, named) = report.of(Seen::Broken);
        assert_eq!(count, 1);
        assert!(named[0].what.contains("the file ends in the middle of a letter"), "{named:?}");
    }
}

#[test]
fn a_long_text_in_quotes_is_one_cell_and_what_is_said_about_quotes_is_counted_right() {
    let long = "x\n".repeat(150_000);
    let (found, report) = read(&wide(&["a"]), format!("t,w,a\n1,\"{long}\",1\n2,y,2\n").as_bytes()).unwrap();
    assert_eq!((found.len(), report.all().count()), (2, 0), "{report:?}");
    let longer = "x\n".repeat(2_500_000);
    let (_, report) = read(&wide(&["a"]), format!("t,w,a\n1,\"{longer}\",1\n2,y,2\n").as_bytes()).unwrap();
    let said = &report.of(Seen::Row).1[0];
    assert!(said.line == 2 && said.what.contains("does not end within 4 MiB"), "{said:?}");
    let rows: String = (0..2_500).map(|at| format!("{at},\"half,1\n")).collect();
    let (_, report) = read(&wide(&["a"]), format!("t,w,a\n{rows}").as_bytes()).unwrap();
    let words = report.words(Seen::Quote, report.of(Seen::Quote).0);
    assert_eq!(words, "at least 1000 quotes never close, and from line 1002 on all quotes are read as they stand");
}

#[test]
fn what_a_file_has_instead_of_a_header_is_said_with_what_to_write() {
    for (text, key, part) in [
        ("a report\n\nt,a\n1,1\n", "skip_lines", "its line 3 has the names: write skip_lines = 2"),
        ("# by a logger\n# of a plant\nt,a\n1,1\n", "skip_lines", "write skip_lines = 2"),
        ("1772438400000,21.5\n1772438460000,21.6\n", "header", "write header = false and count columns from 0"),
        ("[{\"t\": 1, \"a\": 2}]\n", "path", "it looks like JSON"),
        ("{\"t\": 1}\n", "path", "it looks like JSON"),
        ("<!DOCTYPE html>\n<table>\n", "path", "a page of HTML or XML"),
        ("x,y\n1,1\n", "time", "it has: x, y"),
    ] {
        let feeds = feeds();
        let error = Table::open(text.as_bytes(), &wide(&["a"]), &feeds).err().unwrap();
        assert_eq!(error.key, key, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    for (skip, text, part) in [
        (5, "t,a\n1,1\n", "it has only 2 lines, and skip_lines = 5 leaves none of them"),
        (5, "t,a\n1,1", "it has only 2 lines"),
        (2, "t,a\n1,1\n", "nothing stands behind its first 2 lines"),
        (2, "", "the file is empty"),
    ] {
        let error = read(&TableDef { skip_lines: skip, ..wide(&["a"]) }, text.as_bytes()).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn a_row_of_another_width_is_named_and_gives_no_value_to_what_cannot_be_told_apart() {
    let (found, report) = read(&wide(&["a", "n"]), b"t,a,n\n1,1,1\n2,21,5,7\n3,3\n4,4,4\n").unwrap();
    let expected = [
        (0, 1, Value::Float(1.0)),
        (1, 1, Value::Int(1)),
        (0, 3, Value::Float(3.0)),
        (0, 4, Value::Float(4.0)),
        (1, 4, Value::Int(4)),
    ];
    assert_eq!(found, expected);
    assert_eq!((lines(&report, Seen::Row), report.without_value), (vec![3, 4], 3));
}

#[test]
fn a_quote_that_never_closes_costs_no_other_row() {
    let text = "t,w,a\n1,\"half inch,1\n2,ok,2\n3,ok,3\n";
    let (found, report) = read(&wide(&["a"]), text.as_bytes()).unwrap();
    assert_eq!(found, [(0, 1, Value::Float(1.0)), (0, 2, Value::Float(2.0)), (0, 3, Value::Float(3.0))]);
    assert_eq!(lines(&report, Seen::Quote), [2]);
}

#[test]
fn lines_are_counted_whatever_ends_them() {
    for text in ["t,a\n\n1,x\n2,2\n3,y\n", "t,a\r\n\r\n1,x\r\n2,2\r\n3,y\r\n"] {
        let (_, report) = read(&wide(&["a"]), text.as_bytes()).unwrap();
        assert_eq!(lines(&report, Seen::Value), [3, 5], "{text:?}");
    }
}

#[test]
fn blanks_marks_and_skipped_lines_around_names_mean_nothing() {
    let def = TableDef { skip_lines: 1, ..wide(&["a"]) };
    assert_eq!(floats(&def, "\u{feff}made by a logger\n t , a \n 1 , 2.5 \n"), [(1, 2.5)]);
    assert_eq!(floats(&wide(&["a"]), "\u{feff}\"t\",a\n1,2\n"), [(1, 2.0)]);
}

#[test]
fn long_rows_find_their_signal_by_a_key_out_of_columns() {
    let def = long(vec![KeyPart::Column(named("s"))]);
    let (found, report) = read(&def, b"t,s,v\n5,a,2\n6,w,on\n7,x,1\n8,x,1\n").unwrap();
    assert_eq!(found, [(0, 5, Value::Float(2.0)), (3, 6, Value::text("on"))]);
    assert_eq!(report.unknown_keys, [("x".to_owned(), 2)].into());
}

#[test]
fn a_long_row_may_hold_several_values() {
    let key = |name: &str| vec![KeyPart::Text(name.to_owned())];
    let def = TableDef { layout: Layout::Long { values: vec![(named("T"), key("a")), (named("N"), key("n"))] }, ..wide(&[]) };
    let (found, _) = read(&def, b"m,t,T,N\nx,5,2.5,7\n").unwrap();
    assert_eq!(found, [(0, 5, Value::Float(2.5)), (1, 5, Value::Int(7))]);
}

#[test]
fn influx_writes_headers_again_and_again() {
    let text = "#datatype,string,long,dateTime,double,string\n#group,false,false,false,false,true\n#default,_r,,,,a\n,result,table,t,v,s\n\
                ,,0,5,2.5,\n,,0,6,3.5,a\n\n#datatype,string,long,string,dateTime,long\n#group,,,,,\n#default,_r,,,,\n,result,table,s,t,v\n\
                ,,1,n,7,8\n\n,result,table,s,t,v\n,,1,n,8,9\n";
    let (found, report) = read(&long(vec![KeyPart::Column(named("s"))]), text.as_bytes()).unwrap();
    let expected = [(0, 5, Value::Float(2.5)), (0, 6, Value::Float(3.5)), (1, 7, Value::Int(8)), (1, 8, Value::Int(9))];
    assert_eq!(found, expected);
    assert_eq!(report.all().count(), 0, "{report:?}");
    // Where the first table has no annotations.
    let (found, report) = read(
        &long(vec![KeyPart::Column(named("s"))]),
        text[text.find(",result").unwrap()..].replace("5,2.5,", "5,2.5,a").as_bytes(),
    )
    .unwrap();
    assert_eq!((found.as_slice(), report.all().count()), (&expected[..], 0), "{report:?}");
}

#[test]
fn a_header_in_the_middle_is_one() {
    assert_eq!(floats(&wide(&["a"]), "t,a\n1,1\nt,a\n2,2\n\nx,a,t\nz,3,3\n"), [(1, 1.0), (2, 2.0), (3, 3.0)]);
}

#[test]
fn a_header_whose_time_has_moved_is_one_without_a_blank_line_before_it() {
    let def = wide(&["a", "n"]);
    let (found, report) = read(&def, b"t,a,n\n1,1,1\nn,a,t\n2,2,2\nt,a,n\n3,3,3\n").unwrap();
    let times: Vec<i64> = found.iter().map(|(_, t, _)| *t).collect();
    assert_eq!((times, report.all().count()), (vec![1, 1, 2, 2, 3, 3], 0), "{report:?}");
    // A row that says the name of the time in a text is a row: its time is no name of a column.
    let (found, report) = read(&wide(&["a"]), b"t,a,s\n1,1,t\n2,2,t\nlate,3,t\n").unwrap();
    assert_eq!((found.len(), report.of(Seen::Row).0), (2, 0), "{report:?}");
    assert!(report.all().count() > 0, "no time: {report:?}");
}

#[test]
fn what_stands_under_a_header_whose_time_is_called_otherwise_is_nobodys() {
    let def = wide(&["a", "n"]);
    for header in ["T,n,a", "time [UTC],n,a", "x,A,N", "n,a,stamp", "\nT,n,a"] {
        let (found, report) = read(&def, format!("t,a,n\n1,1,1\n{header}\n3,3,3\n4,4,4\n").as_bytes()).unwrap();
        assert_eq!(found.iter().map(|(_, t, _)| *t).collect::<Vec<_>>(), [1, 1], "{header}");
        assert_eq!(report.of(Seen::Row).0, 3, "the header and what stands under it: {header}: {report:?}");
    }
    // Rows of texts that are names of columns, with a time or with other texts beside them, are rows.
    for row in ["2,a,n", "x,late,n", "x,5,7"] {
        let (found, _) = read(&def, format!("t,a,n\n1,1,1\n{row}\n3,3,3\n").as_bytes()).unwrap();
        assert!(found.iter().any(|(_, t, _)| *t == 3), "{row}: {found:?}");
    }
}

#[test]
fn units_are_compared_under_every_header_and_a_reading_is_none() {
    let def = TableDef { units_row: true, ..wide(&["a", "n"]) };
    let (found, report) = read(&def, b"t,a,n\n,C,\n1,1,1\nt,n,a\n,bar,mbar\n2,2,2\nt,a,n\n3,3,3\n").unwrap();
    assert_eq!(found.iter().map(|(_, t, _)| *t).collect::<Vec<_>>(), [1, 1, 2, 2, 3, 3]);
    let told: Vec<(u64, &str)> = report.of(Seen::Unit).1.iter().map(|fault| (fault.line, fault.what.as_str())).collect();
    assert!(told.iter().all(|(line, _)| *line == 2 || *line == 5), "{told:?}");
    assert_eq!((report.of(Seen::Row).0, report.of(Seen::Time).0), (0, 0), "{report:?}");
    let (found, report) = read(&def, b"t,a,n\n1,1,1\n2,2,2\n").unwrap();
    assert_eq!(found.iter().map(|(_, t, _)| *t).collect::<Vec<_>>(), [1, 1, 2, 2], "the first reading is one");
    assert_eq!(report.of(Seen::Unit).1.first().map(|fault| fault.line), Some(2), "{report:?}");
}

#[test]
fn a_word_about_the_separator_is_no_header() {
    for text in ["sep=,\nt,a\n1,1\n", "SEP=;\r\nt,a\r\n1,1\r\n", "\u{feff}sep=,\nt,a\n1,1\n"] {
        assert_eq!(floats(&wide(&["a"]), text), [(1, 1.0)], "{text:?}");
    }
    let error = read(&wide(&["a"]), b"sep=x=\nt,a\n1,1\n").unwrap_err();
    assert!(error.contains("it has: sep=x="), "{error}");
}

#[test]
fn what_stands_under_another_header_is_never_read_by_the_one_before() {
    let def = wide(&["a", "n"]);
    let (found, report) = read(&def, b"t,a,n\n1,1,1\nt,x,n\n2,9,2\nt,n,a\n3,3,3\n").unwrap();
    let ints: Vec<_> = found.iter().filter(|(signal, ..)| *signal == 1).map(|(_, t, _)| *t).collect();
    let floats: Vec<_> = found.iter().filter(|(signal, ..)| *signal == 0).map(|(_, t, _)| *t).collect();
    assert_eq!((floats, ints), (vec![1, 3], vec![1, 2, 3]), "x is not a");
    assert_eq!(report.of(Seen::Row).1.first().map(|fault| fault.what.as_str()), Some("another header, without 'a'"));

    // No time, names twice, nothing that is asked for: the rows are nobody's until the next header.
    for header in ["x,y,t,t", "t,a,a", "t,y,z"] {
        let text = format!("t,a,n\n1,1,1\n\n{header}\n2,9,9\n3,9,9\n\nt,a,n\n4,4,4\n");
        let (found, report) = read(&def, text.as_bytes()).unwrap();
        let times: Vec<_> = found.iter().map(|(_, t, _)| *t).collect();
        assert_eq!(times, [1, 1, 4, 4], "{header}");
        assert_eq!(report.of(Seen::Row).0, 3, "the header and two rows under {header}");
    }
}

#[test]
fn words_behind_a_blank_line_are_the_header_of_another_table() {
    let def = wide(&["a", "n"]);
    for header in ["Timestamp,Pressure,Temperature", "T,Druck,\u{b0}C"] {
        let (found, report) = read(&def, format!("t,a,n\n1,1,1\n\n{header}\n2,9,9\n3,9,9\n\nt,a,n\n4,4,4\n").as_bytes()).unwrap();
        assert_eq!(found.iter().map(|(_, t, _)| *t).collect::<Vec<_>>(), [1, 1, 4, 4], "{header}");
        assert_eq!(report.of(Seen::Row).0, 3, "{report:?}");
    }
    for row in ["late,NaN,n/a", "late,x,x", "late,x", "late,5,x", "2,x,y", "Summe,,"] {
        let (found, _) = read(&def, format!("t,a,n\n1,1,1\n\n{row}\n3,3,3\n").as_bytes()).unwrap();
        assert!(found.iter().any(|(_, t, _)| *t == 3), "no header: {row}");
    }
}

#[test]
fn files_with_a_mark_each_may_be_joined() {
    for text in [
        "\u{feff}t,a\n1,1\n\u{feff}t,a\n2,2\n",
        "t,a\n1,1\n\u{feff}2,2\n\u{feff}\n\u{feff}",
        "\u{feff}\u{feff}t,a\r\n1,1\r\n\r\n\u{feff}2,2",
    ] {
        assert_eq!(floats(&wide(&["a"]), text), [(1, 1.0), (2, 2.0)], "{text:?}");
    }
}

#[test]
fn a_table_of_influx_may_lack_tags_of_the_one_before() {
    let text = "#datatype,string,long,dateTime,string,string,double\n#default,_r,,,,,\n,result,table,t,field,host,v\n,,0,5,a,,2.5\n\n\
                #datatype,string,long,dateTime,double,string,string\n#default,_r,,,,,\n,result,table,t,v,field,place\n,,1,6,3.5,a,west\n\n\
                #datatype,string,string\n#default,,\n,error,reference\n,out of memory,897\n";
    let (found, report) =
        read(&long(vec![KeyPart::Column(named("field")), KeyPart::Column(named("host"))]), text.as_bytes()).unwrap();
    assert_eq!(found, [(0, 5, Value::Float(2.5)), (0, 6, Value::Float(3.5))], "west is no host");
    assert_eq!(report.of(Seen::Row).0, 3, "{report:?}");
}

#[test]
fn utf_16_and_windows_1252_are_text() {
    let text = "t,Füllen\r\n1,2.5\r\n";
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let old: Vec<u8> = text.chars().map(|c| c as u8).collect();
    let feeds: Feeds = HashMap::from([("Füllen".to_owned(), feeds().remove("a").unwrap())]);
    let def = wide(&["Füllen"]);
    let declared = TableDef { encoding: crate::Encoding::parse("windows-1252"), ..def.clone() };
    for (def, bytes) in [(&def, utf16), (&declared, old.clone())] {
        let mut out = Vec::new();
        Table::open(bytes.as_slice(), def, &feeds).unwrap().next(&mut out).unwrap();
        assert_eq!(out.len(), 1);
    }
    let error = Table::open(old.as_slice(), &def, &feeds).err().unwrap().to_string();
    assert!(error.contains("encoding = \"windows-1252\""), "{error}");
}

#[test]
fn numbers_with_commas_are_refused_until_someone_says_what_they_are() {
    let def = TableDef { separator: b';', ..wide(&["a", "n"]) };
    let text = "t;a;n\n1;21,5;1.070\n";
    let error = read(&def, text.as_bytes()).unwrap_err();
    assert!(error.contains("line 2: '21,5'") && error.contains("decimal = \",\""), "{error}");
    let numbers = NumberStyle { decimal: ',', thousands: Some('.'), declared: true };
    let def = TableDef { cells: CellRules { numbers, ..CellRules::default() }, ..def };
    assert_eq!(read(&def, text.as_bytes()).unwrap().0, [(0, 1, Value::Float(21.5)), (1, 1, Value::Int(1_070))]);
}

#[test]
fn an_unknown_quality_is_uncertain_and_no_row_is_dropped() {
    let quality = Some(QualityColumn { column: named("q"), codes: Codes::OpcUa });
    let def = TableDef { quality, ..wide(&["a"]) };
    let feeds = feeds();
    let mut table =
        Table::open(&b"t,a,q\n1,1,\n2,2,BadNotConnected\n3,3,splendid\n4,,good\n5,,BadSensorFailure\n"[..], &def, &feeds)
            .unwrap();
    let mut out = Vec::new();
    while table.next(&mut out).unwrap().is_some() {}
    let found: Vec<Quality> = out.iter().map(|(_, sample)| sample.quality).collect();
    let no_data = Quality::parse("bad_no_data").unwrap();
    assert_eq!(found, [Quality::GOOD, Quality::BAD_NOT_CONNECTED, Quality::UNCERTAIN, no_data, Quality::BAD_SENSOR_FAILURE]);
    assert_eq!(lines(&table.report, Seen::Quality), [4]);
    let error = read(&def, b"t,a,q\n1,1,0\n2,2,192\n").unwrap_err();
    assert!(error.contains("codes = \"opc_da\""), "192 is good there and 0 is bad: {error}");
}

#[test]
fn date_and_time_may_stand_in_two_columns() {
    let def = TableDef {
        time: TimeColumns::DateAndTime(named("d"), named("t")),
        times: TimeSpec {
            format: TimeFormat::parse("%d.%m.%Y %H:%M:%S", None).unwrap().unwrap(),
            zone: Some(Zone::utc()),
            years: Years::default(),
        },
        ..wide(&["a"])
    };
    assert_eq!(
        floats(&def, "d,t,a\n02.03.2026,08:00:00,1\n02.03.2026,24:00:00,2\n"),
        [(1_772_438_400_000, 1.0), (1_772_496_000_000, 2.0)]
    );
}

#[test]
fn units_that_differ_are_named_and_nothing_is_converted() {
    let def = TableDef { units_row: true, ..wide(&["a", "n"]) };
    let (found, report) = read(&def, "t,a,n\nms,[°F],(°C)\n1,2,3\n".as_bytes()).unwrap();
    assert_eq!((found.len(), lines(&report, Seen::Unit)), (2, vec![2]));
}

#[test]
fn what_the_next_row_overwrites_is_counted() {
    let (_, report) = read(&wide(&["a"]), b"t,a\n1,1\n1,2\n2,3\n").unwrap();
    assert_eq!((report.samples, report.overwritten), (3, 1));
}
