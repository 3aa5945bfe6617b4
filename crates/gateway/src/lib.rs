//! The orrery command: server, sources, embedded historian and headless tools.
