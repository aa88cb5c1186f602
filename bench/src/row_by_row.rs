//! The usual way: async-graphql over SeaORM's models, one row at a time, with a DataLoader for the children. It stays here as a
//! baseline and is used nowhere else.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::{
    ComplexObject, Context, EmptyMutation, EmptySubscription, Object, Request, Result, Schema, SimpleObject,
};
use axum::extract::State;
use axum::{Json, Router, routing};
use entity::{drawing, project};
use sea_orm::{
    ColumnTrait, ConnectOptions, Database, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::Failure;

type BaselineSchema = Schema<Query, EmptyMutation, EmptySubscription>;

struct Query;

#[Object]
impl Query {
    async fn projects(&self, ctx: &Context<'_>, first: u64) -> Result<Projects> {
        let rows = project::Entity::find()
            .order_by_desc(project::Column::LastEventAt)
            .order_by_desc(project::Column::VendorId)
            .limit(first)
            .all(ctx.data::<DatabaseConnection>()?)
            .await?;
        Ok(Projects { nodes: rows.into_iter().map(Project::from).collect() })
    }
}

#[derive(SimpleObject)]
struct Projects {
    nodes: Vec<Project>,
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
    async fn drawings(&self, ctx: &Context<'_>, first: usize) -> Result<Drawings> {
        let loader = ctx.data::<DataLoader<DrawingsOf>>()?;
        let rows = loader.load_one(self.vendor_id.clone()).await?.unwrap_or_default();
        Ok(Drawings { nodes: rows.into_iter().take(first).map(Drawing::from).collect() })
    }
}

#[derive(SimpleObject)]
struct Drawings {
    nodes: Vec<Drawing>,
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

/// The server over a pool as large as the service's.
pub(crate) async fn router(url: &str) -> std::result::Result<Router, Failure> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(4).min_connections(1).sqlx_logging(false).test_before_acquire(false);
    let database = Database::connect(options).await?;
    let schema = Schema::build(Query, EmptyMutation, EmptySubscription)
        .data(DataLoader::new(DrawingsOf(database.clone()), tokio::spawn))
        .data(database)
        .finish();
    Ok(Router::new().route("/graphql", routing::post(answer)).with_state(schema))
}

async fn answer(State(schema): State<BaselineSchema>, Json(request): Json<Request>) -> Json<async_graphql::Response> {
    Json(schema.execute(request).await)
}
