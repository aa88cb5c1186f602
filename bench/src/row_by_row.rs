//! The usual way: async-graphql over SeaORM's models, one row at a time, with a DataLoader for the
//! children, and the library's Relay connections and limits. It is only a baseline.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::connection::{self, Connection, Edge};
use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::{
    ComplexObject, Context, EmptyMutation, EmptySubscription, Object, Request, Result, Schema, SimpleObject,
};
use axum::extract::State;
use axum::{Json, Router, routing};
use entity::{drawing, project};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, ConnectOptions, Database, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::Failure;

type BaselineSchema = Schema<Query, EmptyMutation, EmptySubscription>;

struct Query;

#[Object]
impl Query {
    async fn projects(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<String, Project>> {
        connection::query(after, before, first, last, async |after: Option<String>, _, first, _| {
            let first = first.unwrap_or(20);
            let mut select = project::Entity::find();
            if let Some(after) = after {
                let (event, id) = after.split_once('/').ok_or("unknown cursor")?;
                let position = Expr::tuple([Expr::val(event.parse::<i64>()?), Expr::val(id)]);
                let columns = [project::Column::LastEventAt, project::Column::VendorId];
                select = select.filter(Expr::tuple(columns.map(Expr::col)).lt(position));
            }
            let mut rows = select
                .order_by_desc(project::Column::LastEventAt)
                .order_by_desc(project::Column::VendorId)
                .limit(first as u64 + 1)
                .all(ctx.data::<DatabaseConnection>()?)
                .await?;
            let mut page = Connection::new(false, rows.len() > first);
            rows.truncate(first);
            let edge =
                |row: project::Model| Edge::new(format!("{}/{}", row.last_event_at, row.vendor_id), Project::from(row));
            page.edges.extend(rows.into_iter().map(edge));
            Ok::<_, async_graphql::Error>(page)
        })
        .await
    }
}

#[derive(SimpleObject)]
#[graphql(complex)]
struct Project {
    id: String,
    name: String,
    job_number: Option<String>,
    #[graphql(skip)]
    vendor_id: String,
}

impl From<project::Model> for Project {
    fn from(row: project::Model) -> Self {
        Self {
            id: format!("project:{}", row.vendor_id),
            name: row.name.unwrap_or_default(),
            job_number: row.job_number,
            vendor_id: row.vendor_id,
        }
    }
}

#[ComplexObject]
impl Project {
    async fn drawings(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<String, Drawing>> {
        connection::query(after, before, first, last, async |after: Option<String>, _, first, _| {
            let first = first.unwrap_or(20);
            let loader = ctx.data::<DataLoader<DrawingsOf>>()?;
            let rows = loader.load_one(self.vendor_id.clone()).await?.unwrap_or_default();
            let mut edges: Vec<_> = rows
                .into_iter()
                .map(|row| Edge::new(format!("{}/{}", row.last_event_at, row.vendor_id), Drawing::from(row)))
                .collect();
            if let Some(after) = after {
                let position = edges.iter().position(|edge| edge.cursor == after).ok_or("unknown cursor")?;
                edges.drain(..=position);
            }
            let mut page = Connection::new(false, edges.len() > first);
            edges.truncate(first);
            page.edges = edges;
            Ok::<_, async_graphql::Error>(page)
        })
        .await
    }
}

#[derive(SimpleObject)]
struct Drawing {
    id: String,
    name: String,
    png_url: Option<String>,
}

impl From<drawing::Model> for Drawing {
    fn from(row: drawing::Model) -> Self {
        Self { id: format!("drawing:{}", row.vendor_id), name: row.name.unwrap_or_default(), png_url: row.png_url }
    }
}

struct DrawingsOf(DatabaseConnection);

impl Loader<String> for DrawingsOf {
    type Value = Vec<drawing::Model>;
    type Error = Arc<DbErr>;

    async fn load(&self, projects: &[String]) -> std::result::Result<HashMap<String, Vec<drawing::Model>>, Arc<DbErr>> {
        let rows = drawing::Entity::find()
            .filter(drawing::Column::ProjectVendorId.is_in(projects))
            .order_by_desc(drawing::Column::LastEventAt)
            .order_by_desc(drawing::Column::VendorId)
            .all(&self.0)
            .await
            .map_err(Arc::new)?;
        let mut by_project: HashMap<String, Vec<drawing::Model>> = HashMap::new();
        for row in rows {
            if let Some(project) = row.project_vendor_id.clone() {
                by_project.entry(project).or_default().push(row);
            }
        }
        Ok(by_project)
    }
}

/// Creates the server, with a pool as large as the service's.
pub(crate) async fn router(url: &str) -> std::result::Result<Router, Failure> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(4).min_connections(1).sqlx_logging(false).test_before_acquire(false);
    let database = Database::connect(options).await?;
    let schema = Schema::build(Query, EmptyMutation, EmptySubscription)
        .data(DataLoader::new(DrawingsOf(database.clone()), tokio::spawn))
        .data(database)
        .limit_depth(20)
        .limit_complexity(20_000)
        .finish();
    Ok(Router::new().route("/graphql", routing::post(answer)).with_state(schema))
}

async fn answer(State(schema): State<BaselineSchema>, Json(request): Json<Request>) -> Json<async_graphql::Response> {
    Json(schema.execute(request).await)
}
