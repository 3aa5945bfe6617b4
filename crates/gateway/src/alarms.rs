//! `POST /api/alarms/{id}/acknowledge`: a person has seen an alarm. Kept as a sample of the alarm's own signal.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::app::App;
use crate::sources::acknowledgement;

/// Bytes of a body: `by` and little else.
const BODY: usize = 4_096;
/// How long a commit may take before the answer says that nothing is certain.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes an acknowledgement in and answers once it is as safe as anything that was acknowledged to a sender.
///
/// Only bodies that call themselves JSON are taken, also empty ones: a page of somebody else can't send those.
pub(crate) async fn acknowledge(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    if !kind.trim_start().starts_with("application/json") {
        return refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send it with the header content-type: application/json");
    }
    if body.len() > BODY {
        return refused(StatusCode::PAYLOAD_TOO_LARGE, "the body is {\"by\": \"who\"}, or empty");
    }
    let fields = if body.is_empty() { Ok(json!({})) } else { serde_json::from_slice::<Value>(&body) };
    let Some(fields) = fields.ok().filter(Value::is_object) else {
        return refused(StatusCode::BAD_REQUEST, "the body is no JSON object; write {\"by\": \"who\"}, or nothing");
    };
    let (hub, now) = (&app.hub, app.clock.now());
    // Alarms are those that viewers are shown: of the revision in force, until there is one those of the site as it was started
    // with.
    let model = app.publication.model().unwrap_or_else(|| hub.model().clone());
    let (signal, sample) = match acknowledgement(&model, &id, fields.get("by"), now, now) {
        Ok(it) => it,
        Err(error) if model.find_alarm(&id).is_none() => return refused(StatusCode::NOT_FOUND, &error.to_string()),
        Err(error) => return refused(StatusCode::CONFLICT, &error.to_string()),
    };
    // Nothing is in force that has signals which do not run.
    let Some(signal) = hub.model().find_signal(model.signal(signal).id.as_str()) else {
        return refused(StatusCode::CONFLICT, "this alarm takes acknowledgements once the server is started again");
    };
    let answer = json!({ "alarm": id, "by": sample.value.to_string(), "time": now.to_string() });
    let losses = hub.persist().map(crate::history::Persist::losses);
    hub.ingest(&[(signal, sample)]);
    hub.flush();
    let (seq, mut durable) = (hub.seq(), hub.durable());
    match tokio::time::timeout(PATIENCE, durable.wait_for(|safe| *safe >= seq)).await {
        Ok(Ok(_)) if losses.is_none_or(|losses| !losses.has_changed().unwrap_or(true)) => Json(answer).into_response(),
        Ok(Ok(_)) => refused(StatusCode::SERVICE_UNAVAILABLE, "it could not be kept; acknowledge the alarm again"),
        _ => refused(StatusCode::SERVICE_UNAVAILABLE, "it was taken in, but it is not on the disk yet"),
    }
}

fn refused(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}
