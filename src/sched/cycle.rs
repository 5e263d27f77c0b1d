//! Who waits for whom, as far as that is known, and who waits for himself in the end.
//!
//! Known is who has a lock (its taker leaves an address on his stack there), whom a join or a scope waits for, and for whom one who waits for many does. Who is to set an
//! event or to send a message is not known to anybody.

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::ops::Range;

use super::sight::Sight;
use super::wait::Holder;

/// Who waits for whom.
#[derive(Debug, Default)]
pub(crate) struct Waits {
    /// By number, those that are known to wait for somebody.
    known: HashMap<u64, Vec<u64>>,

    /// Those who wait for what somebody has who is not there any more.
    orphans: Vec<u64>,
}

/// A place in a list of sights.
type Place = usize;

/// What leads to somebody.
struct Signs {
    /// Where the joiners of each stand in line.
    ends: HashMap<usize, Place>,

    /// Where those stand in line who wait for him among others.
    tallies: HashMap<usize, Vec<Place>>,

    /// Whose stack is where, lowest first.
    stacks: Vec<(Range<usize>, Place)>,
}

impl Signs {
    fn of(sights: &[Sight]) -> Self {
        let mut signs = Signs {
            ends: HashMap::with_capacity(sights.len()),
            tallies: HashMap::new(),
            stacks: Vec::with_capacity(sights.len()),
        };
        for (place, sight) in sights.iter().enumerate() {
            signs.ends.insert(sight.end, place);
            if sight.tally != 0 {
                signs.tallies.entry(sight.tally).or_default().push(place);
            }
            let stacks = std::iter::once(&sight.stack).chain(&sight.more_stacks);
            let stacks = stacks.filter(|span| !span.is_empty());
            signs
                .stacks
                .extend(stacks.map(|span| (span.clone(), place)));
        }
        signs.stacks.sort_by_key(|(span, _)| span.start);
        signs
    }

    /// Whose stack holds this address.
    fn owner(&self, address: usize) -> Option<Place> {
        let after = self
            .stacks
            .partition_point(|(span, _)| span.start <= address);
        let (span, place) = self.stacks.get(after.checked_sub(1)?)?;
        span.contains(&address).then_some(*place)
    }

    /// For whom this one waits.
    fn awaited(&self, sight: &Sight, sights: &[Sight]) -> Vec<u64> {
        let id = |place: &Place| sights[*place].id;
        match &sight.sought.holder {
            Holder::Stack(address) => self.owner(*address).iter().map(id).collect(),
            Holder::Threads(ids) => ids.clone(),
            Holder::Unknown => {
                let object = &sight.sought.object;
                let joined = self.ends.get(object).into_iter();
                let many = self.tallies.get(object).into_iter().flatten();
                joined.chain(many).map(id).collect()
            }
        }
    }
}

impl Waits {
    pub(crate) fn of(sights: &[Sight]) -> Self {
        let signs = Signs::of(sights);
        let mut waits = Waits::default();
        for sight in sights.iter().filter(|sight| sight.sought.object != 0) {
            let awaited = signs.awaited(sight, sights);
            if !awaited.is_empty() {
                waits.known.insert(sight.id, awaited);
            } else if let Holder::Stack(_) = sight.sought.holder {
                waits.orphans.push(sight.id);
            }
        }
        waits
    }

    /// Those who wait for a lock whose owner is none of those that were seen.
    pub(crate) fn orphans(&self) -> &[u64] {
        &self.orphans
    }

    /// Those who can only go on after one of these, and so on.
    pub(crate) fn behind(&self, mut stuck: Vec<u64>) -> Vec<u64> {
        let mut grows = true;
        while grows {
            let waits =
                |(_, awaited): &(&u64, &Vec<u64>)| awaited.iter().any(|id| stuck.contains(id));
            let more = self.known.iter().filter(waits).map(|(id, _)| *id);
            let more: Vec<u64> = more.filter(|id| !stuck.contains(id)).collect();
            grows = !more.is_empty();
            stuck.extend(more);
        }
        stuck
    }

    /// For whom this one waits.
    pub(crate) fn of_one(&self, id: u64) -> &[u64] {
        self.known.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Circles of those who wait for each other, each beginning with its lowest number; one for each that waits in it.
    pub(crate) fn circles(&self) -> Vec<Vec<u64>> {
        let mut ids: Vec<u64> = self.known.keys().copied().collect();
        ids.sort_unstable();
        let mut done = HashMap::new();
        let mut circles = Vec::new();
        for id in ids {
            self.walk(id, &mut done, &mut circles);
        }
        circles
    }

    /// From one on to whom he waits for, and so on, in depth; whom a walk has been through is not walked again.
    fn walk(&self, first: u64, done: &mut HashMap<u64, bool>, circles: &mut Vec<Vec<u64>>) {
        // Those on the way, each with how many of those he waits for were tried.
        let mut way = vec![(first, 0)];
        if done.insert(first, false).is_some() {
            return;
        }
        while let Some((id, tried)) = way.last_mut() {
            let Some(next) = self.of_one(*id).get(*tried).copied() else {
                done.insert(*id, true);
                way.pop();
                continue;
            };
            *tried += 1;
            match done.get(&next) {
                None => {
                    done.insert(next, false);
                    way.push((next, 0));
                }
                Some(false) => circles.push(circle(&way, next)),
                Some(true) => {}
            }
        }
    }
}

/// The end of the way from `first` on, turned so that the lowest number comes first.
fn circle(way: &[(u64, usize)], first: u64) -> Vec<u64> {
    let ids = way.iter().map(|(id, _)| *id);
    let mut circle: Vec<u64> = ids.skip_while(|id| *id != first).collect();
    let lowest = (0..circle.len()).min_by_key(|place| circle[*place]);
    circle.rotate_left(lowest.unwrap_or(0));
    circle
}

/// Spells the circles out: who waits in what for whom.
pub(crate) fn spell(sights: &[Sight], waits: &Waits, out: &mut String) {
    let by_id: HashMap<u64, &Sight> = sights.iter().map(|sight| (sight.id, sight)).collect();
    for circle in waits.circles() {
        // Writing to a string does not fail.
        let _ = spell_one(&circle, &by_id, out);
    }
}

fn spell_one(circle: &[u64], sights: &HashMap<u64, &Sight>, out: &mut String) -> fmt::Result {
    out.push_str("\n  a circle: ");
    for (place, id) in circle.iter().enumerate() {
        let next = circle[(place + 1) % circle.len()];
        let (Some(one), Some(other)) = (sights.get(id), sights.get(&next)) else {
            return Ok(());
        };
        let separator = if place == 0 { "" } else { "; " };
        let operation = one.operation.unwrap_or("nothing");
        let verb = match one.sought.holder {
            Holder::Stack(_) => format!("at {:#x}, held by", one.sought.object),
            Holder::Threads(_) | Holder::Unknown => String::from("for"),
        };
        let other = if id == &next {
            String::from("itself")
        } else {
            other.label().to_string()
        };
        write!(
            out,
            "{separator}{} waits in {operation} {verb} {other}",
            one.label()
        )?;
    }
    Ok(())
}
