//! The B-tree that finds the chunks of a dataset, which grows at its end only.
//!
//! Readers may look at any moment. A node is written whole before anything points to it; an entry of a node is written
//! behind those in use before their number says that it is there; and when the tree needs another level, one pointer
//! is exchanged for that of a new root over the old one.
//!
//! ```text
//! node:  TREE type level used | left right | key 0 | child 0 | key 1 | child 1 | … | key 64
//! ```
//!
//! A child holds what lies between the keys at its sides. The key behind the last child of the last node is behind
//! everything, so that it need not change when the tree grows below it.

use super::{grid::Grid, message::UNDEFINED};

/// Half of the entries of a node: the default of the library, which the superblock repeats.
pub(crate) const HALF: usize = 32;

const ENTRIES: usize = 2 * HALF;

/// Bytes before the first key, and where the number of entries and the right neighbour stand.
const PREFIX: u64 = 24;
const USED: u64 = 6;
const RIGHT: u64 = 16;

/// A chunk in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) address: u64,
    pub(crate) bytes: u32,
    /// One bit for each filter that was left out.
    pub(crate) unfiltered: u32,
}

/// The chunks of a dataset in C order, and the nodes over them.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    chunks: Vec<Chunk>,
    /// Addresses of the nodes, the leaves first, the root last.
    levels: Vec<Vec<u64>>,
}

/// What must be written, in this order, when a tree has grown.
#[derive(Debug, Default)]
pub(crate) struct Growth {
    pub(crate) writes: Vec<(u64, Vec<u8>)>,
    /// The root is another one now.
    pub(crate) root: Option<u64>,
}

impl Tree {
    /// Without chunks; a place for the first leaf is had from `allocate`.
    pub(crate) fn new(grid: &Grid, allocate: &mut dyn FnMut(u64) -> u64) -> Self {
        Self {
            chunks: Vec::new(),
            levels: vec![vec![allocate(node_bytes(grid))]],
        }
    }

    pub(crate) fn chunks(&self) -> &[Chunk] {
        &self.chunks
    }

    /// What is in one piece and has no tree: nothing is added to it.
    pub(crate) fn whole(piece: Chunk) -> Self {
        Self {
            chunks: vec![piece],
            levels: Vec::new(),
        }
    }

    /// What the head points to.
    pub(crate) fn root(&self) -> u64 {
        match self.levels.last().and_then(|level| level.first()) {
            Some(root) => *root,
            None => self.chunks.first().expect("without a tree there is one piece").address,
        }
    }

    /// Adds the next chunk, whose bytes are written.
    pub(crate) fn push(&mut self, grid: &Grid, chunk: Chunk, allocate: &mut dyn FnMut(u64) -> u64) -> Growth {
        let mut new = Vec::new();
        let mut growth = Growth::default();
        let mut position = self.chunks.len();
        self.chunks.push(chunk);
        // From the leaf upwards to a node that has room, with a new node wherever the one before is full.
        let mut grown = None;
        for level in 0.. {
            let node = position / ENTRIES;
            if level == self.levels.len() {
                self.levels.push(vec![allocate(node_bytes(grid))]);
                new.push((level, 0));
                growth.root = Some(self.root());
                break;
            }
            if node < self.levels[level].len() {
                grown = Some((level, node, position % ENTRIES));
                break;
            }
            self.levels[level].push(allocate(node_bytes(grid)));
            new.push((level, node));
            position = node;
        }

        for &(level, node) in &new {
            growth
                .writes
                .push((self.levels[level][node], self.node(grid, level, node)));
        }
        for &(level, node) in new.iter().filter(|(_, node)| *node > 0) {
            let (before, address) = (self.levels[level][node - 1], self.levels[level][node]);
            growth.writes.push((before + RIGHT, address.to_le_bytes().to_vec()));
        }
        if let Some((level, node, slot)) = grown {
            let address = self.levels[level][node];
            let mut entry = self.key(grid, level, node * ENTRIES + slot);
            entry.extend(self.child(level, node * ENTRIES + slot).to_le_bytes());
            entry.extend(self.key_beyond(grid));
            growth
                .writes
                .push((address + PREFIX + slot as u64 * (key_bytes(grid) + 8), entry));
            growth
                .writes
                .push((address + USED, (slot as u16 + 1).to_le_bytes().to_vec()));
        }
        growth
    }

    /// The last node of every level with its address: all that differs from a longer tree of the same chunks.
    pub(crate) fn edge(&self, grid: &Grid) -> Vec<(u64, Vec<u8>)> {
        (0..self.levels.len())
            .map(|level| {
                let node = self.levels[level].len() - 1;
                (self.levels[level][node], self.node(grid, level, node))
            })
            .collect()
    }

    /// Every node with its address.
    pub(crate) fn nodes(&self, grid: &Grid) -> Vec<(u64, Vec<u8>)> {
        let all = self.levels.iter().enumerate();
        all.flat_map(|(level, nodes)| {
            nodes
                .iter()
                .enumerate()
                .map(move |(node, address)| (*address, self.node(grid, level, node)))
        })
        .collect()
    }

    /// The bytes of a node.
    fn node(&self, grid: &Grid, level: usize, node: usize) -> Vec<u8> {
        let children = if level == 0 {
            self.chunks.len()
        } else {
            self.levels[level - 1].len()
        };
        let (first, end) = (node * ENTRIES, children.min((node + 1) * ENTRIES));
        let neighbour = |at: Option<usize>| {
            at.and_then(|at| self.levels[level].get(at))
                .copied()
                .unwrap_or(UNDEFINED)
        };

        let mut bytes = b"TREE\x01".to_vec();
        bytes.push(level as u8);
        bytes.extend((end.saturating_sub(first) as u16).to_le_bytes());
        bytes.extend(neighbour(node.checked_sub(1)).to_le_bytes());
        bytes.extend(neighbour(Some(node + 1)).to_le_bytes());
        for position in first..end {
            bytes.extend(self.key(grid, level, position));
            bytes.extend(self.child(level, position).to_le_bytes());
        }
        if first < end {
            bytes.extend(self.key_beyond(grid));
        }
        bytes.resize(node_bytes(grid) as usize, 0);
        bytes
    }

    fn child(&self, level: usize, position: usize) -> u64 {
        if level == 0 {
            self.chunks[position].address
        } else {
            self.levels[level - 1][position]
        }
    }

    /// The key before a child: that of the first chunk below it.
    fn key(&self, grid: &Grid, level: usize, position: usize) -> Vec<u8> {
        let chunk = position * ENTRIES.pow(level as u32);
        key(self.chunks[chunk], &grid.corner(chunk as u64))
    }

    fn key_beyond(&self, grid: &Grid) -> Vec<u8> {
        key(
            Chunk {
                address: 0,
                bytes: 0,
                unfiltered: 0,
            },
            &grid.beyond(),
        )
    }
}

fn key(chunk: Chunk, corner: &[u64]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(16 + corner.len() * 8);
    bytes.extend(chunk.bytes.to_le_bytes());
    bytes.extend(chunk.unfiltered.to_le_bytes());
    // The last coordinate is that of a byte in the element: always the first one.
    for along in corner.iter().chain([&0]) {
        bytes.extend(along.to_le_bytes());
    }
    bytes
}

fn key_bytes(grid: &Grid) -> u64 {
    16 + grid.shape().len() as u64 * 8
}

fn node_bytes(grid: &Grid) -> u64 {
    PREFIX + ENTRIES as u64 * (key_bytes(grid) + 8) + key_bytes(grid)
}
