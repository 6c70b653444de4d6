//! The workshop: what was made before is found in the cache, what was not is made, a few at a time and each once.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use nichoir_fair::{Full, Places};
use tracing::{debug, warn};

use crate::cache::{Cache, Known};
use crate::easel::Easel;
use crate::failure::Failure;
use crate::kind::{Kind, Kinds};
use crate::made::{Drawing, Made};
use crate::text;
use crate::tool::Tool;

/// Moves when the same bytes would be drawn differently than by an earlier release.
const LAYOUT: u8 = 1;

/// What previews may take, each a setting of the same name.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Where they are kept.
    pub directory: PathBuf,
    /// Bytes that are kept.
    pub cache_bytes_max: u64,
    /// Bytes of memory that making one may take.
    pub memory_bytes_max: u64,
    /// How many are made at once.
    pub parallel: usize,
    /// How many of one space may wait to be made; spaces take turns.
    pub waiting_max: usize,
    /// The longest side of one.
    pub side_pixels_max: u32,
    /// Quality of JPEG, 1 to 100.
    pub jpeg_quality: u8,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            directory: PathBuf::new(),
            cache_bytes_max: 1024 * 1024 * 1024,
            memory_bytes_max: 256 * 1024 * 1024,
            parallel: 2,
            waiting_max: 200,
            side_pixels_max: 4096,
            jpeg_quality: 80,
        }
    }
}

/// What a preview is known by: a hash of everything that it depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key([u8; 32]);

impl Key {
    /// The key of what depends on these parts.
    pub fn of(parts: &[&[u8]]) -> Key {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&[LAYOUT]);
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        Key(*hasher.finalize().as_bytes())
    }

    /// 32 hexadecimal digits.
    pub fn hex(&self) -> String {
        self.0[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The workshop. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Previews(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: Limits,
    kinds: Kinds,
    pdf: Option<Tool>,
    video: Option<Tool>,
    cache: Cache,
    /// Places at the easel, by space.
    places: Places<String>,
    easel: Easel,
    /// A lock for each preview that is being made.
    under_way: Mutex<HashMap<Key, Arc<tokio::sync::Mutex<()>>>>,
}

impl Previews {
    /// A workshop, of which nothing is on disk until it has made something.
    pub fn new(limits: Limits, kinds: Kinds, pdf: Option<Tool>, video: Option<Tool>) -> Previews {
        let kinds = Kinds { has_pdf: pdf.is_some(), has_video: video.is_some(), ..kinds };
        let cache = Cache::new(limits.directory.clone(), limits.cache_bytes_max);
        let places = Places::new(limits.parallel, limits.waiting_max);
        let easel = Easel::new(limits.parallel);
        let under_way = Mutex::default();
        Previews(Arc::new(Inner { limits, kinds, pdf, video, cache, places, easel, under_way }))
    }

    /// Of what there are previews.
    pub fn kinds(&self) -> Kinds {
        self.0.kinds
    }

    /// The limits.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// The external tool for files of that kind.
    pub fn tool(&self, kind: Kind) -> Option<&Tool> {
        match kind {
            Kind::Pdf => self.0.pdf.as_ref(),
            Kind::Video => self.0.video.as_ref(),
            Kind::Picture | Kind::Text => None,
        }
    }

    /// How many bytes of a file of that kind are needed.
    pub fn source_bytes(&self, kind: Kind) -> u64 {
        match kind {
            Kind::Text => text::SOURCE_BYTES,
            Kind::Picture => self.0.kinds.source_bytes_max,
            Kind::Pdf | Kind::Video => self.0.kinds.tool_source_bytes_max,
        }
    }

    /// What is known under `key` in the space, or else what `prepare` says is to be drawn. `prepare` is run when it is its
    /// turn, and not before: what it reads is held by as few requests as draw at once.
    ///
    /// # Errors
    /// [`Failure`]; one that is final is remembered like a preview.
    pub async fn make<F>(&self, space: &str, key: Key, prepare: F) -> Result<Made, Failure>
    where
        F: Future<Output = Result<Drawing, Failure>> + Send,
    {
        if let Some(known) = self.known(space, key).await? {
            return told(known);
        }
        let turn = UnderWay::of(&self.0, key);
        let _turn = turn.lock.lock().await;
        if let Some(known) = self.known(space, key).await? {
            return told(known);
        }
        let place = self.0.places.enter(space.to_owned()).await.map_err(busy)?;
        let drawing = prepare.await;
        let (inner, space) = (Arc::clone(&self.0), space.to_owned());
        // What was begun is finished, even if whoever asked has gone.
        let drawn = self.0.easel.run(move || {
            let _place = place;
            let drawn = drawing.and_then(|drawing| drawn_safely(&drawing, &inner.limits));
            inner.remember(&space, key, &drawn);
            drawn
        });
        drawn.await?
    }

    /// Draws what nobody will ask for again, when it is the space's turn.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn draw(&self, space: &str, drawing: Drawing) -> Result<Made, Failure> {
        let place = self.0.places.enter(space.to_owned()).await.map_err(busy)?;
        let inner = Arc::clone(&self.0);
        let drawn = self.0.easel.run(move || {
            let _place = place;
            drawn_safely(&drawing, &inner.limits)
        });
        drawn.await?
    }

    async fn known(&self, space: &str, key: Key) -> Result<Option<Known>, Failure> {
        let (inner, space) = (Arc::clone(&self.0), space.to_owned());
        let found = tokio::task::spawn_blocking(move || inner.cache.get(&space, &key)).await;
        found.map_err(|error| unavailable(error.into()))
    }

    /// Forgets everything of the spaces that `is_known` does not know.
    pub async fn keep_only(&self, is_known: impl Fn(&str) -> bool + Send + 'static) {
        let inner = Arc::clone(&self.0);
        match tokio::task::spawn_blocking(move || inner.cache.keep_only(is_known)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(cause = %error, "previews of spaces that are gone cannot be removed"),
            Err(error) => warn!(cause = %error, "previews of spaces that are gone cannot be removed"),
        }
    }
}

impl Inner {
    fn remember(&self, space: &str, key: Key, drawn: &Result<Made, Failure>) {
        let known = match drawn {
            Ok(made) => Known::Made(made.clone()),
            Err(failure) if failure.is_final() => Known::Impossible,
            Err(_) => return,
        };
        if let Err(error) = self.cache.put(space, &key, &known) {
            // It is made again the next time.
            warn!(cause = %error, "a preview cannot be kept");
        }
    }
}

/// A decoder that panics has met bytes that it does not understand: that is the file's fault, and the file's alone.
fn drawn_safely(drawing: &Drawing, limits: &Limits) -> Result<Made, Failure> {
    let drawn = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drawing.draw(limits)));
    let drawn = drawn.unwrap_or_else(|_| Err(Failure::Broken("its decoder gave up".to_owned())));
    if let Err(failure) = &drawn {
        debug!(cause = %failure, "a preview cannot be made");
    }
    drawn
}

fn told(known: Known) -> Result<Made, Failure> {
    match known {
        Known::Made(made) => Ok(made),
        Known::Impossible => Err(Failure::Unsupported),
    }
}

fn busy(_: Full) -> Failure {
    Failure::Busy
}

fn unavailable(cause: Box<dyn std::error::Error + Send + Sync>) -> Failure {
    Failure::Unavailable(cause)
}

/// The lock of one preview; forgotten with the last who holds it.
struct UnderWay<'a> {
    inner: &'a Inner,
    key: Key,
    lock: Arc<tokio::sync::Mutex<()>>,
}

impl UnderWay<'_> {
    fn of(inner: &Inner, key: Key) -> UnderWay<'_> {
        let mut under_way = inner.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let lock = Arc::clone(under_way.entry(key).or_default());
        UnderWay { inner, key, lock }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut under_way = self.inner.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        // This one and the map's own.
        if Arc::strong_count(&self.lock) <= 2 {
            under_way.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests;
