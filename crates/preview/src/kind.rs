//! Of what files there are previews, told by media type and size alone: what `nc:has-preview` says.

/// What a file is, for whoever draws a preview of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// JPEG, PNG, GIF or WebP.
    Picture,
    /// Text of which the first lines are drawn.
    Text,
    /// For an external tool, where one is set up.
    Pdf,
    /// For an external tool, where one is set up.
    Video,
}

/// Of what there are previews on this server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds {
    /// Whether there are any.
    pub is_offered: bool,
    /// Whether a tool for PDF is set up.
    pub has_pdf: bool,
    /// Whether a tool for video is set up.
    pub has_video: bool,
    /// Bytes of a picture.
    pub source_bytes_max: u64,
    /// Bytes of what is handed to a tool.
    pub tool_source_bytes_max: u64,
}

impl Kinds {
    /// The kind of a file of which there can be a preview.
    pub fn of(&self, media_type: &str, size_bytes: u64) -> Option<Kind> {
        let kind = kind_of(media_type)?;
        let (is_served, bytes_max) = match kind {
            Kind::Picture => (true, self.source_bytes_max),
            // Only its beginning is read.
            Kind::Text => (true, u64::MAX),
            Kind::Pdf => (self.has_pdf, self.tool_source_bytes_max),
            Kind::Video => (self.has_video, self.tool_source_bytes_max),
        };
        (self.is_offered && is_served && size_bytes > 0 && size_bytes <= bytes_max).then_some(kind)
    }
}

/// SVG is not among them: it is a program that a browser runs, not a picture.
fn kind_of(media_type: &str) -> Option<Kind> {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "image/jpeg" | "image/jpg" | "image/pjpeg" | "image/png" | "image/gif" | "image/webp" => Some(Kind::Picture),
        "text/plain" | "text/markdown" | "text/x-markdown" | "text/csv" => Some(Kind::Text),
        "application/pdf" => Some(Kind::Pdf),
        "video/mp4" | "video/quicktime" | "video/webm" | "video/x-matroska" | "video/x-m4v" | "video/3gpp"
        | "video/x-msvideo" | "video/mpeg" => Some(Kind::Video),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kinds: Kinds, media_type: &str, size_bytes: u64, expected: Option<Kind>) {
        assert_eq!(kinds.of(media_type, size_bytes), expected, "{media_type} of {size_bytes} bytes");
    }

    #[test]
    fn media_type_and_size_decide() {
        let plain = Kinds { is_offered: true, source_bytes_max: 100, tool_source_bytes_max: 10, ..Kinds::default() };
        check(plain, "image/jpeg", 100, Some(Kind::Picture));
        check(plain, "image/jpeg", 101, None);
        check(plain, "IMAGE/PNG; q=1", 1, Some(Kind::Picture));
        check(plain, "image/png", 0, None);
        check(plain, "image/svg+xml", 10, None);
        check(plain, "text/markdown", 1_000_000, Some(Kind::Text));
        check(plain, "text/plain", 0, None);
        check(plain, "text/html", 10, None);
        check(plain, "application/pdf", 10, None);
        let tools = Kinds { has_pdf: true, has_video: true, ..plain };
        check(tools, "application/pdf", 10, Some(Kind::Pdf));
        check(tools, "application/pdf", 11, None);
        check(tools, "video/mp4", 10, Some(Kind::Video));
        check(Kinds { is_offered: false, ..tools }, "image/png", 1, None);
    }
}
