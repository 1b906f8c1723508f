//! Starting, stopping, being killed, and refusing to start.

mod first_start;
mod interrupted;
mod refused;
mod restarts;
mod side_by_side;
