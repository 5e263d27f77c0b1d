//! What was recorded, put together: the entries of all rings in the order of time, and who is who.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::event::{Awaited, Ending, Event, Waking, What};
use crate::base::recorder::{JOINED, Kind};
use crate::base::ring::{Entry, Found, Name, Owner, Ring};

/// What has happened while a [`Recording`](super::Recording) was under way.
///
/// It is drawn by [`to_text`](Self::to_text), [`to_svg`](Self::to_svg) and [`to_html`](Self::to_html), and [`to_chrome_json`](Self::to_chrome_json) hands it to Perfetto.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// In the order of time.
    events: Vec<Event>,

    /// Everybody who is named, in the order in which they were first met.
    people: Vec<Person>,

    /// What the OS threads are called.
    os_threads: Vec<String>,

    /// How many events were replaced before they were read.
    lost: u64,
}

/// Somebody who has a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Person {
    /// Who.
    pub(super) who: Who,

    /// What to call it.
    pub(super) name: String,

    /// Where it was spawned.
    pub(super) site: Option<String>,

    /// Where it was first met: an index of OS threads.
    pub(super) os_thread: usize,
}

/// Tells people apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Who {
    /// A green thread, by its id.
    Green(u64),

    /// An OS thread's own stack, by its id.
    Root(u64),

    /// A job, by its id.
    Job(u64),

    /// A generator, by its number.
    Generator(u64),
}

impl Who {
    /// The id or number.
    pub(super) fn number(self) -> u64 {
        match self {
            Who::Green(id) | Who::Root(id) | Who::Job(id) | Who::Generator(id) => id,
        }
    }
}

/// What of a ring is to be put in.
#[derive(Debug)]
pub(super) struct Part {
    /// The ring.
    pub(super) ring: &'static Ring,

    /// Whose it is.
    pub(super) owner: Owner,

    /// Its first entry that counts; those before only tell who is who.
    pub(super) from: u64,
}

impl Part {
    /// What will be in it from now on.
    pub(super) fn from_now_on(ring: &'static Ring) -> Self {
        let from = ring.done();
        let owner = ring.owner();
        Part { ring, owner, from }
    }

    /// What was put into a ring since `before` was noted; all of it for one that was not there.
    pub(super) fn since(ring: &'static Ring, before: &[Part]) -> Self {
        let owner = ring.owner();
        let noted = before.iter().find(|part| std::ptr::eq(part.ring, ring));
        let from = noted.map_or(0, |part| part.from).max(owner.first);
        Part { ring, owner, from }
    }
}

impl Timeline {
    /// Puts together what is in the rings: what has happened since `from`, in nanoseconds.
    pub(super) fn of(parts: &[Part], from: u64) -> Self {
        Reading::new(parts, from).finish()
    }

    /// Returns what has happened, in the order of time; what happened at one moment on one OS thread, in its order.
    pub fn events(&self) -> impl ExactSizeIterator<Item = &Event> {
        self.events.iter()
    }

    /// Returns how many events there were at the beginning that are not here, because a newer one has taken their place.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Returns what the OS threads are called on which anything has happened.
    pub fn os_threads(&self) -> impl ExactSizeIterator<Item = &str> {
        self.os_threads.iter().map(String::as_str)
    }

    /// Returns what the green thread, root or job with this id is called: its name, or its id.
    pub fn name(&self, id: u64) -> Option<&str> {
        let person = self.people.iter().find(|person| match person.who {
            Who::Generator(_) => false,
            who => who.number() == id,
        });
        person.map(|person| person.name.as_str())
    }

    /// The same with those who have no name called by numbers from 1, in the order in which they were first met: ids are unlike in every run.
    pub(crate) fn with_own_numbers(mut self) -> Self {
        let unnamed = |person: &&mut Person| person.name == number_sign(person.who.number());
        for (number, person) in (1..).zip(self.people.iter_mut().filter(unnamed)) {
            person.name = number_sign(number);
        }
        self
    }

    /// Which of these numbers are whose, as far as `text` speaks of them by their ids; empty when it does not.
    pub(crate) fn own_numbers_in(&self, text: &str) -> String {
        let is_no_digit = |char: char| !char.is_ascii_digit();
        let told: HashSet<&str> = text.split(is_no_digit).collect();
        let own = |person: &&Person| {
            person.name.starts_with('#') && told.contains(&*person.who.number().to_string())
        };
        let own = self.people.iter().filter(own);
        let own =
            own.map(|person| format!("{} is green thread {}", person.name, person.who.number()));
        own.collect::<Vec<_>>().join(", ")
    }

    pub(super) fn people(&self) -> &[Person] {
        &self.people
    }

    pub(super) fn list(&self) -> &[Event] {
        &self.events
    }

    /// Only what has happened in the last `span` before the last event.
    pub(super) fn last(mut self, span: Duration) -> Self {
        let end = self.events.last().map_or(Duration::ZERO, |event| event.at);
        let begin = end.saturating_sub(span);
        self.events.retain(|event| event.at >= begin);
        self
    }
}

/// What is known of somebody before everything was read.
#[derive(Default)]
struct Card {
    /// Its name.
    name: Option<String>,

    /// Where it was spawned.
    site: Option<String>,

    /// What it is, once that was told.
    kind: Option<fn(u64) -> Who>,
}

/// One entry with where it is from, and its time.
struct Placed<'a> {
    /// Nanoseconds since the beginning.
    at: u64,

    /// The index of its OS thread.
    thread: usize,

    /// The entry.
    entry: &'a Entry,
}

/// A timeline in the making.
struct Reading {
    /// One for each ring that has anything.
    found: Vec<(Owner, Found, u64)>,

    /// When the recording began.
    from: u64,

    /// Who is who.
    cards: HashMap<u64, Card>,

    /// The generators that have not ended, by their links' addresses, with their numbers.
    generators: HashMap<u64, u64>,

    /// How many generators were met.
    generators_met: u64,

    /// What was waited for, by address, with its number.
    objects: HashMap<u64, u64>,

    /// The indices of those who have been met.
    met: HashMap<Who, usize>,

    /// What comes of it.
    timeline: Timeline,
}

impl Reading {
    fn new(parts: &[Part], from: u64) -> Self {
        let mut lost = 0;
        let read = |part: &Part| {
            let found = part.ring.read(0);
            // Nothing was asked to be left out, so what is lost is what is before the first.
            let first = found.lost;
            lost += first.saturating_sub(part.from);
            (part.owner.clone(), found, part.from.saturating_sub(first))
        };
        let found = parts.iter().map(read);
        let found: Vec<_> = found
            .filter(|(_, found, skip)| found.entries.len() as u64 > *skip)
            .collect();
        Reading {
            found,
            from,
            cards: HashMap::new(),
            generators: HashMap::new(),
            generators_met: 0,
            objects: HashMap::new(),
            met: HashMap::new(),
            timeline: Timeline {
                lost,
                ..Timeline::default()
            },
        }
    }

    fn finish(mut self) -> Timeline {
        let found = std::mem::take(&mut self.found);
        for (_, found, _) in &found {
            self.read_cards(found);
        }
        self.timeline.os_threads = names_of(&found);
        for placed in self.in_order(&found) {
            self.add(&placed, &found[placed.thread].1);
        }
        self.timeline
    }

    /// Reads who is who, also from before the recording.
    fn read_cards(&mut self, found: &Found) {
        for entry in &found.entries {
            let (kind, site): (fn(u64) -> Who, _) = match (Kind::of(entry.kind), entry.name) {
                (Kind::Spawn | Kind::Known, Name::Site(site)) => (Who::Green, Some(site)),
                (Kind::JobSpawn, Name::Site(site)) => (Who::Job, Some(site)),
                (Kind::Known, _) => (Who::Root, None),
                _ => continue,
            };
            let card = self.cards.entry(entry.subject).or_default();
            card.kind = Some(kind);
            card.site = site.map(ToString::to_string);
            card.name = found.text(entry.object).or(card.name.take());
        }
    }

    /// All entries that count, in the order of time.
    ///
    /// A clock that was virtual goes back when it becomes the machine's again: what comes after goes on from there.
    fn in_order<'a>(&mut self, found: &'a [(Owner, Found, u64)]) -> Vec<Placed<'a>> {
        let mut all = Vec::new();
        for (thread, (_, found, skip)) in found.iter().enumerate() {
            let (mut shift, mut last) = (0, self.from);
            for entry in &found.entries[*skip as usize..] {
                shift += last.saturating_sub(entry.at + shift);
                last = entry.at + shift;
                all.push(Placed {
                    at: last - self.from,
                    thread,
                    entry,
                });
            }
        }
        all.sort_by_key(|placed| placed.at);
        all
    }

    fn add(&mut self, placed: &Placed<'_>, found: &Found) {
        let by = (placed.entry.by != 0).then_some(placed.entry.by);
        let acts = matches!(
            Kind::of(placed.entry.kind),
            Kind::Spawn | Kind::JobSpawn | Kind::Wake | Kind::Ask | Kind::Resume
        );
        if let Some(by) = by.filter(|_| acts) {
            self.meet_id(by, placed.thread);
        }
        if let Some(what) = self.what(placed, found) {
            self.timeline.events.push(Event {
                at: Duration::from_nanos(placed.at),
                os_thread: placed.thread,
                by,
                what,
            });
        }
    }

    fn what(&mut self, placed: &Placed<'_>, found: &Found) -> Option<What> {
        let entry = placed.entry;
        let kind = Kind::of(entry.kind);
        let who = entry.subject;
        let text = || found.text(entry.object).unwrap_or_else(|| "..".to_owned());
        let what = match kind {
            Kind::Spawn => What::Spawn { who },
            Kind::JobSpawn => What::SpawnBlocking { job: who },
            Kind::Known => return None,
            Kind::Run => What::Run { who },
            Kind::Yield => What::Yield { who },
            Kind::Park => self.park(entry, placed.thread),
            Kind::End => What::End {
                who,
                how: Ending::of(entry.object),
            },
            Kind::Wake => What::Wake {
                who,
                operation: operation(entry),
                how: Waking::of(entry.object),
            },
            Kind::Ask => What::Cancel { who },
            Kind::Panic => What::Panic {
                who,
                message: text(),
            },
            Kind::Poll => {
                let took = Duration::from_nanos(entry.at.saturating_sub(entry.subject));
                let began = Duration::from_nanos(placed.at).saturating_sub(took);
                let slept = entry.object != 0;
                return Some(What::Poll { began, slept });
            }
            Kind::JobBegin => What::BlockingBegin { job: who },
            Kind::JobEnd => What::BlockingEnd {
                job: who,
                how: Ending::of(entry.object),
            },
            Kind::Resume | Kind::GeneratorYield | Kind::GeneratorEnd => {
                return Some(self.generator(kind, entry.subject, placed.thread));
            }
            Kind::Mark => return Some(What::Mark { text: text() }),
        };
        self.meet_id(who, placed.thread);
        Some(what)
    }

    fn park(&mut self, entry: &Entry, thread: usize) -> What {
        let Name::Operation(_) = entry.name else {
            return What::Yield { who: entry.subject };
        };
        let on = match entry.object {
            0 => None,
            id if id & JOINED != 0 => {
                self.meet_id(id & !JOINED, thread);
                Some(Awaited::GreenThread(id & !JOINED))
            }
            address => {
                let next = self.objects.len() as u64 + 1;
                Some(Awaited::Object(
                    *self.objects.entry(address).or_insert(next),
                ))
            }
        };
        What::Park {
            who: entry.subject,
            operation: operation(entry),
            on,
        }
    }

    fn generator(&mut self, kind: Kind, link: u64, thread: usize) -> What {
        let known = self.generators.get(&link).copied();
        let generator = known.unwrap_or_else(|| {
            self.generators_met += 1;
            self.generators.insert(link, self.generators_met);
            self.generators_met
        });
        self.meet(Who::Generator(generator), thread, || Card {
            name: Some(format!("generator {generator}")),
            ..Card::default()
        });
        match kind {
            Kind::Resume => What::Resume { generator },
            Kind::GeneratorYield => What::GeneratorYield { generator },
            _ => {
                self.generators.remove(&link);
                What::GeneratorEnd { generator }
            }
        }
    }

    fn meet_id(&mut self, id: u64, thread: usize) {
        let card = self.cards.remove(&id).unwrap_or_default();
        let who = card.kind.unwrap_or(Who::Green)(id);
        let kept = Card {
            kind: Some(match who {
                Who::Root(_) => Who::Root,
                Who::Job(_) => Who::Job,
                _ => Who::Green,
            }),
            ..Card::default()
        };
        self.meet(who, thread, || card);
        self.cards.insert(id, kept);
    }

    fn meet(&mut self, who: Who, os_thread: usize, card: impl FnOnce() -> Card) {
        if self.met.contains_key(&who) {
            return;
        }
        let card = card();
        let name = match who {
            Who::Root(_) if os_thread == 0 => "root".to_owned(),
            Who::Root(_) => format!("root of {}", self.timeline.os_threads[os_thread]),
            who => card.name.unwrap_or_else(|| number_sign(who.number())),
        };
        self.met.insert(who, self.timeline.people.len());
        self.timeline.people.push(Person {
            who,
            name,
            site: card.site,
            os_thread,
        });
    }
}

/// What the OS threads are called. The first is the one that began to record, and has no name, so that what one OS thread does is drawn alike wherever it runs.
fn names_of(found: &[(Owner, Found, u64)]) -> Vec<String> {
    let name = |(index, (owner, _, _)): (usize, &(Owner, Found, u64))| match &owner.thread {
        _ if found.len() == 1 => String::from("OS thread"),
        Some(name) if index > 0 => name.clone(),
        _ => format!("OS thread {}", index + 1),
    };
    found.iter().enumerate().map(name).collect()
}

/// What somebody is called who has no name.
fn number_sign(number: u64) -> String {
    format!("#{number}")
}

fn operation(entry: &Entry) -> &'static str {
    match entry.name {
        Name::Operation(name) => name,
        _ => "wait",
    }
}
