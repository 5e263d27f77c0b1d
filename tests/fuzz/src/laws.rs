//! What a history must keep to whatever the model says: read off the history and the program alone.

use std::collections::BTreeMap;

use crate::history::{End, Event, History, Seen, Why};
use crate::program::{Arm, GENERATORS, Millis, Op, Program, Step};

/// What is broken.
pub(crate) fn broken(program: &Program, history: &History) -> Vec<String> {
    let steps = Steps::of(program);
    let mut broken = Vec::new();
    broken.extend(time_goes_back(history));
    broken.extend(comes_twice(history));
    broken.extend(comes_from_nowhere(history, &steps));
    broken.extend(out_of_order(history, &steps));
    broken.extend(heard_from_nowhere(history, &steps));
    broken.extend(too_early(history, &steps));
    broken.extend(ends_otherwise(history, &steps));
    broken.extend(asked_by_nobody(history));
    broken.extend(outlives_its_scope(history, &steps));
    if history.left > 0 && history.end != End::Deadlock {
        broken.push(format!("{} green threads are left behind", history.left));
    }
    broken
}

/// The steps by their numbers, and whose they are.
struct Steps<'a> {
    /// What each does; nothing for number 0.
    ops: BTreeMap<usize, &'a Op>,

    /// The children that each green thread has in its scopes, by its number.
    children: BTreeMap<usize, Vec<usize>>,
}

impl<'a> Steps<'a> {
    fn of(program: &'a Program) -> Self {
        let mut steps = Steps {
            ops: BTreeMap::new(),
            children: BTreeMap::new(),
        };
        steps.walk(&program.main, 0, false);
        steps
    }

    fn walk(&mut self, body: &'a [Step], who: usize, in_scope: bool) {
        for Step(number, op) in body {
            self.ops.insert(*number, op);
            let (inner_who, inner_scope) = match op {
                Op::Spawn(child, _) => (*child, false),
                Op::Generator(number, _) => (GENERATORS + number, false),
                Op::Child(child, _) => {
                    if in_scope {
                        self.children.entry(who).or_default().push(*child);
                    }
                    (*child, false)
                }
                Op::Scope(_) | Op::TryScope(_) | Op::Race(_) => (who, true),
                Op::SetSpawn(child, _) => (*child, false),
                _ => (who, in_scope),
            };
            if let Some(inner) = op.body() {
                self.walk(inner, inner_who, inner_scope);
            }
        }
    }
}

fn time_goes_back(history: &History) -> Option<String> {
    let back = history
        .events
        .windows(2)
        .find(|pair| pair[0].at > pair[1].at)?;
    Some(format!("time goes back: {}", back[1]))
}

/// The items that were received, in the order in which that was noted.
fn received(history: &History) -> impl Iterator<Item = (&Event, usize)> {
    history.events.iter().filter_map(|event| match event.what {
        Seen::Got(item) => Some((event, item)),
        _ => None,
    })
}

fn comes_twice(history: &History) -> Option<String> {
    let mut items: Vec<_> = received(history).map(|(_, item)| item).collect();
    items.sort_unstable();
    let twice = items.windows(2).find(|pair| pair[0] == pair[1])?;
    Some(format!("item {} is received twice", twice[0]))
}

/// An item was sent by a step of that channel, and that step was not told that it was not sent.
fn comes_from_nowhere(history: &History, steps: &Steps<'_>) -> Option<String> {
    received(history).find_map(|(event, item)| {
        let sent = match (steps.ops.get(&item), steps.ops.get(&event.step)) {
            (Some(Op::Send(..) | Op::Select(..)), Some(Op::Recv(..) | Op::Select(..))) => {
                let out_of = arms(steps.ops[&event.step]);
                arms(steps.ops[&item]).iter().any(|arm| match arm {
                    Arm::Send(into) => out_of.contains(&Arm::Recv(*into)),
                    Arm::Recv(_) | Arm::After(_) => false,
                })
            }
            (Some(Op::Put(into, _)), Some(Op::Get(out_of, _)))
            | (Some(Op::SendOne(into)), Some(Op::RecvOne(out_of, _))) => into == out_of,
            _ => false,
        };
        let taken_back = history.events.iter().any(|other| {
            other.step == item && !matches!(other.what, Seen::Done | Seen::Began | Seen::Chose(_))
        });
        (!sent || taken_back).then(|| format!("received from nowhere: {event}"))
    })
}

/// A value that many see is that of a step which made it, or the one of the beginning.
fn heard_from_nowhere(history: &History, steps: &Steps<'_>) -> Option<String> {
    let mut heard = history.events.iter();
    heard.find_map(|event| {
        let Seen::Heard(value) = event.what else {
            return None;
        };
        let made = match (steps.ops.get(&value), steps.ops.get(&event.step)) {
            (Some(Op::Tell(into)), Some(Op::Hear(of, ..)))
            | (Some(Op::Show(into) | Op::Modify(into, _)), Some(Op::Look(of, _)))
            | (
                Some(Op::Init(into, _) | Op::SetOnce(into)),
                Some(Op::Init(of, _) | Op::WaitOnce(of, _)),
            ) => into == of,
            (None, Some(Op::Look(..))) => value == 0,
            _ => false,
        };
        (!made).then(|| format!("seen, and from nowhere: {event}"))
    })
}

/// What a step may do with channels.
fn arms(op: &Op) -> Vec<Arm> {
    match op {
        Op::Send(place, _) => vec![Arm::Send(*place)],
        Op::Recv(place, _) => vec![Arm::Recv(*place)],
        Op::Select(arms, _) => arms.clone(),
        _ => Vec::new(),
    }
}

/// What one green thread receives of one channel from one sender comes in the order in which that sent it, which is the order in which the sender noted it.
fn out_of_order(history: &History, steps: &Steps<'_>) -> Option<String> {
    let sends = history.events.iter().enumerate().filter(|(_, event)| {
        event.what == Seen::Done && matches!(steps.ops.get(&event.step), Some(Op::Send(..)))
    });
    let sent: BTreeMap<usize, (usize, usize)> = sends
        .map(|(place, event)| (event.step, (event.who, place)))
        .collect();
    let mut last = BTreeMap::new();
    received(history).find_map(|(event, item)| {
        let Some(Op::Recv(channel, _)) = steps.ops.get(&event.step) else {
            return None;
        };
        let (from, place) = sent.get(&item)?;
        let before = last.insert((event.who, *channel, *from), place);
        before
            .filter(|before| *before > place)
            .map(|_| format!("received out of order: {event}"))
    })
}

/// No limit passes before its time, and nobody sleeps less than asked for.
fn too_early(history: &History, steps: &Steps<'_>) -> Option<String> {
    let mut began: BTreeMap<usize, Millis> = BTreeMap::new();
    let mut latest: BTreeMap<usize, Millis> = BTreeMap::new();
    let mut own = history
        .events
        .iter()
        .filter(|event| event.what != Seen::Reported);
    own.find_map(|event| {
        let before = latest.insert(event.who, event.at);
        let limit = steps.ops.get(&event.step).and_then(|op| op.limit());
        match event.what {
            Seen::Began => {
                began.insert(event.step, event.at);
                return None;
            }
            Seen::Elapsed => {}
            Seen::Done if matches!(steps.ops.get(&event.step), Some(Op::Sleep(_))) => {
                began.insert(event.step, before?);
            }
            _ => return None,
        }
        let began = began.get(&event.step)?;
        (event.at < began + limit?).then(|| format!("too early: {event}"))
    })
}

/// How each green thread ended, by what it noted itself, and where: none when it unwound.
fn ends(history: &History) -> BTreeMap<usize, (usize, Option<End>)> {
    let ends = history
        .events
        .iter()
        .enumerate()
        .filter(|(_, event)| event.step == 0);
    ends.filter_map(|(place, event)| match event.what {
        Seen::Ended(end) => Some((event.who, (place, Some(end)))),
        Seen::Unwound => Some((event.who, (place, None))),
        _ => None,
    })
    .collect()
}

/// Whoever joins is told how it ended, after it has.
fn ends_otherwise(history: &History, steps: &Steps<'_>) -> Option<String> {
    let ends = ends(history);
    let mut events = history.events.iter().enumerate();
    events.find_map(|(place, event)| {
        let (Seen::Ended(told), Some(Op::Join(number, _))) =
            (event.what, steps.ops.get(&event.step))
        else {
            return None;
        };
        let agrees = match ends.get(number) {
            Some((at, Some(end))) => *at < place && *end == told,
            Some((at, None)) => *at < place && matches!(told, End::Cancelled(_) | End::Panicked(_)),
            // It was cancelled before it began.
            None => matches!(told, End::Cancelled(_)),
        };
        (!agrees).then(|| format!("it ended otherwise: {event}"))
    })
}

/// A reason that names a step is that of a step that was done.
fn asked_by_nobody(history: &History) -> Option<String> {
    history.events.iter().find_map(|event| {
        let (Seen::Ended(End::Cancelled(Some(Why::Step(step))))
        | Seen::Caught(_, Some(Why::Step(step)))) = event.what
        else {
            return None;
        };
        let asked = history.events.iter().any(|other| other.step == step);
        (!asked).then(|| format!("asked by nobody: {event}"))
    })
}

/// When a green thread has ended, so have the children of its scopes.
fn outlives_its_scope(history: &History, steps: &Steps<'_>) -> Option<String> {
    let ends = ends(history);
    steps.children.iter().find_map(|(parent, children)| {
        let (end, _) = ends.get(parent)?;
        children.iter().find_map(|child| {
            let began = history
                .events
                .iter()
                .any(|event| event.who == *child && event.what == Seen::Began && event.step == 0);
            let in_time = ends.get(child).is_some_and(|(place, _)| place < end);
            (began && !in_time).then(|| format!("thread {child} outlives its scope in {parent}"))
        })
    })
}
