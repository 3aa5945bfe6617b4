//! The number that tells one file of history from others, so that a log which is put beside it can be told from its own (see
//! `wal::mine`): in the place that SQLite has for numbers of applications, which is in the header and in every image of the first page.

use std::fs::File;

use rusqlite::Connection;

use super::guard;
use super::sqlite::SqliteHistorian;

/// Gives a file a number, never 0, also where it has one: a log of what it was copied from does not belong to it.
///
/// # Errors
/// Where it cannot be written.
pub(super) fn give_another(connection: &Connection) -> rusqlite::Result<()> {
    let number: i64 = connection.query_row("SELECT 1 + abs(random() % 2147483646)", [], |row| row.get(0))?;
    put(connection, number)
}

fn of(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA application_id", [], |row| row.get(0))
}

/// The same number once more puts the first page into the log, too.
fn put(connection: &Connection, number: i64) -> rusqlite::Result<()> {
    connection.pragma_update(None, "application_id", number)
}

impl SqliteHistorian {
    /// Gives the file a number where it has none, and folds that in.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(super) fn give_identity(&self) -> rusqlite::Result<()> {
        if of(&self.connection)? != 0 {
            return Ok(());
        }
        give_another(&self.connection)?;
        self.fold_log()
    }

    /// From here on the log has what is written last, and says whose it is: the lock file tells of it until this is closed in order.
    /// Where the disk refuses, the folder is as safe as it was.
    pub(super) fn sign(&mut self, lock: &File) {
        let number = of(&self.connection).and_then(|number| put(&self.connection, number).map(|()| number));
        if let (Ok(number), Ok(mut lock)) = (number, lock.try_clone()) {
            // SQLite shows the four bytes as a number with a sign.
            guard::mark(&mut lock, Some(number as u32));
            self.logged = Some(lock);
        }
    }
}
