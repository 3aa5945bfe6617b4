//! Stream protocol v1: frames, codec, handshake and limits.
