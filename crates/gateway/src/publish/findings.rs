//! What viewers may see of what is wrong with a site.
//!
//! A finding is written for the people who have the site file in front of them: it repeats paths, values and words of the system.
//! Viewers may be anybody. So only the words of findings about what is published anyway (twins, signals, rules, nodes) go out as
//! they are; of every other one the general meaning of its code.

use twin_publication::{Finding, limits};
use twin_site::check::Finding as Found;
use twin_site::{LoadedSite, codes};

/// Findings whose words are about things that are published: ids, names of nodes, limits.
const IN_FULL: [&str; 22] = [
    codes::SITE_EMPTY,
    codes::ID_DUPLICATE,
    codes::INTERFACE_UNKNOWN,
    codes::INTERFACE_CYCLE,
    codes::TWIN_UNKNOWN,
    codes::TWIN_CYCLE,
    codes::SIGNAL_UNKNOWN,
    codes::SIGNAL_UNFED,
    codes::MODEL_UNKNOWN,
    codes::RULE_INCOMPLETE,
    codes::BANDS_OVERLAP,
    codes::STALE_BEFORE_LATE,
    codes::VALUE_KIND,
    codes::PROCESS_INVALID,
    codes::PROCESS_DUPLICATE,
    codes::EXPRESSION_REFERENCE,
    codes::BINDING_DANGLING,
    codes::BINDING_AMBIGUOUS,
    codes::BINDING_CONFLICT,
    codes::NODE_UNBOUND,
    codes::TWIN_UNBOUND,
    codes::TWIN_INVISIBLE,
];

/// Findings that concern nobody but whoever runs the site.
const NOT_AT_ALL: [&str; 1] = [codes::SECRET_WRITTEN];

/// What is said where a finding's own words stay with the site.
const ELSEWHERE: &str = "whoever runs the site sees the details with `orrery check`";

/// The findings of a manifest as far as its limit reaches: errors, then warnings, then remarks, each in the order of the report.
pub(super) fn public(site: &LoadedSite, found: &[Found]) -> Vec<Finding> {
    let mut shown: Vec<&Found> = found.iter().filter(|finding| !NOT_AT_ALL.contains(&finding.code)).collect();
    let order = ["error", "warning", "info"];
    shown.sort_by_key(|finding| order.iter().position(|severity| *severity == finding.severity));
    shown.into_iter().take(limits::FINDINGS).map(|finding| one(site, finding)).collect()
}

fn one(site: &LoadedSite, found: &Found) -> Finding {
    // An address in the words is never about what is published.
    let address = [&found.message, &found.help, &found.subject].iter().any(|text| text.contains("://"));
    let in_full = IN_FULL.contains(&found.code) && !address;
    let (subject, message, help) = if in_full {
        (found.subject.as_str(), found.message.as_str(), found.help.as_str())
    } else {
        let known = is_published(site, &found.subject);
        (if known { found.subject.as_str() } else { "" }, meaning(found.code), ELSEWHERE)
    };
    Finding {
        severity: found.severity.to_owned(),
        code: found.code.to_owned(),
        subject: cut(subject, limits::NAME_BYTES),
        message: cut(message, limits::FINDING_BYTES),
        help: cut(help, limits::FINDING_BYTES),
        file: cut(below(&found.file), limits::NAME_BYTES),
        line: found.line,
    }
}

/// The general meaning of a code.
fn meaning(code: &str) -> &'static str {
    codes::ALL.iter().find(|(known, _)| *known == code).map_or("Something about the site.", |(_, meaning)| meaning)
}

/// Whether a subject is the id of something that viewers know.
fn is_published(site: &LoadedSite, subject: &str) -> bool {
    let model = &site.model;
    let source = || model.sources().iter().any(|source| source.id == subject);
    let placed = || site.assets.iter().any(|asset| asset.id == subject);
    model.find_twin(subject).is_some() || model.find_signal(subject).is_some() || source() || placed()
}

/// A file in the folder of the site as it is; of one elsewhere its name alone, without the folders above.
fn below(file: &str) -> &str {
    let elsewhere = file.starts_with(['/', '\\', '~']) || file.contains("..") || file.contains(':') || file.contains('$');
    if elsewhere { file.rsplit(['/', '\\']).next().unwrap_or_default() } else { file }
}

/// A text of at most so many bytes.
fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most.saturating_sub('\u{2026}'.len_utf8()));
    format!("{}\u{2026}", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(code: &'static str, message: &str, file: &str) -> Found {
        Found {
            severity: "error",
            code,
            file: file.to_owned(),
            line: 3,
            column: 4,
            subject: "who".to_owned(),
            message: message.to_owned(),
            help: "look at /srv/plant".to_owned(),
        }
    }

    fn site() -> LoadedSite {
        twin_site::load("[site]\nid = \"s\"\n[[twins]]\nid = \"pump\"\n", "site.toml", &mut |_| Err("none".to_owned()))
    }

    #[test]
    fn the_words_about_files_and_values_stay_with_the_site() {
        for code in codes::ALL.iter().map(|(code, _)| *code).filter(|code| !IN_FULL.contains(code)) {
            for finding in public(&site(), &[found(code, "can't open /home/ann/plant.csv", "site.toml")]) {
                assert_eq!((&*finding.message, &*finding.help, &*finding.subject), (meaning(code), ELSEWHERE, ""), "{code}");
            }
        }
        let twin = public(&site(), &[found(codes::TWIN_UNBOUND, "twin 'pump' has no node", "site.toml")]);
        assert_eq!((&*twin[0].message, &*twin[0].subject, twin[0].line), ("twin 'pump' has no node", "who", 3));
        let address = public(&site(), &[found(codes::TWIN_UNKNOWN, "'https://ann:pw@x' is no twin", "site.toml")]);
        assert_eq!(address[0].message, meaning(codes::TWIN_UNKNOWN));
        assert!(
            public(&site(), &[found(codes::SECRET_WRITTEN, "source 'plc' has its token in the site file", "site.toml")])
                .is_empty()
        );
    }

    #[test]
    fn folders_above_the_site_are_not_told() {
        for (file, shown) in [
            ("site.toml", "site.toml"),
            ("import/entities.json", "import/entities.json"),
            ("/home/ann/plant/entities.json", "entities.json"),
            ("../ann/entities.json", "entities.json"),
            ("C:\\plants\\entities.json", "entities.json"),
            ("$SHARED/x/entities.json", "entities.json"),
            ("", ""),
        ] {
            assert_eq!(public(&site(), &[found(codes::TWIN_UNBOUND, "m", file)])[0].file, shown, "{file}");
        }
    }

    #[test]
    fn long_words_are_cut_between_letters() {
        let long = public(&site(), &[found(codes::TWIN_UNBOUND, &"ü".repeat(5_000), "site.toml")]);
        assert!(long[0].message.len() <= limits::FINDING_BYTES && long[0].message.ends_with("ü\u{2026}"));
        let remark = Found { severity: "info", ..found(codes::TWIN_UNBOUND, "m", "f") };
        let mut many = vec![remark; 3_000];
        many.push(found(codes::SITE_EMPTY, "the worst comes last", "f"));
        let shown = public(&site(), &many);
        assert_eq!((shown.len(), &*shown[0].code), (limits::FINDINGS, codes::SITE_EMPTY));
    }
}
