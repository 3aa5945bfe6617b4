//! The page: callbacks of the browser, the address bar, local storage, and the panels of `web/boot.js`.

mod fetch;
mod socket;

use twin_model::{Secret, Timestamp};
use wasm_bindgen::prelude::wasm_bindgen;

pub use fetch::Fetch;
pub use socket::Socket;

#[wasm_bindgen]
extern "C" {
    // Set up by web/boot.js before the module starts.
    #[wasm_bindgen(js_namespace = __orrery)]
    fn ready();
    #[wasm_bindgen(js_namespace = __orrery, js_name = progress)]
    fn show_progress(words: &str, share: f32, detail: &str);
    #[wasm_bindgen(js_namespace = __orrery, js_name = early)]
    fn page_early(url: &str) -> Option<js_sys::Promise>;
    #[wasm_bindgen(js_namespace = __orrery)]
    fn panic(message: &str);
    #[wasm_bindgen(js_namespace = __orrery)]
    fn graphics(message: &str);
    #[wasm_bindgen(js_namespace = __orrery, js_name = token)]
    fn page_token() -> Option<String>;
    #[wasm_bindgen(js_namespace = __orrery, js_name = shutOut)]
    fn open_door();
    #[wasm_bindgen(js_namespace = __orrery, js_name = folder)]
    fn page_folder() -> Option<String>;
}

/// The token that the person or the address gave, for gateways that ask.
pub(super) fn token() -> Option<Secret> {
    page_token().map(Secret::new)
}

/// The folder that the page lies in, where a publication lies beside it.
pub(super) fn folder() -> Option<String> {
    page_folder()
}

/// A page can't send headers with a WebSocket: its token goes into the greeting.
pub(super) fn greeting_token() -> Option<Secret> {
    token()
}

/// The page asks for another token, and says when it has one (`orrery_admitted`).
pub(super) fn shut_out() -> bool {
    open_door();
    true
}

pub(super) fn now() -> Timestamp {
    Timestamp::from_micros((js_sys::Date::now() * 1e3) as i64)
}

pub(super) fn monotonic() -> f64 {
    web_sys::window().and_then(|window| window.performance()).map_or(0.0, |clock| clock.now() / 1e3)
}

pub(super) fn fragment() -> String {
    web_sys::window().and_then(|window| window.location().hash().ok()).unwrap_or_default().trim_start_matches('#').to_owned()
}

pub(super) fn set_fragment(fragment: &str) {
    let Some(window) = web_sys::window() else { return };
    let hash = format!("#{fragment}");
    if window.location().hash().is_ok_and(|now| now == hash) {
        return;
    }
    if let Ok(history) = window.history() {
        // A sandboxed frame may forbid it; then the address simply stays.
        let _kept = history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(&hash));
    }
}

pub(super) fn link_with(fragment: &str) -> String {
    let href = web_sys::window().and_then(|window| window.location().href().ok()).unwrap_or_default();
    format!("{}#{fragment}", href.split('#').next().unwrap_or_default())
}

fn storage() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok()?
}

pub(super) fn load_setting(key: &str) -> Option<String> {
    storage()?.get_item(&format!("orrery.{key}")).ok()?
}

pub(super) fn store_setting(key: &str, value: &str) {
    if let Some(storage) = storage() {
        let _kept = storage.set_item(&format!("orrery.{key}"), value);
    }
}

fn matches(query: &str) -> bool {
    web_sys::window().and_then(|window| window.match_media(query).ok()?).is_some_and(|list| list.matches())
}

pub(super) fn prefers_light() -> bool {
    matches("(prefers-color-scheme: light)")
}

pub(super) fn prefers_reduced_motion() -> bool {
    matches("(prefers-reduced-motion: reduce)")
}

/// The page's cover is part of `index.html`.
pub(super) const HAS_COVER: bool = true;

pub(super) fn progress(words: &str, share: f32, detail: &str) {
    show_progress(words, share, detail);
}

/// The answer to a request that the page made before the module was there, once.
fn early(url: &str) -> Option<js_sys::Promise> {
    page_early(url)
}

pub(super) fn announce_ready() {
    ready();
}

pub(super) fn graphics_failed(message: &str) {
    graphics(message);
}

pub(super) fn reload() {
    if let Some(window) = web_sys::window() {
        let _unloading = window.location().reload();
    }
}

pub(super) fn install_panic_hook(_instead: &str) {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        panic(&info.to_string());
    }));
}
