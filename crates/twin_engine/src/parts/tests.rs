//! Promises of the colour codes: the same as looking at every part anew, whatever happened before.

use super::*;

#[test]
fn what_was_never_seen_is_faint_until_it_is_selected_and_a_ghost_always() {
    let check = |freshness: Freshness, flags: u8, faint: bool| {
        assert_eq!(is_faint(&texel(Status::Unknown, freshness, None, ViewFlags(flags))), faint, "{freshness:?} {flags}");
    };
    check(Freshness::NeverSeen, 0, true);
    check(Freshness::NeverSeen, ViewFlags::HOVERED, true);
    check(Freshness::NeverSeen, ViewFlags::SELECTED, false);
    check(Freshness::Offline, 0, false);
    check(Freshness::Live, ViewFlags::GHOST, true);
    assert!(!is_faint(&unbound_texel(ViewFlags(0))));
}
