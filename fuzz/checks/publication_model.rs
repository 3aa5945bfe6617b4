//! What must hold of any bytes as a model of a publication. Used by the fuzzer, and by the tests over the kept corpus.

use twin_model::{KnobTarget, Model};
use twin_publication::ViewerModel;

/// Refused in words; or every position points at something, and what is read is written to the same bytes again and again.
pub(crate) fn check(bytes: &[u8]) {
    let viewer = match ViewerModel::read(bytes) {
        Err(error) => return assert!((1..2_000).contains(&error.to_string().len()), "{error}"),
        Ok(viewer) => viewer,
    };
    points_inside(&viewer.model);
    let (twins, signals) = (viewer.model.twins().len(), viewer.model.signals().len());
    assert!(viewer.view.chart.iter().all(|signal| signal.at() < signals));
    let shown =
        viewer.view.select.iter().chain(&viewer.no_geometry).chain(viewer.anchors.iter().filter_map(|it| it.twin.as_ref()));
    assert!(shown.into_iter().all(|twin| twin.at() < twins));
    // Bytes are compared, not models: a limit that is NaN equals nothing, itself included.
    let written = viewer.write().expect("what is read can be written");
    let again = ViewerModel::read(&written).expect("and read again");
    assert_eq!(again.write().expect("and written again"), written);
    assert_eq!(again.model.signals().len(), signals);
}

fn points_inside(model: &Model) {
    for twin in model.twins() {
        assert!(twin.parent.is_none_or(|parent| parent.at() < model.twins().len()));
    }
    for rule in model.rules() {
        assert!(model.twin(rule.twin).rules.iter().any(|at| std::ptr::eq(model.rule(*at), rule)));
        assert!(rule.signal.at() < model.signals().len());
    }
    for alarm in model.alarms() {
        assert!(alarm.twin.at() < model.twins().len() && alarm.signal.at() < model.signals().len());
    }
    for process in model.processes() {
        assert!(process.signal.at() < model.signals().len() && process.clamp.is_none_or(|(low, high)| low <= high));
    }
    for knob in model.knobs() {
        assert!(knob.min < knob.max && (knob.min..=knob.max).contains(&knob.neutral));
        for target in &knob.targets {
            let (KnobTarget::Scale(signal) | KnobTarget::Offset(signal) | KnobTarget::Set(signal)) = target else { continue };
            assert!(signal.at() < model.signals().len());
        }
    }
}
