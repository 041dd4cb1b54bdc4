//! The values of a row, from its bytes.

use expr::Value;

use crate::{
    frame::Kind,
    layout::{Cell, Layout, STEP},
    packed::Packed,
    scan::Frame,
};

/// A row as its frame has it.
pub(crate) struct Row<'a> {
    layout: &'a Layout,
    fixed: &'a [u8],
    steps: &'a [u8],
    varying: &'a [u8],
    /// Whether the loop was left with it.
    pub(crate) is_left: bool,
}

impl<'a> Row<'a> {
    /// Nothing if the bytes are not those of a row.
    pub(crate) fn of(frame: &Frame<'a>) -> Option<Row<'a>> {
        let layout: &'a Layout = frame.layout?;
        let (is_left, payload) = match frame.kind {
            Kind::LongRow => (*frame.payload.first()? != 0, &frame.payload[1..]),
            kind => (kind == Kind::LastRow, frame.payload),
        };
        let steps = STEP * layout.files.len();
        let (packed, varying) = payload.split_at_checked(layout.size())?;
        let (fixed, steps) = packed.split_at_checked(packed.len() - steps)?;
        Some(Row {
            layout,
            fixed,
            steps,
            varying,
            is_left,
        })
    }

    /// The values by column; nothing for one that cannot be read.
    pub(crate) fn values(&self) -> impl Iterator<Item = Option<Value>> {
        let (mut fixed, mut varying) = (self.fixed, self.varying);
        self.layout.cells.iter().map(move |cell| {
            if *cell == Cell::Any {
                let (length, rest) = varying.split_at_checked(4)?;
                let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
                let (value, rest) = rest.split_at_checked(length)?;
                varying = rest;
                return Packed::value(value);
            }
            let (value, rest) = fixed.split_at_checked(cell.size())?;
            fixed = rest;
            cell.get(value)
        })
    }

    /// How far data files got in this row: task and step.
    pub(crate) fn steps(&self) -> impl Iterator<Item = (u32, u32)> {
        let steps = self.steps.chunks_exact(STEP);
        let numbers = steps.map(|bytes| u32::from_le_bytes(bytes.try_into().unwrap_or_default()));
        self.layout.files.iter().copied().zip(numbers)
    }
}
