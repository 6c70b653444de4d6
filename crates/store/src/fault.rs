//! Faults on demand below the blobs: for the tests that prove "old state or new state, never another".
//! Wrap any object store, hand it to [`Blobs::from_object_store`](crate::Blobs::from_object_store), arm it.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt as _, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
};

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Nothing happens but the error.
    Refuse,
    /// Half of the bytes are written or read, then the error. What has no bytes happens, then the error.
    Tear,
    /// It happens whole, and the answer is an error nevertheless.
    LoseAnswer,
}

/// An object store whose n-th call fails. Writing, its parts and their completion or abortion, reading, asking for the
/// size and deleting are calls, in the order in which they begin; listings never fail, nothing may hang on them.
#[derive(Debug)]
pub struct FaultyBlobs {
    inner: Arc<dyn ObjectStore>,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Debug)]
struct Plan {
    seen: u64,
    first: Option<u64>,
    damage: Damage,
    is_lasting: bool,
}

impl FaultyBlobs {
    /// Wraps `inner`; nothing fails yet.
    pub fn over(inner: Arc<dyn ObjectStore>) -> FaultyBlobs {
        let plan = Plan { seen: 0, first: None, damage: Damage::Refuse, is_lasting: false };
        FaultyBlobs { inner, plan: Arc::new(Mutex::new(plan)) }
    }

    /// Starts over: call `number` (from 1) fails, and every later one if `is_lasting`.
    pub fn arm(&self, number: u64, damage: Damage, is_lasting: bool) {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) =
            Plan { seen: 0, first: Some(number), damage, is_lasting };
    }

    /// Nothing fails any more.
    pub fn disarm(&self) {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).first = None;
    }

    /// Calls since the beginning, or since it was armed.
    pub fn seen(&self) -> u64 {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).seen
    }
}

/// Counts a call and says how it goes wrong, if it does.
fn next(plan: &Mutex<Plan>) -> Option<Damage> {
    let mut plan = plan.lock().unwrap_or_else(PoisonError::into_inner);
    plan.seen += 1;
    let first = plan.first?;
    (plan.seen == first || plan.seen > first && plan.is_lasting).then_some(plan.damage)
}

fn fault() -> Error {
    Error::Generic { store: "FaultyBlobs", source: "injected fault".into() }
}

/// The first half.
fn torn(payload: PutPayload) -> PutPayload {
    let bytes = Bytes::from(payload);
    PutPayload::from_bytes(bytes.slice(..bytes.len() / 2))
}

impl fmt::Display for FaultyBlobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultyBlobs({})", self.inner)
    }
}

#[async_trait]
impl ObjectStore for FaultyBlobs {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let payload = match next(&self.plan) {
            None => return self.inner.put_opts(location, payload, options).await,
            Some(Damage::Refuse) => return Err(fault()),
            Some(Damage::Tear) => torn(payload),
            Some(Damage::LoseAnswer) => payload,
        };
        self.inner.put_opts(location, payload, options).await?;
        Err(fault())
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let damage = next(&self.plan);
        if damage == Some(Damage::Refuse) {
            return Err(fault());
        }
        let inner = self.inner.put_multipart_opts(location, options).await?;
        match damage {
            None => Ok(Box::new(FaultyUpload { inner, plan: Arc::clone(&self.plan) })),
            Some(_) => Err(fault()),
        }
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let damage = next(&self.plan);
        if damage == Some(Damage::Refuse) {
            return Err(fault());
        }
        let found = self.inner.get_opts(location, options).await?;
        match damage {
            None => Ok(found),
            Some(Damage::Tear) => Ok(tear_answer(found)),
            Some(_) => Err(fault()),
        }
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let inner = Arc::clone(&self.inner);
        let plan = Arc::clone(&self.plan);
        let deleted = locations.and_then(move |location| {
            let inner = Arc::clone(&inner);
            let damage = next(&plan);
            async move {
                if damage == Some(Damage::Refuse) {
                    return Err(fault());
                }
                inner.delete(&location).await?;
                if damage.is_none() { Ok(location) } else { Err(fault()) }
            }
        });
        deleted.boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

/// The first half of what was asked for, then the error.
fn tear_answer(found: GetResult) -> GetResult {
    let Range { start, end } = found.range.clone();
    let (meta, range, attributes, extensions) =
        (found.meta.clone(), found.range.clone(), found.attributes.clone(), found.extensions.clone());
    let mut left = usize::try_from((end - start) / 2).unwrap_or(usize::MAX);
    let half = found.into_stream().map(move |run| {
        let run = run?;
        if left == 0 {
            return Err(fault());
        }
        let run = run.slice(..run.len().min(left));
        left -= run.len();
        Ok(run)
    });
    // The inner stream may be one run, cut already: the error follows in any case, and nothing after it.
    let payload = half.chain(futures_util::stream::once(async { Err(fault()) }));
    GetResult { payload: GetResultPayload::Stream(payload.boxed()), meta, range, attributes, extensions }
}

/// A multipart upload whose calls are counted too.
#[derive(Debug)]
struct FaultyUpload {
    inner: Box<dyn MultipartUpload>,
    plan: Arc<Mutex<Plan>>,
}

#[async_trait]
impl MultipartUpload for FaultyUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let part = match next(&self.plan) {
            None => return self.inner.put_part(data),
            Some(Damage::Refuse) => return futures_util::future::ready(Err(fault())).boxed(),
            Some(Damage::Tear) => self.inner.put_part(torn(data)),
            Some(Damage::LoseAnswer) => self.inner.put_part(data),
        };
        async move {
            part.await?;
            Err(fault())
        }
        .boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        match next(&self.plan) {
            None => self.inner.complete().await,
            Some(Damage::Refuse) => Err(fault()),
            Some(_) => {
                self.inner.complete().await?;
                Err(fault())
            }
        }
    }

    async fn abort(&mut self) -> Result<()> {
        match next(&self.plan) {
            None => self.inner.abort().await,
            Some(Damage::Refuse) => Err(fault()),
            Some(_) => {
                self.inner.abort().await?;
                Err(fault())
            }
        }
    }
}
