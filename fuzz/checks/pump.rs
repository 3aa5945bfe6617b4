//! A plant of one pump with a signal of each kind of value. Used by checks of what becomes samples.

use twin_model::Model;

const SITE: &str = r#"
[site]
id = "t"
name = "Pump"

[[interfaces]]
id = "pump"
[[interfaces.signals]]
name = "flow"
unit = "l/min"
[[interfaces.signals]]
name = "starts"
value = "int"
[[interfaces.signals]]
name = "running"
value = "bool"
[[interfaces.signals]]
name = "mode"
value = "text"
"#;

const TWIN: &str = r#"
[[twins]]
id = "p"
interface = "pump"
bind = false
"#;

/// The plant as a model; `interface` is more of the pump's interface, `site` more of the site file.
pub(crate) fn model(interface: &str, site: &str) -> Model {
    let text = [SITE, interface, TWIN, site].concat();
    let loaded = twin_site::load_bytes(text.as_bytes(), "site.toml", &mut |_| Err("nothing".to_owned()));
    assert!(loaded.usable && loaded.model.signals().len() >= 4, "{:?}", loaded.diagnostics);
    loaded.model
}
