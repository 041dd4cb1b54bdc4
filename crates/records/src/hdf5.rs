//! HDF5 files: one that is valid at every moment while a run fills it, one written whole, and back into numbers.
//!
//! Everything is written in the oldest format of HDF5 (superblock 0, object headers 1, chunks found by a B-tree 1). It
//! has no checksums, so that what is on disk can be changed in place by single small stores, each of which leads from a
//! valid file to a valid file; and there is nothing that cannot read it. Newer formats guard each piece of metadata by a
//! checksum, which cannot change in the same instant as what it guards.
//!
//! ```text
//! dataset → message → head         what a file says about its datasets: all of it stands before the data
//!           grid → tree            where the chunks of a dataset are
//!                    live → finish a file that grows        export   a file written whole        read   any file
//! ```
//!
//! Deliberately absent: virtual and external datasets, filters other than deflate, everything that changes the shape of
//! a file after it was made.

mod dataset;
mod number;

mod grid;
mod heap;
mod message;
mod tree;

mod head;
mod plan;

mod aside;
mod finish;
mod live;

mod export;
mod read;

pub use dataset::{Attribute, Dataset, Element, Layout, Rows};
pub use export::{Data, Existing, File, Variable, write};
pub use live::{Error, Live};
pub use number::Cells;
pub use read::{Array, Contents, Numbers, Unreadable, read};
