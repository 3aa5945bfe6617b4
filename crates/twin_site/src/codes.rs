//! The stable codes of findings. Machine output and scripts rely on them: a code is never renamed or given a new meaning.

macro_rules! codes {
    ($($name:ident = $code:literal, $meaning:literal;)*) => {
        $(#[doc = $meaning] pub const $name: &str = $code;)*

        /// Every code with its meaning, in the order of `docs/SITE.md`.
        pub const ALL: &[(&str, &str)] = &[$(($code, $meaning)),*];
    };
}

codes! {
    FILE_TOO_LARGE = "file.too_large", "A file is larger than the loader accepts.";
    FILE_UNREADABLE = "file.unreadable", "A file that the site file names cannot be read.";
    FILE_INVALID = "file.invalid", "A file was read, but its content is not what it should be.";
    TOML_SYNTAX = "toml.syntax", "The text is not valid TOML.";
    KEY_UNKNOWN = "key.unknown", "A key that the site file does not have.";
    KEY_MISSING = "key.missing", "A required key is absent.";
    VALUE_INVALID = "value.invalid", "A value has the wrong type or is out of range.";
    KEY_UNUSED = "key.unused", "A key that has no effect where it stands.";
    TOO_MANY = "limit.exceeded", "More of something than the loader accepts.";
    SITE_EMPTY = "site.empty", "The site has neither twins nor models.";
    ID_DUPLICATE = "id.duplicate", "An id is used twice.";
    INTERFACE_UNKNOWN = "interface.unknown", "An interface is named that is not defined.";
    INTERFACE_CYCLE = "interface.cycle", "Interfaces extend each other in a circle.";
    TWIN_UNKNOWN = "twin.unknown", "A twin is named that does not exist.";
    TWIN_CYCLE = "twin.cycle", "A twin is contained in itself.";
    SIGNAL_UNKNOWN = "signal.unknown", "A signal is named that does not exist.";
    SIGNAL_UNFED = "signal.unfed", "Several sources exist and none is named for a signal.";
    SOURCE_UNKNOWN = "source.unknown", "A source is named that does not exist.";
    SOURCE_SHARED = "source.shared", "Several sources feed one signal; all are read.";
    ZONE_MISSING = "zone.missing", "Times have no offset, and nobody says which zone they are in.";
    TABLE_INVALID = "table.invalid", "The table of a source is not what it is declared to be; the other sources run.";
    TABLE_ODD = "table.odd", "Something in the table of a source cannot be used.";
    TABLE_NOTE = "table.note", "A remark about the table of a source from its reader.";
    MODEL_UNKNOWN = "model.unknown", "A model is named that does not exist.";
    PLACEHOLDER_UNKNOWN = "placeholder.unknown", "A placeholder such as {twin} has no value for this twin.";
    RULE_INCOMPLETE = "rule.incomplete", "A rule, alarm, process or knob lacks what its kind needs.";
    BANDS_OVERLAP = "bands.overlap", "Bands of a rule overlap, or one hides another.";
    STALE_BEFORE_LATE = "stale.before_late", "A signal is stale before it is late.";
    VALUE_KIND = "value.kind", "A value can never equal a value of its signal.";
    PROCESS_INVALID = "process.invalid", "A process model that no what-if run can compute.";
    PROCESS_DUPLICATE = "process.duplicate", "A signal has two process models.";
    EXPRESSION_REFERENCE = "expression.reference", "An expression mentions a signal that does not exist.";
    EXPRESSION_INVALID = "expression.invalid", "The expression of a computed signal cannot be computed.";
    EXPRESSION_BOUNDS = "expression.bounds", "A clamp in an expression whose bounds are crossed: it gives one value always.";
    EXPRESSION_UNIT = "expression.unit", "The units in an expression do not fit each other, or not the signal.";
    EXPRESSION_CYCLE = "expression.cycle", "A computed signal follows from itself.";
    COMPUTED_FED = "computed.fed", "Something feeds or drives a computed signal, which takes nothing.";
    BINDING_INVALID = "binding.invalid", "A binding cannot be understood.";
    BINDING_DANGLING = "binding.dangling", "A binding matches no node of any model.";
    BINDING_AMBIGUOUS = "binding.ambiguous", "A binding matches several nodes where it may match one; none is bound.";
    BINDING_CONFLICT = "binding.conflict", "Two twins claim one node with equal right; it is not bound.";
    BINDING_OUTDATED = "binding.outdated", "Keys of one binding disagree; the majority won.";
    MODEL_UNREADABLE = "model.unreadable", "A model file is missing or broken; the rest of the site works.";
    MODEL_NOTE = "model.note", "A remark about a model file from its reader.";
    MODEL_INEXACT = "model.inexact", "Something of a model is not shown as its file says: missing, elsewhere or of another shape.";
    NODE_UNBOUND = "node.unbound", "A node with geometry belongs to no twin.";
    TWIN_UNBOUND = "twin.unbound", "A twin has no node in any model.";
    TWIN_INVISIBLE = "twin.invisible", "A twin has nodes, but nothing of them or below them can be seen.";
    SECRET_WRITTEN = "secret.written", "A secret stands in the site file itself.";
    SECRET_READABLE = "secret.readable", "Others on this machine may read the file of a secret.";
    IMPORT_SKIPPED = "import.skipped", "An import could not carry something over.";
}

#[cfg(test)]
mod tests {
    use super::ALL;

    #[test]
    fn codes_are_distinct_and_spelt_alike() {
        for (at, (code, meaning)) in ALL.iter().enumerate() {
            assert!(ALL[..at].iter().all(|(other, _)| other != code), "{code}");
            assert!(code.bytes().all(|b| b.is_ascii_lowercase() || b == b'.' || b == b'_'), "{code}");
            assert!(meaning.ends_with('.'), "{code}");
        }
    }
}
