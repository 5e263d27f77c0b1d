use greenthread::*;
fn main() {
    let n: u64 = std::env::args().nth(1).unwrap().parse().unwrap();
    let t = std::time::Instant::now();
    for i in 0..n {
        spawn(move || i).join().unwrap();
    }
    let e = t.elapsed();
    println!("{:.2} ns per spawn+join", e.as_nanos() as f64 / (n) as f64);
}
