//! The keyboard shortcuts, as the help sheet lists them; `keys` carries them out.

/// Keys and what they do, for the help sheet: group, keys, words.
pub(crate) const SHORTCUTS: &[(&str, &[(&str, &str)])] = &[
    (
        "Time",
        &[
            ("Space", "Play or pause"),
            ("← →", "Step to the previous or next sample"),
            ("Ctrl ← →", "Step to the previous or next event"),
            ("K", "As it was, or as it was known then"),
            ("J", "By the site of then, or by today's"),
            ("Home", "Go to the start of the visible time"),
            ("End", "Return to live"),
            ("Wheel", "Zoom the time bar about the pointer"),
            ("Shift drag", "Select a range to repeat"),
            ("Double-click", "Fit all time, on the time bar"),
        ],
    ),
    (
        "Plant",
        &[
            ("Drag", "Orbit; right button or two fingers pan"),
            ("F", "Fly to the selection"),
            ("I", "Show only the selection"),
            ("H", "Show the whole site"),
            ("Esc", "Clear the search, then the selection"),
        ],
    ),
    (
        "Panels",
        &[
            ("/", "Search"),
            ("A", "Alarms"),
            ("C", "Chart"),
            ("W", "What-if"),
            ("T", "Dark or light"),
            ("F3", "Performance figures"),
            ("?", "This help"),
        ],
    ),
];
