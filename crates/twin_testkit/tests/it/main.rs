//! Integration tests of the test kit: the demo plant as its users see it.

mod plant;
mod site;
mod whatif;
