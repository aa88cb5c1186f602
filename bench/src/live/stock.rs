//! The service's own schema, log and followers behind async-graphql-axum's stock transport.

use std::sync::Arc;

use async_graphql::futures_util::stream::{BoxStream, StreamExt};
use async_graphql::{Data, Request, Response};
use async_graphql_axum::{GraphQLProtocol, GraphQLWebSocket};
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::StatusCode;
use axum::response::Response as HttpResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use bidarc::auth::{Access, Keys};
use bidarc::clock::Clock;
use bidarc::config::Settings;
use bidarc::feed::Feed;
use bidarc::graphql::{self, Executor, ServiceFacts, VendorFacts, response};
use bidarc::ingest::clocks::ClockWatch;
use bidarc::ingest::hook_tokens::HookTokens;
use bidarc::ingest::record::DedupWindowLengths;
use bidarc::ingest::refusals::Refusals;
use bidarc::ingest::release::Releaser;
use bidarc::ingest::verify::{Hook, Verifier};
use bidarc::ingest::writer::Writer;
use bidarc::ingest::{Ingest, SignatureTolerance};
use bidarc::store::Store;
use bidarc::store::files::FileRecording;
use bidarc::webhooks::Webhooks;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::Failure;

#[derive(Clone)]
struct AppState {
    ingest: Arc<Ingest>,
    executor: Executor,
    access: Access,
}

/// The service's own parts behind the stock transport.
pub(crate) async fn router(database: &str) -> Result<Router, Failure> {
    let mut settings = Settings::defaults()?;
    settings.database.url = database.into();
    let clock = Clock::system();
    let store = Store::open(&settings.database, clock.now()).await?;
    let feed = Feed::new(store.clone());
    let keys = Keys::new(store.clone(), clock.clone(), true).await?;
    let access = keys.authenticate(None).await.map_err(|denied| denied.to_string())?;
    let windows = DedupWindowLengths { state: settings.state_window(), occurrence: settings.occurrence_window() };
    let releaser = Releaser::new(store.clone(), windows, FileRecording::Off, ClockWatch::default());
    let (writer, _) = Writer::start(store.clone(), windows, FileRecording::Off, CancellationToken::new());
    let verifier = Verifier { arcsite_secrets: Vec::new(), arcsite_token: None, bidsketch_token: None, open: true };
    let tolerance = SignatureTolerance { past: settings.state_window(), future: settings.state_window() };
    let webhooks = Webhooks::new(store.clone(), None, None, clock);
    let vendor = VendorFacts { has_proof: false, hook_url: None, has_api: false };
    let facts = ServiceFacts {
        name: None,
        public_url: None,
        time_zone: settings.service.time_zone.clone(),
        default_currency: None,
        arcsite: vendor.clone(),
        bidsketch: vendor,
    };
    let executor =
        graphql::build_executor(store.clone(), feed.clone(), releaser, webhooks, keys, facts, None, &settings);
    tokio::spawn(async move { feed.run().await });
    let state = AppState {
        ingest: Arc::new(Ingest {
            hook_tokens: HookTokens::start(store),
            verifier,
            tolerance,
            writer,
            clocks: ClockWatch::default(),
            refusals: Refusals::default(),
        }),
        executor,
        access,
    };
    Ok(Router::new().route("/webhooks/arcsite", post(hook)).route("/graphql/ws", get(open)).with_state(state))
}

async fn hook(State(state): State<AppState>, body: Bytes) -> Result<Json<Value>, StatusCode> {
    let unavailable = |_| StatusCode::SERVICE_UNAVAILABLE;
    let candidate = state.ingest.judge_head(Hook::Arcsite, None).await.map_err(unavailable)?;
    match state.ingest.accept(candidate.with_body(Vec::new(), body.to_vec(), Clock::system().now())).await {
        Ok(receipt) => Ok(Json(json!({ "outcome": receipt.outcome.as_str() }))),
        Err(_) => Err(StatusCode::SERVICE_UNAVAILABLE),
    }
}

async fn open(State(state): State<AppState>, protocol: GraphQLProtocol, upgrade: WebSocketUpgrade) -> HttpResponse {
    upgrade.protocols(["graphql-transport-ws"]).on_upgrade(move |socket| {
        GraphQLWebSocket::new(socket, StockExecutor(state.executor, state.access), protocol).serve()
    })
}

/// The service's executor as the stock transport calls it.
#[derive(Clone)]
struct StockExecutor(Executor, Access);

impl async_graphql::Executor for StockExecutor {
    async fn execute(&self, request: Request) -> Response {
        library_response(self.0.execute(self.0.read(request), self.1, &self.0.new_budget()).await)
    }

    fn execute_stream(&self, request: Request, _: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        self.0.execute_stream(self.0.read(request), self.1, Data::default()).map(library_response).boxed()
    }
}

fn library_response(response: response::Response) -> Response {
    match response {
        response::Response::Executed { data, errors } => {
            let mut response = Response::new(data);
            response.errors = errors;
            response
        }
        response::Response::Refused(errors) => Response::from_errors(errors),
    }
}
