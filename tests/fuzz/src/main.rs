//! Random programs on greenthread, against a model of it.
mod generate;
mod history;
mod model;
mod program;
mod run;

fn main() {
    let mut args = std::env::args().skip(1);
    let first: u64 = args.next().map_or(1, |a| a.parse().unwrap());
    let count: u64 = args.next().map_or(1, |a| a.parse().unwrap());
    std::panic::set_hook(Box::new(|_| ()));
    let begin = std::time::Instant::now();
    let (mut bad, mut skipped) = (0, 0);
    for seed in first..first + count {
        let program = generate::program(seed);
        for order in [None, Some(seed)] {
            let expected = model::run(&program, order);
            if expected.end == history::End::Abort || expected.left > 0 {
                skipped += 1;
                continue;
            }
            let seen = run::run(&program, order);
            if seen.history != expected || !seen.faults.is_empty() {
                bad += 1;
                if bad > 1 { continue; }
                println!("seed {seed} {order:?} {} steps\n{}", program.len(), program.text());
                println!("faults {:?}", seen.faults);
                let place = seen.history.events.iter().zip(&expected.events).take_while(|(a, b)| a == b).count();
                for event in &seen.history.events[..place] { println!("   {event}"); }
                for event in &seen.history.events[place..] { println!("lib   {event}"); }
                for event in &expected.events[place..] { println!("model {event}"); }
                println!("lib {:?} {} model {:?} {}", seen.history.end, seen.history.left, expected.end, expected.left);
            }
        }
    }
    println!("{count} programs {bad} bad {skipped} skipped {:?}", begin.elapsed());
}
