//! Makes a program smaller while the same is wrong with it: steps are taken out, bodies take the place of what is around them, numbers become small.
//!
//! Each try runs in a process of its own, because what is wrong may be that it aborts.

use std::{env, fs, io, mem, process};

use crate::crew::{Trouble, try_file};
use crate::program::{How, Op, Program, Step};

/// Tries, at most.
const MOST_TRIES: usize = 4_000;

/// What is left of the program with which this is wrong.
pub(crate) fn shrink(program: &Program, trouble: &Trouble) -> io::Result<Program> {
    let path = env::temp_dir().join(format!("greenthread-fuzz-{}.ron", process::id()));
    let path = path.to_string_lossy().into_owned();
    let mut tries = 0;
    let mut is_wrong = |program: &Program| {
        tries += 1;
        if tries > MOST_TRIES {
            return Ok(false);
        }
        fs::write(&path, program.text())?;
        let found = try_file(&path)?;
        Ok::<_, io::Error>(
            found.is_some_and(|found| mem::discriminant(&found) == mem::discriminant(trouble)),
        )
    };
    let mut smallest = program.clone();
    while let Some(smaller) = find_smaller(&smallest, &mut is_wrong)? {
        smallest = smaller;
    }
    smallest.number();
    let _ = fs::remove_file(&path);
    Ok(smallest)
}

/// One that is a little smaller, with which the same is wrong.
fn find_smaller(
    program: &Program,
    is_wrong: &mut impl FnMut(&Program) -> io::Result<bool>,
) -> io::Result<Option<Program>> {
    for change in [without, inside_out, simpler, under_fewer] {
        for place in 0..program.len() + program.shuffles.len() {
            let mut smaller = program.clone();
            if change(&mut smaller, place) && is_wrong(&smaller)? {
                return Ok(Some(smaller));
            }
        }
    }
    Ok(None)
}

/// Takes the step at this place out, with all that is in it.
fn without(program: &mut Program, place: usize) -> bool {
    at(program, place, |body, step| {
        body.remove(step);
        true
    })
}

/// Has what is in the step at this place take its place.
fn inside_out(program: &mut Program, place: usize) -> bool {
    at(program, place, |body, step| {
        let Some(inner) = body[step].1.body_mut().map(mem::take) else {
            return false;
        };
        body.splice(step..=step, inner);
        true
    })
}

/// Makes the numbers of the step at this place small.
fn simpler(program: &mut Program, place: usize) -> bool {
    at(program, place, |body, step| {
        let before = body[step].clone();
        simplify(&mut body[step].1);
        body[step] != before
    })
}

fn simplify(op: &mut Op) {
    match op {
        Op::Sleep(limit) | Op::Timeout(limit, _) => *limit = (*limit).min(1.max(*limit / 2)),
        Op::Acquire(_, count, how, _) => {
            *count = 1;
            *how = How::Wait;
        }
        Op::Lock(_, how, _)
        | Op::Send(_, how)
        | Op::Recv(_, how)
        | Op::Await(_, how)
        | Op::Join(_, how)
        | Op::Read(_, how, _)
        | Op::Write(_, how, _)
        | Op::Put(_, how)
        | Op::Get(_, how)
        | Op::JoinQueue(_, how)
        | Op::WaitCond(_, _, how)
        | Op::Meet(_, how)
        | Op::RecvOne(_, how)
        | Op::Hear(_, _, how)
        | Op::Changed(_, _, how)
        | Op::Unwatched(_, how)
        | Op::WaitOnce(_, how)
        | Op::Relock(_, how, _)
        | Op::Park(how) => *how = How::Wait,
        _ => {}
    }
}

/// Runs it under one schedule less.
fn under_fewer(program: &mut Program, place: usize) -> bool {
    let there = place < program.shuffles.len();
    if there {
        program.shuffles.remove(place);
    }
    there
}

/// Changes the body with the step at this place, counted in the order of the text.
fn at(
    program: &mut Program,
    place: usize,
    change: impl FnOnce(&mut Vec<Step>, usize) -> bool,
) -> bool {
    let mut left = place;
    let mut change = Some(change);
    find(program.main_mut(), &mut left, &mut |body, step| {
        change.take().is_some_and(|change| change(body, step))
    })
    .unwrap_or(false)
}

fn find(
    body: &mut Vec<Step>,
    left: &mut usize,
    change: &mut impl FnMut(&mut Vec<Step>, usize) -> bool,
) -> Option<bool> {
    for step in 0..body.len() {
        if *left == 0 {
            return Some(change(body, step));
        }
        *left -= 1;
        if let Some(inner) = body[step].1.body_mut()
            && let Some(changed) = find(inner, left, change)
        {
            return Some(changed);
        }
    }
    None
}
