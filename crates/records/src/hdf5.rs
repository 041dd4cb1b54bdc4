//! HDF5 files that are valid at every moment of their life.
