//! What keeps its state in thread-locals, and trusts what is entered last to be left first.

use greenthread::{run, spawn, yield_now};
use tracing::{Span, info_span};
use tracing_subscriber::Registry;

#[test]
fn a_tracing_span_that_is_entered_across_a_wait_point_is_everybodys() {
    tracing::subscriber::with_default(Registry::default(), || {
        run(|| {
            let waits = spawn(|| {
                let _entered = info_span!("first").entered();
                yield_now();
            });
            let sees = spawn(|| Span::current().metadata().map(|span| span.name()));
            assert_eq!(
                sees.join().unwrap(),
                Some("first"),
                "that span is another green thread's"
            );
            waits.join().unwrap();
            // In between two wait points a span is its green thread's own.
            let span = info_span!("second");
            let kept =
                spawn(move || span.in_scope(|| Span::current().metadata().map(|span| span.name())));
            assert_eq!(kept.join().unwrap(), Some("second"));
        });
    });
}
