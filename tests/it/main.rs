//! End to end without Bevy: a copy in files through publisher, session and engine; the window over TLS; the demo site through loader, generator, engine and report, as the gateway and page use them.

mod copy;
mod secure;
mod story;
