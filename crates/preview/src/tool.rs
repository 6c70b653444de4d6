//! External tools: programs of the machine that make a picture of a file of which no decoder is built in. Off unless set up.
//!
//! A program is run without a shell and without an environment, on a copy of the file, in a directory of its own. Its memory,
//! processor time and files are bounded by `prlimit` of util-linux, its time by us; what it writes is read like a picture
//! that a member sent.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tracing::{debug, warn};

use crate::failure::Failure;

/// What a tool may take, each a setting of the same name.
#[derive(Clone, Debug)]
pub struct ToolLimits {
    /// Seconds, of the clock and of the processor.
    pub tool_seconds: u64,
    /// Bytes of address space.
    pub tool_memory_bytes_max: u64,
    /// Bytes that it may write out.
    pub tool_output_bytes_max: u64,
}

impl Default for ToolLimits {
    fn default() -> ToolLimits {
        ToolLimits {
            tool_seconds: 20,
            tool_memory_bytes_max: 512 * 1024 * 1024,
            tool_output_bytes_max: 32 * 1024 * 1024,
        }
    }
}

/// A program that makes a picture of a file.
#[derive(Clone, Debug)]
pub struct Tool {
    program: PathBuf,
    arguments: &'static [&'static str],
    /// Stands behind the name of the file.
    trailing: &'static [&'static str],
    directory: PathBuf,
    limits: ToolLimits,
}

impl Tool {
    /// `pdftoppm` of poppler-utils: the first page, as PNG on its standard output.
    pub fn pdftoppm(program: PathBuf, directory: PathBuf, limits: ToolLimits) -> Tool {
        let arguments = &["-q", "-png", "-singlefile", "-f", "1", "-l", "1", "-scale-to", "1024"];
        Tool { program, arguments, trailing: &[], directory, limits }
    }

    /// `ffmpeg`: a frame from the beginning, as JPEG on its standard output. Only containers that hold all they show: playlists
    /// would have it read other files.
    pub fn ffmpeg(program: PathBuf, directory: PathBuf, limits: ToolLimits) -> Tool {
        let arguments = &[
            "-nostdin",
            "-v",
            "error",
            "-protocol_whitelist",
            "file",
            "-format_whitelist",
            "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts",
            "-threads",
            "1",
            "-i",
        ];
        let trailing = &[
            "-an",
            "-frames:v",
            "1",
            "-vf",
            "scale=w=1024:h=1024:force_original_aspect_ratio=decrease",
            "-f",
            "image2pipe",
            "-c:v",
            "mjpeg",
            "-",
        ];
        Tool { program, arguments, trailing, directory, limits }
    }

    /// The program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The picture that it makes of `file`.
    ///
    /// # Errors
    /// [`Failure::Broken`] where it makes none, [`Failure::Unavailable`] where it cannot be run.
    pub async fn run(&self, file: &Bytes) -> Result<Bytes, Failure> {
        let place = Place::make(&self.directory, file).await.map_err(|error| Failure::Unavailable(error.into()))?;
        let ran = tokio::time::timeout(Duration::from_secs(self.limits.tool_seconds), self.run_in(&place)).await;
        match ran {
            Ok(ran) => ran,
            Err(_) => {
                warn!(program = %self.program.display(), "an external tool took too long");
                Err(Failure::Broken("an external tool took too long".to_owned()))
            }
        }
    }

    async fn run_in(&self, place: &Place) -> Result<Bytes, Failure> {
        let mut child = self.command(place).spawn().map_err(|error| {
            warn!(program = %self.program.display(), cause = %error, "an external tool cannot be run");
            Failure::Unavailable(error.into())
        })?;
        let failed = |error: std::io::Error| Failure::Unavailable(error.into());
        let mut written = BytesMut::new();
        if let Some(output) = child.stdout.take() {
            let mut output = output.take(self.limits.tool_output_bytes_max.saturating_add(1));
            while output.read_buf(&mut written).await.map_err(failed)? > 0 {}
        }
        if written.len() as u64 > self.limits.tool_output_bytes_max {
            // Dropped, it is killed.
            return Err(Failure::TooLarge);
        }
        let status = child.wait().await.map_err(failed)?;
        debug!(program = %self.program.display(), %status, "an external tool has run");
        match status.success() && !written.is_empty() {
            true => Ok(written.freeze()),
            false => Err(Failure::Broken(format!("an external tool ended with {status}"))),
        }
    }

    fn command(&self, place: &Place) -> Command {
        let limits = &self.limits;
        let mut command = Command::new("/usr/bin/prlimit");
        command
            .arg(format!("--as={}", limits.tool_memory_bytes_max))
            .arg(format!("--cpu={}", limits.tool_seconds))
            .arg(format!("--fsize={}", limits.tool_output_bytes_max))
            .arg("--core=0")
            .arg("--nofile=64")
            .arg("--")
            .arg(&self.program)
            .args(self.arguments)
            .arg(place.file())
            .args(self.trailing)
            .env_clear()
            .current_dir(&place.0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        command
    }
}

/// A directory that a tool works in, with the file under a name of ours; gone with the value.
struct Place(PathBuf);

impl Place {
    async fn make(directory: &Path, file: &Bytes) -> std::io::Result<Place> {
        static NUMBER: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        // Absolute, so that the name of the file is never taken for an option.
        let directory = std::path::absolute(directory)?;
        let place = Place(directory.join(format!("{}-{number}", std::process::id())));
        match tokio::fs::remove_dir_all(&place.0).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => tokio::fs::create_dir_all(&place.0).await?,
        }
        tokio::fs::write(place.file(), file).await?;
        Ok(place)
    }

    fn file(&self) -> PathBuf {
        self.0.join("file")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests;
