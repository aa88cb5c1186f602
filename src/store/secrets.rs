//! The secrets that all nodes share.

use entity::secret::{ActiveModel, Entity, Model};
use sea_orm::{ConnectionTrait, EntityTrait};

use super::{Store, StoreError};

/// The secret of this name. If there is none yet, it becomes the one given, for all nodes.
///
/// # Errors
///
/// If the database cannot be read, or cannot be written while there is none yet.
pub async fn get_or_insert(store: &Store, name: &str, new: String) -> Result<String, StoreError> {
    if let Some(value) = find(store.reserved_reader(), name).await? {
        return Ok(value);
    }
    // All nodes take this lock, so one of them makes the secret and the others find it.
    let tx = store.begin().await?;
    if let Some(value) = find(&tx, name).await? {
        return Ok(value);
    }
    let row = Model { name: name.to_owned(), value: new.clone() };
    Entity::insert(ActiveModel::from(row)).exec_without_returning(&tx).await?;
    store.commit(tx, None).await?;
    Ok(new)
}

async fn find<C: ConnectionTrait>(db: &C, name: &str) -> Result<Option<String>, StoreError> {
    Ok(Entity::find_by_id(name).one(db).await?.map(|secret| secret.value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn secret_is_made_once() {
        let (_directory, store) = Store::for_test().await;
        let made = futures_util::future::join_all(
            (0..8).map(|number| get_or_insert(&store, "files", format!("secret {number}"))),
        );
        let secrets: Vec<String> = made.await.into_iter().map(Result::unwrap).collect();
        assert!(secrets.iter().all(|secret| *secret == secrets[0]), "{secrets:?}");
        assert_eq!(get_or_insert(&store, "files", "late".to_owned()).await.unwrap(), secrets[0]);
        assert_eq!(get_or_insert(&store, "others", "other".to_owned()).await.unwrap(), "other");
    }
}
