//! [`Transactions`] of the memory log: the producer's side.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fault::{Fault, Step};
use super::member::Seated;
use super::state::{Shared, State};
use crate::log::{Appended, Error, Kind, NewRecord, Partition, Standing, Transactions};

/// What the producer may do next.
#[derive(Debug)]
enum Stage {
    /// Begin.
    Ready,
    /// Send, commit or abort.
    Open,
    /// A record was not taken: abort; a commit answers with this.
    Failed(Error),
    /// Nothing any more.
    Spent(Error),
}

#[derive(Debug)]
pub(super) struct MemoryTransactions {
    shared: Arc<Shared>,
    id: String,
    epoch: u64,
    stage: Stage,
    /// By topic, since somebody asked last.
    appended: BTreeMap<Arc<str>, Appended>,
}

impl MemoryTransactions {
    /// # Errors
    /// As the fault hook says.
    pub fn new(shared: Arc<Shared>, id: &str) -> Result<MemoryTransactions, Error> {
        let epoch = shared.change(|state| {
            let fault = state.refused(Step::Init(id))?;
            let epoch = state.init_transactions(id);
            answered(fault, Kind::Retry, "the answer to a new producer was lost").map(|()| epoch)
        })?;
        Ok(MemoryTransactions {
            shared,
            id: id.to_owned(),
            epoch,
            stage: Stage::Ready,
            appended: BTreeMap::new(),
        })
    }

    fn fail<T>(&self, kind: Kind, what: &str) -> Result<T, Error> {
        Err(Error::new(kind, format!("transactions of {}: {what}", self.id)))
    }

    /// Notes what a failure means for what may be done next.
    fn noted<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &result {
            self.stage = match error.kind {
                Kind::Retry | Kind::Abort | Kind::Refused | Kind::OutOfRange => Stage::Failed(error.clone()),
                Kind::Unknown | Kind::Fenced | Kind::Fatal => Stage::Spent(error.clone()),
            };
        }
        result
    }

    fn send_offsets(
        &self,
        state: &mut State,
        offsets: &[(Partition, u64)],
        standing: &Seated,
    ) -> Result<(), Error> {
        if offsets.is_empty() {
            return Ok(());
        }
        state.check_epoch(&self.id, self.epoch)?;
        let fault = state.refused(Step::Offsets(&self.id))?;
        let Seated { group, member, instance, generation } = standing;
        state.groups.entry(group.clone()).or_default().check(*member, instance.as_deref(), *generation)?;
        state.add_offsets(&self.id, self.epoch, group, offsets)?;
        answered(fault, Kind::Abort, "the answer to the offsets was lost")
    }

    fn end(&self, state: &mut State, committed: bool) -> Result<(), Error> {
        state.check_epoch(&self.id, self.epoch)?;
        let step = if committed { Step::Commit(&self.id) } else { Step::Abort(&self.id) };
        let fault = state.refused(step)?;
        state.end_transaction(&self.id, self.epoch, committed)?;
        answered(fault, Kind::Unknown, "the answer to the end of a transaction was lost")
    }
}

/// What the caller is told of something that was done.
fn answered(fault: Option<Fault>, kind: Kind, what: &str) -> Result<(), Error> {
    match fault {
        Some(Fault::Unanswered) => Err(Error::new(kind, what)),
        _ => Ok(()),
    }
}

impl Transactions for MemoryTransactions {
    fn begin(&mut self) -> Result<(), Error> {
        match &self.stage {
            Stage::Ready => {}
            Stage::Spent(error) => return Err(error.clone()),
            Stage::Open | Stage::Failed(_) => {
                return self.fail(Kind::Fatal, "begun twice: commit or abort first");
            }
        }
        let begun = self.shared.look(|state| {
            state.check_epoch(&self.id, self.epoch)?;
            state.refused(Step::Begin(&self.id))
        });
        self.noted(begun)?;
        self.stage = Stage::Open;
        Ok(())
    }

    fn send(&mut self, record: &NewRecord) -> Result<(), Error> {
        match &self.stage {
            Stage::Open => {}
            Stage::Failed(_) => return Ok(()),
            Stage::Spent(error) => return Err(error.clone()),
            Stage::Ready => return self.fail(Kind::Fatal, "a record outside of a transaction: begin first"),
        }
        let topic = Arc::clone(&record.partition.topic);
        let written: Result<Appended, Error> = self.shared.change(|state| {
            let fault = state.refused(Step::Write(&self.id, &record.partition))?;
            state.write(&self.id, self.epoch, record.clone())?;
            answered(fault, Kind::Abort, "a record was not acknowledged in time")?;
            Ok(state.appended(&topic, state.now))
        });
        let error = match written {
            Ok(appended) => {
                self.appended.insert(topic, appended);
                return Ok(());
            }
            Err(error) => error,
        };
        self.stage = Stage::Failed(error.clone());
        // As with a real log, where sending is not yet delivering, other failures show at the commit.
        if error.kind == Kind::Fatal { Err(error) } else { Ok(()) }
    }

    fn commit(&mut self, offsets: &[(Partition, u64)], standing: &Standing) -> Result<(), Error> {
        match &self.stage {
            Stage::Open => {}
            Stage::Failed(error) => {
                let failed = Err(error.clone());
                return self.noted(failed);
            }
            Stage::Spent(error) => return Err(error.clone()),
            Stage::Ready => return self.fail(Kind::Fatal, "there is nothing to commit: begin first"),
        }
        let standing = Seated::of(standing)?;
        let committed = self.shared.change(|state| {
            self.send_offsets(state, offsets, standing)?;
            self.end(state, true)
        });
        self.noted(committed)?;
        self.stage = Stage::Ready;
        Ok(())
    }

    fn appended(&mut self) -> Vec<Appended> {
        std::mem::take(&mut self.appended).into_values().collect()
    }

    fn abort(&mut self) -> Result<(), Error> {
        match &self.stage {
            Stage::Open | Stage::Failed(_) => {}
            Stage::Spent(error) => return Err(error.clone()),
            Stage::Ready => return self.fail(Kind::Fatal, "there is nothing to abort: begin first"),
        }
        let aborted = self.shared.change(|state| self.end(state, false));
        self.noted(aborted)?;
        self.stage = Stage::Ready;
        Ok(())
    }
}
