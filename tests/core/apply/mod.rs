//! The apply room against real git: what it lands must be what `git revert` leaves in a twin.

mod edits;
mod faults;
mod guards;
mod kit;
mod landing;
mod power;
mod recovery;
mod shapes;
mod sweep;
