//! Several changes in one commit: all of them, or none.

use super::Run;
use crate::error::Error;
use crate::tx::{Asker, Tx};

/// One after the other, in the same savepoint and with the same change sequence.
impl<A: Run, B: Run> Run for (A, B) {
    type Outcome = (A::Outcome, B::Outcome);

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<Self::Outcome, Error> {
        let (first, second) = self;
        Ok((first.run(tx, asker).await?, second.run(tx, asker).await?))
    }
}

/// One that may be left out.
impl<C: Run> Run for Option<C> {
    type Outcome = Option<C::Outcome>;

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<Self::Outcome, Error> {
        match self {
            Some(change) => change.run(tx, asker).await.map(Some),
            None => Ok(None),
        }
    }
}

/// Any number of the same kind.
impl<C: Run> Run for Vec<C> {
    type Outcome = Vec<C::Outcome>;

    async fn run(self, tx: &mut Tx, asker: &Asker) -> Result<Self::Outcome, Error> {
        let mut outcomes = Vec::with_capacity(self.len());
        for change in self {
            outcomes.push(change.run(tx, asker).await?);
        }
        Ok(outcomes)
    }
}
