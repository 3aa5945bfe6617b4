//! Platform entry of the viewer: arguments on the desktop, the address of the page in a browser.

#[cfg(not(target_arch = "wasm32"))]
mod desktop;

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    desktop::main()
}

#[cfg(target_arch = "wasm32")]
fn main() {
    page::main();
}

#[cfg(target_arch = "wasm32")]
mod page {
    use orrery::session::Place;
    use wasm_bindgen::prelude::wasm_bindgen;

    /// Starts the viewer against the server that the page came from, or the folder that it lies in.
    pub(crate) fn main() {
        orrery::platform::install_panic_hook("");
        let origin = || web_sys::window().and_then(|window| window.location().origin().ok()).unwrap_or_default();
        let place = orrery::platform::folder().map_or_else(|| Place::Gateway(origin()), Place::Folder);
        let fragment = orrery::platform::fragment();
        orrery::run(orrery::Start { place, fragment, size: None });
    }

    /// Version of the viewer.
    #[wasm_bindgen]
    pub fn orrery_version() -> String {
        env!("CARGO_PKG_VERSION").to_owned()
    }

    /// What the viewer shows, as JSON.
    #[wasm_bindgen]
    pub fn orrery_state() -> String {
        orrery::hook_state()
    }

    /// The page has another token.
    #[wasm_bindgen]
    pub fn orrery_admitted() {
        orrery::hook_admitted();
    }

    /// Does one thing; see docs/EMBED.md.
    #[wasm_bindgen]
    pub fn orrery_command(command: &str) -> String {
        orrery::hook_command(command)
    }
}
