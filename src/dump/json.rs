//! A dump for programs.

use std::fmt::{self, Display, Write};

use super::seen::{Cancel, Dump, OsThread, Running, Seen, State};
use crate::base::json::Text;
use crate::symbols::frame::Frame;

impl Dump {
    /// Returns the dump as JSON (RFC 8259), in one line.
    ///
    /// The schema, of version 1; fields may be added within a version. Addresses are strings, as `"0x7f00"`, because they do not fit into a double. Every field is
    /// always there; what is not known is `null`.
    ///
    /// ```text
    /// { "greenthread_dump": 1,               the version of the schema
    ///   "took_ns": 1234,                     how long it took to make
    ///   "os_threads": [ { "number": 17,      the kernel's number
    ///                     "name": "main", "answered": true,
    ///                     "running": { "label": "green thread 3 (\"worker\")", "backtrace": [ .. ] } } ],    null for one that answered
    ///   "circles": [ [3, 5] ],               who waits for each other, by id
    ///   "green_threads": [ {
    ///     "id": 3, "name": "worker", "kind": "green thread" or "root", "os_thread": 17,
    ///     "state": "not started", "ready", "parked" or "running",
    ///     "operation": "Mutex::lock", "objects": ["0x7f00"], "waits_for": [5], "waited_ns": 1500000,
    ///     "spawned_at": { "file": "src/main.rs", "line": 7, "column": 5 },    null for a root
    ///     "cancel": "no", "pending" or "raised",
    ///     "stack_size": 245760, "stack_used": 1128,
    ///     "backtrace": [ { "address": "0x55d0", "function": "app::work", "file": "src/main.rs", "line": 9, "library": false } ],
    ///     "backtrace_is_cut": false } ] }
    /// ```
    ///
    /// # Examples
    /// ```
    /// let json = greenthread::dump().to_json();
    /// assert!(json.starts_with("{\"greenthread_dump\":1,"));
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        let took = self.took.as_nanos();
        write!(
            out,
            "{{\"greenthread_dump\":1,\"took_ns\":{took},\"os_threads\":"
        )?;
        list(out, &self.os_threads, os_thread)?;
        out.push_str(",\"circles\":");
        list(out, &self.circles, |out, circle| list(out, circle, plain))?;
        out.push_str(",\"green_threads\":");
        list(out, &self.green_threads, green_thread)?;
        out.push('}');
        Ok(())
    }
}

fn os_thread(out: &mut String, thread: &OsThread) -> fmt::Result {
    write!(out, "{{\"number\":{},\"name\":", thread.number)?;
    text_or_null(out, thread.name.as_deref())?;
    write!(out, ",\"answered\":{},\"running\":", thread.answered)?;
    match &thread.running {
        Some(one) => running(out, one)?,
        None => out.push_str("null"),
    }
    out.push('}');
    Ok(())
}

fn running(out: &mut String, running: &Running) -> fmt::Result {
    out.push_str("{\"label\":");
    text(out, &running.label)?;
    out.push_str(",\"backtrace\":");
    let frames: Vec<&Frame> = running.frames().collect();
    list(out, &frames, |out, one| frame(out, one))?;
    out.push('}');
    Ok(())
}

fn green_thread(out: &mut String, seen: &Seen) -> fmt::Result {
    write!(out, "{{\"id\":{},\"name\":", seen.id)?;
    text_or_null(out, seen.name.as_deref())?;
    let kind = if seen.is_root { "root" } else { "green thread" };
    let state = state(seen.state);
    write!(out, ",\"kind\":\"{kind}\",\"os_thread\":{}", seen.os_thread)?;
    write!(out, ",\"state\":\"{state}\",\"operation\":")?;
    text_or_null(out, seen.operation)?;
    out.push_str(",\"objects\":");
    list(out, &seen.objects, |out, object| {
        write!(out, "\"{object:#x}\"")
    })?;
    out.push_str(",\"waits_for\":");
    list(out, &seen.waits_for, plain)?;
    out.push_str(",\"waited_ns\":");
    or_null(out, seen.waited.map(|waited| waited.as_nanos()))?;
    spawned_at(out, seen)?;
    let cancel = cancel(seen.cancel);
    write!(
        out,
        ",\"cancel\":\"{cancel}\",\"stack_size\":{},\"stack_used\":",
        seen.stack_size
    )?;
    or_null(out, seen.stack_used)?;
    out.push_str(",\"backtrace\":");
    let frames: Vec<&Frame> = seen.frames().collect();
    list(out, &frames, |out, one| frame(out, one))?;
    write!(out, ",\"backtrace_is_cut\":{}}}", seen.is_cut)
}

fn spawned_at(out: &mut String, seen: &Seen) -> fmt::Result {
    if seen.is_root {
        out.push_str(",\"spawned_at\":null");
        return Ok(());
    }
    let site = seen.spawned_at;
    out.push_str(",\"spawned_at\":{\"file\":");
    text(out, site.file())?;
    write!(
        out,
        ",\"line\":{},\"column\":{}}}",
        site.line(),
        site.column()
    )
}

fn frame(out: &mut String, frame: &Frame) -> fmt::Result {
    write!(out, "{{\"address\":\"{:#x}\",\"function\":", frame.address)?;
    text_or_null(out, frame.function.as_deref())?;
    out.push_str(",\"file\":");
    text_or_null(out, frame.file.as_deref())?;
    out.push_str(",\"line\":");
    or_null(out, frame.line)?;
    write!(out, ",\"library\":{}}}", frame.is_ours)
}

fn state(state: State) -> &'static str {
    match state {
        State::NotStarted => "not started",
        State::Ready => "ready",
        State::Parked => "parked",
        State::Running => "running",
    }
}

fn cancel(cancel: Cancel) -> &'static str {
    match cancel {
        Cancel::No => "no",
        Cancel::Pending => "pending",
        Cancel::Raised => "raised",
    }
}

fn list<T>(
    out: &mut String,
    items: &[T],
    mut item: impl FnMut(&mut String, &T) -> fmt::Result,
) -> fmt::Result {
    out.push('[');
    for (place, one) in items.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        item(out, one)?;
    }
    out.push(']');
    Ok(())
}

fn plain(out: &mut String, number: &u64) -> fmt::Result {
    write!(out, "{number}")
}

fn or_null(out: &mut String, number: Option<impl Display>) -> fmt::Result {
    match number {
        Some(number) => write!(out, "{number}"),
        None => out.write_str("null"),
    }
}

fn text_or_null(out: &mut String, content: Option<&str>) -> fmt::Result {
    match content {
        Some(content) => text(out, content),
        None => out.write_str("null"),
    }
}

fn text(out: &mut String, content: &str) -> fmt::Result {
    write!(out, "{}", Text(content))
}
