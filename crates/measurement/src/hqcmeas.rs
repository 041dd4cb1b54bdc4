//! Old HQCMeas files.
