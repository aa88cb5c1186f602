//! The links to files in ArcSite's payloads.

use crate::domain::{FileKind, FileLink, FileRole, Patch, VendorId};
use crate::vendor::arcsite::payload::{Drawing, Proposal, ProposalOption, SignedProposal};
use crate::vendor::wire::Unread;

/// The PDF and the PNG of a drawing.
pub(super) fn of_drawing(data: &Drawing) -> Vec<FileLink> {
    let link = |kind, url| {
        let link = link(FileRole::Drawing, kind, url, &data.name)?;
        Some(FileLink { drawing: Some(data.id.clone()), ..link })
    };
    link(FileKind::Pdf, &data.pdf_url).into_iter().chain(link(FileKind::Png, &data.png_url)).collect()
}

/// The PDF of a proposal and those of its options. The approved option is often one of them.
pub(super) fn of_proposal(data: &Proposal) -> Vec<FileLink> {
    let approved = data.approved_option.value();
    let proposal = link(FileRole::Proposal, FileKind::Pdf, &data.pdf_url, &data.name)
        .map(|link| FileLink { drawing: approved.and_then(drawing), ..link });
    let options = data.proposal_options.value().map(|options| options.0.as_slice()).unwrap_or_default();
    let options = options.iter().chain(approved).filter_map(|option| {
        let link = link(FileRole::Option, FileKind::Pdf, &option.pdf_url, &option.name)?;
        Some(FileLink { drawing: drawing(option), ..link })
    });
    let mut links: Vec<FileLink> = Vec::new();
    for link in proposal.into_iter().chain(options) {
        if !links.iter().any(|other| other.role == link.role && other.url == link.url) {
            links.push(FileLink { proposal: Some(data.proposal_id.clone()), ..link });
        }
    }
    links
}

/// The signed proposal of a drawing.
pub(super) fn of_signed_proposal(data: &SignedProposal) -> Vec<FileLink> {
    let link = link(FileRole::Signed, FileKind::Pdf, &data.url, &data.name);
    link.map(|link| FileLink { drawing: Some(data.drawing_id.clone()), ..link }).into_iter().collect()
}

/// Leaves out links that are too long.
pub(super) fn keep_bounded(mut links: Vec<FileLink>, unread: &mut Unread) -> Vec<FileLink> {
    links.retain(|link| {
        let fits = link.url.len() <= FileLink::URL_BYTES_MAX;
        if !fits {
            let field = match (link.role, link.kind) {
                (FileRole::Drawing, FileKind::Png) => "png_url",
                (FileRole::Drawing | FileRole::Proposal, _) => "pdf_url",
                (FileRole::Option, _) => "proposal_options.pdf_url",
                (FileRole::Signed, _) => "url",
            };
            unread.add(field, format!("a link of more than {} bytes", FileLink::URL_BYTES_MAX));
        }
        fits
    });
    links
}

/// A link, unless the text is missing or blank.
fn link(role: FileRole, kind: FileKind, url: &Patch<String>, name: &Patch<String>) -> Option<FileLink> {
    let url = url.value().map(|url| url.trim()).filter(|url| !url.is_empty())?;
    let name = name.value().map(|name| name.chars().take(FileLink::NAME_CHARS_MAX).collect());
    Some(FileLink { role, kind, name, drawing: None, proposal: None, url: url.to_owned() })
}

fn drawing(option: &ProposalOption) -> Option<VendorId> {
    option.drawing_id.value().cloned()
}
