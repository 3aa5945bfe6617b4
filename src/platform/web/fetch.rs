//! Downloads with a count of the bytes that have come.

use std::cell::RefCell;
use std::rc::Rc;

use gloo_net::http::{Request, Response};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::ReadableStreamDefaultReader;

use super::super::{FetchState, Refusal, Waker};

/// One download.
pub struct Fetch {
    state: Rc<RefCell<FetchState>>,
}

impl Fetch {
    /// Starts downloading.
    pub fn start(url: &str, waker: Waker) -> Self {
        Self::begin(url, false, waker)
    }

    /// Sends an empty JSON object; what comes is the answer.
    pub fn post(url: &str, waker: Waker) -> Self {
        Self::begin(url, true, waker)
    }

    fn begin(url: &str, post: bool, waker: Waker) -> Self {
        let state = Rc::new(RefCell::new(FetchState::Running { seen: 0, total: None }));
        let (shared, url) = (state.clone(), url.to_owned());
        spawn_local(async move {
            let outcome = download(&url, post, &shared, &waker).await;
            *shared.borrow_mut() = match outcome {
                Err(Refusal::Failed(why)) => FetchState::Failed(format!("{why} ({url})")),
                outcome => outcome.into(),
            };
            waker();
        });
        Self { state }
    }

    /// Where it stands; a finished body is handed out once.
    pub fn poll(&self) -> FetchState {
        let mut state = self.state.borrow_mut();
        match &*state {
            FetchState::Running { .. } | FetchState::Taken => state.clone(),
            FetchState::Done(_) | FetchState::Failed(_) | FetchState::Later(_) => {
                std::mem::replace(&mut *state, FetchState::Taken)
            }
        }
    }
}

fn words(error: &JsValue) -> String {
    error.dyn_ref::<js_sys::Error>().map_or_else(|| format!("{error:?}"), |error| String::from(error.message()))
}

fn failed(error: &JsValue) -> Refusal {
    Refusal::Failed(words(error))
}

async fn send(url: &str, post: bool) -> Result<Response, String> {
    let mut request = if post { Request::post(url) } else { Request::get(url) };
    if let Some(token) = super::token() {
        request = request.header("Authorization", &format!("Bearer {}", token.expose()));
    }
    let request = if post { request.header("content-type", "application/json").body("{}") } else { request.build() };
    request.map_err(|error| error.to_string())?.send().await.map_err(|error| error.to_string())
}

async fn download(url: &str, post: bool, shared: &Rc<RefCell<FetchState>>, waker: &Waker) -> Result<Vec<u8>, Refusal> {
    let response = match (!post).then(|| super::early(url)).flatten() {
        Some(asked) => {
            let response = JsFuture::from(asked).await.map_err(|error| failed(&error))?;
            Response::from(response.dyn_into::<web_sys::Response>().map_err(|error| failed(&error))?)
        }
        None => send(url, post).await.map_err(Refusal::Failed)?,
    };
    if matches!(response.status(), 401 | 403) {
        // The gateway's own words say what is missing; a reload asks for another token.
        let words: String = response.text().await.unwrap_or_default().trim().chars().take(300).collect();
        return Err(Refusal::Failed(format!("the server does not let us in: {words}")));
    }
    if response.status() == 503
        && let Some(later) = Refusal::busy(response.headers().get("retry-after").as_deref())
    {
        return Err(later);
    }
    if !response.ok() {
        return Err(Refusal::Failed(format!("the server answered {} {}", response.status(), response.status_text())));
    }
    // The length of a compressed body says nothing about the bytes that come out; the gateway sends the real one beside it.
    let number = |name: &str| response.headers().get(name).and_then(|text| text.parse::<u64>().ok());
    let compressed = response.headers().get("content-encoding").is_some();
    let total = number("x-uncompressed-length").or_else(|| if compressed { None } else { number("content-length") });
    let Some(body) = response.body() else {
        return response.binary().await.map_err(|error| Refusal::Failed(error.to_string()));
    };
    let reader: ReadableStreamDefaultReader = body.get_reader().dyn_into().map_err(|error| failed(&error))?;
    let mut bytes = Vec::with_capacity(total.unwrap_or(0).min(64 * 1024 * 1024) as usize);
    loop {
        // Nobody else holds the state any more: the answer is not wanted.
        if Rc::strong_count(shared) == 1 {
            JsFuture::from(reader.cancel()).await.ok();
            return Err(Refusal::Failed("given up".to_owned()));
        }
        let step = JsFuture::from(reader.read()).await.map_err(|error| failed(&error))?;
        let field = |name: &str| js_sys::Reflect::get(&step, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED);
        if field("done").is_truthy() {
            return Ok(bytes);
        }
        let part: js_sys::Uint8Array = field("value").dyn_into().map_err(|error| failed(&error))?;
        let at = bytes.len();
        bytes.resize(at + part.length() as usize, 0);
        part.copy_to(&mut bytes[at..]);
        *shared.borrow_mut() = FetchState::Running { seen: bytes.len() as u64, total };
        waker();
    }
}
