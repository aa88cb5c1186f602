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

#[cfg(test)]
mod tests {
    use super::super::super::normalise;
    use crate::domain::{Event, FileLink, Provider};

    fn event(kind: &str, data: &str) -> Event {
        normalise(Provider::Arcsite, &format!(r#"{{"event":"{kind}","data":{data}}}"#)).unwrap()
    }

    /// The files of an event: role, type, name, drawing, proposal, link.
    fn files(kind: &str, data: &str) -> Vec<String> {
        let of = |id: &Option<crate::domain::VendorId>| id.as_ref().map_or("-".to_owned(), ToString::to_string);
        let files = event(kind, data).files.into_iter();
        files
            .map(|file| {
                let name = file.name.as_deref().unwrap_or("-");
                let (drawing, proposal) = (of(&file.drawing), of(&file.proposal));
                format!("{} {} {name} {drawing} {proposal} {}", file.role, file.kind, file.url)
            })
            .collect()
    }

    #[test]
    fn links_of_every_type_are_files() {
        let drawing = r#"{"id":2,"project_id":1,"name":"Plan","pdf_url":" https://a/p ","png_url":"https://a/i"}"#;
        let both = ["DRAWING PDF Plan 2 - https://a/p", "DRAWING PNG Plan 2 - https://a/i"];
        assert_eq!(files("drawing.created", drawing), both);
        assert_eq!(files("drawing.updated", drawing), both);
        let none = r#"{"id":2,"project_id":1,"pdf_url":null,"png_url":" "}"#;
        assert_eq!(files("drawing.updated", none), [""; 0]);
        let approved = r#"{"proposal_id":5,"status":"APPROVED","name":"Roof","pdf_url":"https://a/s",
            "approved_option":{"id":1,"drawing_id":2},"proposal_options":[null,
            {"name":"Good","drawing_id":2,"pdf_url":"https://a/g"},{"name":"Best","drawing_id":3,"pdf_url":"https://a/b"},
            {"name":"Draft","drawing_id":4,"pdf_url":null}]}"#;
        assert_eq!(
            files("proposal.status_changed", approved),
            ["PROPOSAL PDF Roof 2 5 https://a/s", "OPTION PDF Good 2 5 https://a/g", "OPTION PDF Best 3 5 https://a/b"]
        );
        let sent = r#"{"proposal_id":5,"proposal_options":[{"name":"Good","pdf_url":"https://a/g"}]}"#;
        assert_eq!(files("proposal.sent", sent), ["OPTION PDF Good - 5 https://a/g"]);
        let option = r#"{"name":"Good","drawing_id":2,"pdf_url":"https://a/g"}"#;
        let twice = format!(r#"{{"proposal_id":5,"approved_option":{option},"proposal_options":[{option}]}}"#);
        assert_eq!(files("proposal.approved", &twice), ["OPTION PDF Good 2 5 https://a/g"]);
        let signed = r#"{"drawing_id":2,"name":"Roof","url":"https://a/s"}"#;
        assert_eq!(files("proposal.signed", signed), ["SIGNED PDF Roof 2 - https://a/s"]);
        assert_eq!(files("project.created", r#"{"id":1}"#), [""; 0]);
    }

    #[test]
    fn link_that_cannot_be_taken_is_named_and_the_rest_stays() {
        let unread = |kind: &str, data: &str| event(kind, data).unread.unwrap();
        let long = format!("https://a/{}", "x".repeat(FileLink::URL_BYTES_MAX));
        let of = |url: &str| format!(r#"{{"id":2,"project_id":1,"pdf_url":"https://a/p","png_url":"{url}"}}"#);
        let long = of(&long);
        assert_eq!(files("drawing.updated", &long), ["DRAWING PDF - 2 - https://a/p"]);
        assert!(unread("drawing.updated", &long).contains("`png_url` (a link of more than 8192 bytes)"));
        let options = r#"{"proposal_id":5,"proposal_options":[{"pdf_url":[]},7,{"pdf_url":"https://a/g"}]}"#;
        assert_eq!(files("proposal.sent", options), ["OPTION PDF - - 5 https://a/g"]);
        let named = unread("proposal.sent", options);
        assert!(named.contains("`proposal_options[0].pdf_url`") && named.contains("`proposal_options[1]`"), "{named}");
        let many: Vec<String> = (0..150).map(|at| format!(r#"{{"pdf_url":"https://a/{at}"}}"#)).collect();
        let many = format!(r#"{{"proposal_id":5,"proposal_options":[{}]}}"#, many.join(","));
        assert_eq!(files("proposal.sent", &many).len(), 100);
        assert!(
            unread("proposal.sent", &many).contains("`proposal_options[100]` (only the first 100 entries are read)")
        );
        let name = "é".repeat(1000);
        let named =
            event("drawing.updated", &format!(r#"{{"id":2,"project_id":1,"name":"{name}","pdf_url":"https://a"}}"#));
        assert_eq!(named.files[0].name.as_ref().map(|name| name.chars().count()), Some(FileLink::NAME_CHARS_MAX));
    }
}
