//! Health rules, NE 107 status, freshness and the ISA-18.2 alarm machine.
