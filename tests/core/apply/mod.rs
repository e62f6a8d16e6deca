//! The apply room against real git: what it lands must be what `git revert` leaves in a twin.

mod edits;
mod faults;
mod guards;
mod kit;
mod landing;
mod large;
mod order;
mod outside;
mod power;
mod races;
mod records;
mod recovery;
mod shapes;
mod sparse;
mod submodules;
mod sweep;
mod tables;
