//! Who is drawn in which column.

use super::picture::{Picture, State};

/// With more people than this, one who begins after another has ended takes the column of that one.
const OF_THEIR_OWN: usize = 16;

/// The column of each person.
pub(super) struct Columns {
    /// By person.
    of: Vec<usize>,

    /// How many there are.
    count: usize,
}

impl Columns {
    pub(super) fn of(picture: &Picture<'_>) -> Self {
        let people = picture.people.len();
        if people <= OF_THEIR_OWN {
            return Columns {
                of: (0..people).collect(),
                count: people,
            };
        }
        Self::shared(picture)
    }

    /// Gives everybody the leftmost column that is free from the first row to the last in which the person takes part.
    fn shared(picture: &Picture<'_>) -> Self {
        let mut of = vec![usize::MAX; picture.people.len()];
        let mut taken: Vec<bool> = Vec::new();
        for row in &picture.rows {
            for person in row.tie.map(|(other, _)| other).into_iter().chain(row.who) {
                if of[person] == usize::MAX {
                    let free = taken.iter().position(|taken| !taken);
                    of[person] = free.unwrap_or_else(|| {
                        taken.push(true);
                        taken.len() - 1
                    });
                    taken[of[person]] = true;
                }
            }
            if let Some(who) = row.who.filter(|_| row.state == State::Away) {
                taken[of[who]] = false;
            }
        }
        Columns {
            of,
            count: taken.len(),
        }
    }

    /// Where the person is; nowhere, if it takes part in nothing.
    pub(super) fn of_person(&self, person: usize) -> Option<usize> {
        self.of
            .get(person)
            .copied()
            .filter(|column| *column != usize::MAX)
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Whether people share columns, so that names are to be told where they begin.
    pub(super) fn are_shared(&self) -> bool {
        self.count < self.of.len()
    }

    /// The first person of a column.
    pub(super) fn first(&self, column: usize) -> Option<usize> {
        self.of.iter().position(|of| *of == column)
    }
}
