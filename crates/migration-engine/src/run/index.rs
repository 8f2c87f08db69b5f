//! Where things are in a plan, found out once: a plan of ten thousand items is walked, never searched for each of them.

use std::collections::{BTreeSet, HashMap};

use crate::{ItemId, Plan, Step, Task, Wave, WaveKind};

/// Where a step stands in its plan.
#[derive(Debug, Clone, Copy)]
struct Position {
    lane: usize,
    wave: usize,
    number: u32,
}

/// What a plan says about each lane and each item.
#[derive(Debug)]
pub(super) struct Index {
    /// The number of the first step of each wave, by lane.
    starts: Vec<Vec<u32>>,
    steps: HashMap<ItemId, Vec<Position>>,
    needed_by: HashMap<ItemId, Vec<ItemId>>,
    /// The items with steps in each lane; the first lane also answers for those without any.
    items: Vec<BTreeSet<ItemId>>,
}

impl Index {
    pub(super) fn of<S: Step>(plan: &Plan<S>) -> Self {
        let mut index = Self {
            starts: Vec::new(),
            steps: HashMap::new(),
            needed_by: HashMap::new(),
            items: vec![BTreeSet::new(); plan.lanes.len()],
        };
        let mut next = 0;
        for (lane, waves) in plan.lanes.iter().enumerate() {
            index.starts.push(Vec::new());
            for (number, wave) in waves.iter().enumerate() {
                index.starts[lane].push(next);
                next = index.take_in(lane, number, wave, next);
            }
        }
        for (id, item) in (0..).map(ItemId).zip(&plan.items) {
            item.needs.iter().for_each(|need| index.needed_by.entry(*need).or_default().push(id));
            if !index.steps.contains_key(&id) {
                index.items.first_mut().map(|first| first.insert(id));
            }
        }
        index
    }

    fn take_in<S>(&mut self, lane: usize, wave: usize, content: &Wave<S>, mut number: u32) -> u32 {
        for task in &content.tasks {
            if let Some(item) = task.item {
                self.items[lane].insert(item);
                self.steps.entry(item).or_default().push(Position { lane, wave, number });
            }
            number = number.checked_add(1).expect("because a plan has fewer than 2^32 steps");
        }
        number
    }

    /// The numbered tasks of a wave.
    pub(super) fn tasks_of<'a, S>(
        &self,
        plan: &'a Plan<S>,
        lane: usize,
        wave: usize,
    ) -> impl DoubleEndedIterator<Item = (u32, &'a Task<S>)> + ExactSizeIterator {
        let start = self.starts[lane][wave];
        let tasks = &plan.lanes[lane][wave].tasks;
        tasks.iter().enumerate().map(move |(at, task)| (start + u32::try_from(at).expect("as counted"), task))
    }

    /// The numbered tasks of these items in one lane, in their order, each with the kind of its wave.
    pub(super) fn steps_of<'a, S>(
        &self,
        plan: &'a Plan<S>,
        lane: usize,
        items: &BTreeSet<ItemId>,
    ) -> Vec<(WaveKind, u32, &'a Task<S>)> {
        let positions = items.iter().filter_map(|item| self.steps.get(item)).flatten();
        let mut steps: Vec<_> = positions
            .filter(|position| position.lane == lane)
            .map(|at| {
                let wave = &plan.lanes[lane][at.wave];
                (wave.kind, at.number, &wave.tasks[(at.number - self.starts[lane][at.wave]) as usize])
            })
            .collect();
        steps.sort_unstable_by_key(|(_, number, _)| *number);
        steps
    }

    /// These items and everything that needs them, directly or not.
    pub(super) fn dependants(&self, items: BTreeSet<ItemId>) -> BTreeSet<ItemId> {
        let mut open: Vec<ItemId> = items.iter().copied().collect();
        let mut lost = items;
        while let Some(item) = open.pop() {
            let dependants = self.needed_by.get(&item).into_iter().flatten();
            open.extend(dependants.copied().filter(|dependant| lost.insert(*dependant)));
        }
        lost
    }

    /// The items that a lane answers for.
    pub(super) fn items_of(&self, lane: usize) -> &BTreeSet<ItemId> {
        &self.items[lane]
    }
}
