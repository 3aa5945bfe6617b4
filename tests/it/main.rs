//! End to end without Bevy: the demo site through loader, generator, engine and report, as the gateway and page use them.

mod story;
