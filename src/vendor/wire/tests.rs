use proptest::prelude::*;

use super::*;
use crate::domain::Money;
use crate::vendor::arcsite::payload::Project;
use crate::vendor::bidsketch::payload::Proposal;

/// A payload with these members besides its id, and the paths that are left out of it.
fn read<T: FromJson>(members: &str) -> (T, Vec<String>) {
    let mut unread = Unread::default();
    let payload = read_payload(&format!(r#"{{"id":1,{members}}}"#), &mut unread).unwrap();
    (payload, unread.0.into_iter().map(|(path, _)| path).collect())
}

fn error(json: &str) -> String {
    read_payload::<Project>(json, &mut Unread::default()).unwrap_err()
}

fn value<T: FromJson>(json: &str) -> Result<Option<T>, String> {
    T::from_json(json, &mut Unread::default())
}

#[test]
fn vendor_id_keeps_every_digit() {
    for (json, id) in [
        ("36029621652695040", "36029621652695040"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        (r#""36029621652695040""#, "36029621652695040"),
        ("36029621652695040.0", "36029621652695040"),
        (r#""007""#, "007"),
    ] {
        assert_eq!(value::<VendorId>(json).unwrap().unwrap().as_str(), id);
    }
    for json in ["1.5", "1e3", "-1", "true", "[]", r#""a\u0001b""#] {
        assert!(value::<VendorId>(json).is_err(), "{json}");
    }
    for json in [r#""""#, r#""  ""#] {
        assert_eq!(value::<VendorId>(json), Ok(None), "{json}");
    }
}

#[test]
fn lone_surrogate_is_replaced() {
    for (json, text) in [
        (r#""cut \ud83d""#, "cut \u{fffd}"),
        (r#""\udc00 low""#, "\u{fffd} low"),
        (r#""\ud83d\ude00 \ud83d\u0041""#, "\u{1f600} \u{fffd}A"),
        (r#""\\ud83d \ud83d""#, "\\ud83d \u{fffd}"),
        (r#""é\ud800é""#, "é\u{fffd}é"),
    ] {
        assert_eq!(value::<String>(json).unwrap().unwrap(), text, "{json}");
    }
}

#[test]
fn boolean_is_read_in_every_spelling() {
    for (json, flag) in
        [("true", true), ("1", true), (r#""1""#, true), (r#""True""#, true), ("0", false), (r#""false""#, false)]
    {
        assert_eq!(value::<bool>(json), Ok(Some(flag)), "{json}");
    }
    for json in ["2", "0.5", "-1", r#""""#, r#""maybe""#, "[]", "{}"] {
        assert!(value::<bool>(json).is_err(), "{json}");
    }
}

/// A payload of which every field is read.
fn read_all<T: FromJson>(members: &str) -> T {
    let (payload, unread) = read(members);
    assert_eq!(unread, [""; 0], "{members}");
    payload
}

#[test]
fn optional_field_is_missing_null_or_value() {
    let project = |members: &str| read_all::<Project>(members);
    let nothing = project(r#""more":1"#);
    assert!(nothing.name.is_missing() && nothing.customer.is_missing());
    assert_eq!(project(r#""name":null"#).name, Patch::Null);
    for (json, name) in [
        (r#""a\u0000b""#, "a\u{fffd}b"),
        ("1441", "1441"),
        ("1e400", "1e400"),
        ("true", "true"),
        (r#""a\tb""#, "a\tb"),
        (r#""""#, ""),
    ] {
        assert_eq!(project(&format!(r#""name":{json}"#)).name, Patch::Value(name.to_owned()), "{json}");
    }
    assert_eq!(project(r#""n\u0061me":"x""#).name, Patch::Value("x".to_owned()));
    assert_eq!(project(r#""tags":["a",null,1]"#).tags, Patch::Value(vec!["a".to_owned(), "1".to_owned()]));
    let address = project(r#""customer":{"address":{"State":"CA"}}"#)
        .customer
        .value()
        .unwrap()
        .address
        .value()
        .unwrap()
        .capital_state
        .clone();
    assert_eq!(address, Patch::Value("CA".to_owned()));
    // The same value twice is one value.
    assert_eq!(project(r#""name":"x","name":"x""#).name, Patch::Value("x".to_owned()));
    assert_eq!(read_all::<Proposal>(r#""total":"7385.00""#).total, Patch::Value(Money(73_850_000)));
    assert_eq!(read_all::<Proposal>(r#""total":"""#).total, Patch::Null);
    assert_eq!(read_all::<Proposal>(r#""is_draft":0"#).is_draft, Patch::Value(false));
}

#[test]
fn optional_field_that_cannot_be_read_is_missing_and_named() {
    for (members, path) in [
        (r#""name":{"first":"x"}"#, "name"),
        (r#""name":[]"#, "name"),
        (r#""name":"x","name":"y""#, "name"),
        (r#""created_at":"yesterday""#, "created_at"),
        (r#""tags":{}"#, "tags"),
        (r#""tags":"a,b""#, "tags"),
        (r#""customer":[]"#, "customer"),
        (r#""customer":"""#, "customer"),
        (r#""customer":{"phone":[]}"#, "customer.phone"),
        (r#""customer":{"address":{"city":{}}}"#, "customer.address.city"),
    ] {
        let (project, unread) = read::<Project>(members);
        assert_eq!(unread, [path], "{members}");
        assert!(project.name.is_missing() && project.created_at.is_missing() && project.tags.is_missing(), "{members}");
        assert!(project.customer.value().is_none_or(|customer| customer.phone.is_missing()), "{members}");
    }
    for (members, path) in [
        (r#""total":"7,385""#, "total"),
        (r#""total":123456789012345678901234567890"#, "total"),
        (r#""total":{"amount":1}"#, "total"),
        (r#""is_draft":"perhaps""#, "is_draft"),
        (r#""client":{"id":{}}"#, "client.id"),
        (r#""status":["Viewed"]"#, "status"),
    ] {
        let (proposal, unread) = read::<Proposal>(members);
        assert_eq!(unread, [path], "{members}");
        assert!(proposal.total.is_missing() && proposal.is_draft.is_missing() && proposal.status.is_missing());
    }
}

#[test]
fn list_keeps_the_entries_that_can_be_read() {
    let (project, unread) = read::<Project>(r#""tags":["a",{"b":1},"c",["d"]]"#);
    assert_eq!(project.tags, Patch::Value(vec!["a".to_owned(), "c".to_owned()]));
    assert_eq!(unread, ["tags[1]", "tags[3]"]);
}

#[test]
fn required_field_that_cannot_be_read_fails_the_payload() {
    for json in
        ["{}", r#"{"id":null}"#, r#"{"id":""}"#, r#"{"id":1.5}"#, r#"{"id":[]}"#, r#"{"id":1,"id":2}"#, r#"{"ID":1}"#]
    {
        assert!(error(json).contains("`id`"), "{json}: {}", error(json));
    }
    for json in ["[1]", "1", r#""{}""#, "null"] {
        assert!(error(json).starts_with("expected an object"), "{json}");
    }
}

#[test]
fn other_members_of_any_form_do_no_harm() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for members in [r#""\ud800":1"#, r#""":{}"#, r#""a":1,"a":2"#, &format!(r#""deep":{deep}"#)] {
        read_all::<Project>(members);
    }
}

#[test]
fn unread_fields_are_named_in_a_bounded_text() {
    let entries = vec!["{}"; 5_000].join(",");
    let mut unread = Unread::default();
    read_payload::<Project>(&format!(r#"{{"id":1,"tags":[{entries}],"customer":[]}}"#), &mut unread).unwrap();
    let detail = unread.to_string();
    assert!(detail.starts_with("left out because they cannot be read: `tags[0]` (expected a text, found {});"));
    assert!(detail.ends_with("; and 4981 more"), "{detail}");
    assert!(detail.len() < 2_000, "{detail}");
}

proptest! {
    #[test]
    fn read_any_object_never_panics(value in ".{0,40}", json in r#"[{}\[\]",:0-9a-z\\u]{0,40}"#) {
        let text = serde_json::to_string(&value).unwrap();
        for json in [format!(r#"{{"id":1,"name":{text},"created_at":{text},"tags":[{text}],"customer":{text}}}"#), json] {
            let mut unread = Unread::default();
            let _ = read_payload::<Project>(&json, &mut unread);
            let _ = unread.to_string();
        }
    }
}
