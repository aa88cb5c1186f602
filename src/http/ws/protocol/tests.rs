use serde_json::json;

use super::*;

fn parse(mut protocol: Protocol, text: &str) -> Result<ClientMessage<'_>, CloseReason> {
    protocol.parse(text, true)
}

fn text(message: &Message) -> &str {
    let Message::Text(text) = message else { panic!("{message:?}") };
    text
}

#[test]
fn client_message_valid_is_parsed() {
    for text in [
        r#"{"type":"connection_init"}"#,
        r#"{"type":"connection_init","payload":null}"#,
        r#"{"type":"connection_init","payload":{"token":"x"},"more":1}"#,
        r#"{"type":"ping"}"#,
        r#"{"type":"pong","payload":{}}"#,
        r#"{"type":"complete","id":"1"}"#,
        r#"{"payload":{"query":"{a}","variables":null,"operationName":null,"extensions":null},"id":"1","type":"subscribe"}"#,
        r#"{"payload":{"query":"{a}","variables":[],"operationName":"","extensions":""},"id":"1","type":"subscribe"}"#,
    ] {
        parse(Protocol::TransportWs, text).unwrap_or_else(|close| panic!("{text}: {close}"));
    }
    for text in [
        r#"{"type":"connection_init","payload":{}}"#,
        r#"{"type":"start","id":"1","payload":{"query":"{a}","variables":null,"operationName":""}}"#,
        r#"{"type":"stop","id":"1"}"#,
        r#"{"type":"stop","id":"1","payload":{}}"#,
        r#"{"type":"connection_terminate"}"#,
        r#"{"type":"connection_terminate","payload":null}"#,
    ] {
        parse(Protocol::Older, text).unwrap_or_else(|close| panic!("{text}: {close}"));
    }
}

#[test]
fn client_message_invalid_is_rejected() {
    for (protocol, invalid) in [
        (
            Protocol::TransportWs,
            &[
                "",
                "x",
                "{}",
                "[]",
                "null",
                r#"{"type":1}"#,
                r#"{"type":"connection_ack"}"#,
                r#"{"type":"stop","id":"1"}"#,
                r#"{"type":"next","id":"1","payload":{}}"#,
                r#"{"type":"connection_init","payload":"x"}"#,
                r#"{"type":"ping","payload":[]}"#,
                r#"{"type":"pong","payload":1}"#,
                r#"{"type":"complete"}"#,
                r#"{"type":"complete","id":""}"#,
                r#"{"type":"complete","id":1}"#,
                r#"{"type":"subscribe","payload":{"query":"{a}"}}"#,
                r#"{"type":"subscribe","id":"1"}"#,
                r#"{"type":"subscribe","id":"1","payload":{}}"#,
                r#"{"type":"subscribe","id":"1","payload":{"query":1}}"#,
                r#"{"type":"subscribe","id":"1","payload":["{a}"]}"#,
                r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","variables":[1]}}"#,
            ][..],
        ),
        (
            Protocol::Older,
            &[
                "x",
                r#"{"type":"ka"}"#,
                r#"{"type":"ping"}"#,
                r#"{"type":"pong"}"#,
                r#"{"type":"subscribe","id":"1","payload":{"query":"{a}"}}"#,
                r#"{"type":"complete","id":"1"}"#,
                r#"{"type":"start","payload":{"query":"{a}"}}"#,
                r#"{"type":"start","id":"1","payload":{}}"#,
                r#"{"type":"stop"}"#,
            ],
        ),
    ] {
        for text in invalid {
            let parsed = parse(protocol, text);
            assert!(matches!(&parsed, Err(CloseReason::InvalidMessage(_))), "{protocol:?} {text}: {parsed:?}");
        }
    }
}

#[test]
fn start_switches_an_acknowledged_socket_for_good() {
    let start = r#"{"type":"start","id":"1","payload":{"query":"{a}"}}"#;
    let subscribe = r#"{"type":"subscribe","id":"1","payload":{"query":"{a}"}}"#;
    for before in [Protocol::TransportWs, Protocol::Undecided] {
        let mut protocol = before;
        let terminate = r#"{"type":"connection_terminate"}"#;
        for message in [start, terminate] {
            assert!(protocol.parse(message, false).is_err(), "only an acknowledged socket switches");
        }
        assert!(matches!(parse(before, terminate), Ok(ClientMessage::Terminate)));
        let mut protocol = before;
        assert!(protocol.parse(start, true).is_ok());
        assert_eq!(protocol, Protocol::Older);
        assert!(protocol.parse(subscribe, true).is_err());
        assert!(protocol.parse(start, true).is_ok());
    }
    let mut protocol = Protocol::Undecided;
    assert!(protocol.parse(r#"{"type":"connection_init"}"#, false).is_ok());
    assert_eq!(protocol, Protocol::Undecided);
    assert!(protocol.parse(subscribe, true).is_ok());
    assert_eq!(protocol, Protocol::TransportWs);
}

#[test]
fn payload_is_passed_on_verbatim() {
    let ping = r#"{"type":"ping","payload":{"b": 1.0, "a":12345678901234567890123}}"#;
    let Ok(ClientMessage::Ping(payload)) = parse(Protocol::TransportWs, ping) else { panic!("{ping}") };
    let expected = r#"{"type":"pong","payload":{"b": 1.0, "a":12345678901234567890123}}"#;
    assert_eq!(text(&Protocol::TransportWs.pong(payload)), expected);
    for (protocol, next) in [(Protocol::TransportWs, "next"), (Protocol::Older, "data")] {
        let message = protocol.next("a\"b", b"{\"data\":{\"n\": 1.00}}");
        assert_eq!(text(&message), format!(r#"{{"id":"a\"b","type":"{next}","payload":{{"data":{{"n": 1.00}}}}}}"#));
        let messages =
            [(message, next), (protocol.error("a\"b", b"[]"), "error"), (protocol.complete("a\"b"), "complete")];
        for (message, message_type) in messages {
            let parsed: Value = serde_json::from_str(text(&message)).unwrap();
            assert_eq!((&parsed["id"], &parsed["type"]), (&json!("a\"b"), &json!(message_type)));
        }
    }
}

#[test]
fn older_error_is_the_first_one() {
    let errors = br#"[{"message":"a"},{"message":"b"}]"#;
    assert_eq!(text(&Protocol::Older.error("1", errors)), r#"{"id":"1","type":"error","payload":{"message":"a"}}"#);
    assert!(text(&Protocol::TransportWs.error("1", errors)).contains(r#""payload":[{"message":"a"},{"message":"b"}]"#));
}
