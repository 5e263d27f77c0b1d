//! The JSON of a dump is JSON, and has what its schema says.

use greenthread::{Builder, dump, park, run, yield_now};

/// Reads past one JSON value; panics where the text is none (RFC 8259).
fn value(text: &[u8]) -> &[u8] {
    match text[0] {
        b'{' => members(&text[1..], b'}', |rest| {
            let rest = string(rest);
            assert_eq!(rest[0], b':');
            value(&rest[1..])
        }),
        b'[' => members(&text[1..], b']', value),
        b'"' => string(text),
        _ => {
            let end = text
                .iter()
                .position(|byte| b",}]".contains(byte))
                .unwrap_or(text.len());
            let word = std::str::from_utf8(&text[..end]).unwrap();
            let known = ["true", "false", "null"].contains(&word) || word.parse::<f64>().is_ok();
            assert!(known, "{word}");
            &text[end..]
        }
    }
}

fn members(mut text: &[u8], end: u8, one: impl Fn(&[u8]) -> &[u8]) -> &[u8] {
    if text[0] == end {
        return &text[1..];
    }
    loop {
        text = one(text);
        let separator = text[0];
        text = &text[1..];
        if separator == end {
            return text;
        }
        assert_eq!(separator, b',');
    }
}

fn string(text: &[u8]) -> &[u8] {
    assert_eq!(text[0], b'"');
    let mut place = 1;
    while text[place] != b'"' {
        assert!(text[place] >= 0x20);
        place += if text[place] == b'\\' { 2 } else { 1 };
    }
    &text[place + 1..]
}

#[test]
#[apply(once)]
fn a_dump_is_valid_json_with_every_field_of_the_schema() {
    run(|| {
        let name = "a \"name\" with \\ and \t and \u{1} and é";
        let parked = Builder::new().name(name.into()).spawn(park).unwrap();
        yield_now();
        let json = dump().to_json();
        assert!(value(json.as_bytes()).is_empty());
        assert!(
            json.contains(r#""name":"a \"name\" with \\ and \t and \u0001 and é""#),
            "{json}"
        );
        let fields = [
            "greenthread_dump",
            "took_ns",
            "os_threads",
            "number",
            "answered",
            "running",
            "circles",
            "green_threads",
            "id",
            "kind",
            "os_thread",
            "state",
            "operation",
            "objects",
            "waits_for",
            "waited_ns",
            "spawned_at",
            "file",
            "line",
            "column",
            "cancel",
            "stack_size",
            "stack_used",
            "backtrace",
            "address",
            "function",
            "library",
            "backtrace_is_cut",
        ];
        for field in fields {
            assert!(json.contains(&format!("\"{field}\":")), "{field}");
        }
        parked.thread().unpark();
        parked.join().unwrap();
    });
}
