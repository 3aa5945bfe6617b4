#!/usr/bin/env python3
"""Makes the font subsets in this folder. Run by hand when an icon or a character range is added; needs fonttools.

    python3 subset.py INTER_DIR PHOSPHOR_DIR

INTER_DIR holds Inter-Regular.otf and Inter-SemiBold.otf (Debian's package fonts-inter), PHOSPHOR_DIR is the folder of
the npm package @phosphor-icons/web. Digits become the tabular ones, so that numbers do not jump while they change.
Writes Inter-400.otf, Inter-600.otf, Phosphor.ttf and ../../crates/twin_ui/src/icon.rs.
"""

import json
import pathlib
import sys

from fontTools import subset
from fontTools.ttLib import TTFont

HERE = pathlib.Path(__file__).parent
TEXT = (
    [chr(c) for c in range(0x20, 0x7F)]
    + [chr(c) for c in range(0xA0, 0x180)]
    + list("ΔΣΩαβγθλμπρστφω")
    + list("\u2009\u202f‐‑–—‘’‚“”„†•…‰′″‹›⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻₀₁₂₃₄₅₆₇₈₉€™Ω←↑→↓↔−√∞≈≠≤≥⌘⇧")
)
ICONS = """
arrows-out-line-horizontal arrow-clockwise arrow-right arrow-up-right bell bell-ringing broadcast caret-double-right
caret-down caret-left caret-right caret-up caret-up-down chart-line check check-circle circle-notch clock
clock-counter-clockwise cloud-slash copy corners-out crosshair-simple cube database desktop eye file-x flask
funnel-simple gauge hourglass info link magnifying-glass magnifying-glass-minus magnifying-glass-plus moon pause play
plugs-connected push-pin question repeat selection-all sidebar-simple skip-back skip-forward sun trash tree-structure
warning warning-circle wifi-slash x x-circle
""".split()


def save(font, name, unicodes, layout):
    options = subset.Options()
    options.layout_features = layout
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.notdef_outline = True
    options.glyph_names = False
    options.hinting = True
    options.desubroutinize = False
    options.drop_tables += ["GDEF"] if not layout else []
    cut = subset.Subsetter(options)
    cut.populate(unicodes=unicodes)
    cut.subset(font)
    font.save(HERE / name)
    print(name, (HERE / name).stat().st_size)


def tabular(font):
    """Maps the digits to their tabular forms, as the feature `tnum` would."""
    swap = {}
    gsub = font["GSUB"].table
    for record in gsub.FeatureList.FeatureRecord:
        if record.FeatureTag == "tnum":
            for at in record.Feature.LookupListIndex:
                for table in gsub.LookupList.Lookup[at].SubTable:
                    swap.update(getattr(table, "ExtSubTable", table).mapping)
    for table in font["cmap"].tables:
        for code, glyph in list(table.cmap.items()):
            if glyph in swap and chr(code) in "0123456789":
                table.cmap[code] = swap[glyph]
    digits = [font.getBestCmap()[ord(d)] for d in "0123456789"]
    width = max(font["hmtx"][glyph][0] for glyph in digits)  # the 4 of SemiBold is 3 of 2816 units too narrow
    for glyph in digits:
        advance, bearing = font["hmtx"][glyph]
        assert width - advance < 10
        font["hmtx"][glyph] = (width, bearing)


def main():
    inter, phosphor = map(pathlib.Path, sys.argv[1:3])
    for weight, style in ((400, "Regular"), (600, "SemiBold")):
        font = TTFont(inter / f"Inter-{style}.otf")
        tabular(font)
        save(font, f"Inter-{weight}.otf", [ord(c) for c in TEXT], ["kern"])
    selection = json.loads((phosphor / "src/regular/selection.json").read_text())
    codes = {}
    for icon in selection["icons"]:
        for name in icon["properties"]["name"].split(","):
            codes[name.strip()] = icon["properties"]["code"]
    missing = [name for name in ICONS if name not in codes]
    assert not missing, missing
    icons = TTFont(phosphor / "src/regular/Phosphor.ttf")
    for name, (advance, _) in list(icons["hmtx"].metrics.items()):
        # All its bounds begin at 0 as do its bearings, which moves every icon to the left edge of its square.
        glyph = icons["glyf"][name]
        glyph.recalcBounds(icons["glyf"])
        icons["hmtx"][name] = (advance, getattr(glyph, "xMin", 0))
    save(icons, "Phosphor.ttf", [codes[name] for name in ICONS], [])
    lines = ["//! Names of the icons in `assets/fonts/Phosphor.ttf`. Written by `assets/fonts/subset.py`; edit the list there.", ""]
    for name in sorted(set(ICONS)):
        const = name.upper().replace("-", "_")
        lines += [f"/// Phosphor `{name}`.", f'pub(crate) const {const}: char = \'\\u{{{codes[name]:x}}}\';']
    (HERE / "../../crates/twin_ui/src/icon.rs").write_text("\n".join(lines) + "\n")


main()
