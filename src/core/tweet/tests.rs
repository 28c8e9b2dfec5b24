use super::*;

fn tweet(json: &str) -> Tweet {
    match parse(json.as_bytes()) {
        Ok(Record::Tweet(tweet)) => tweet,
        other => panic!("{json}: {other:?}"),
    }
}

fn reason(json: &str) -> &'static str {
    match parse(json.as_bytes()) {
        Err(bad) => bad.reason(),
        Ok(record) => panic!("{json}: {record:?}"),
    }
}

fn control(json: &str) -> Control {
    match parse(json.as_bytes()) {
        Ok(Record::Control(kind)) => kind,
        other => panic!("{json}: {other:?}"),
    }
}

fn deletion(json: &str) -> (u64, u64) {
    match parse(json.as_bytes()) {
        Ok(Record::Deletion(deletion)) => (deletion.id.get(), deletion.author.get()),
        other => panic!("{json}: {other:?}"),
    }
}

#[test]
fn a_v1_tweet() {
    let tweet = tweet(
        r#"{"created_at":"Wed May 04 09:00:00 +0000 2016","id":1,"id_str":"727784831185847308",
            "text":"yes #Tea","truncated":false,"favorited":{"a":[1,{"b":"\ud800"}]},
            "user":{"name":"\udfff","id":5,"id_str":"70210001","screen_name":"mira_k","protected":true},
            "retweeted":true,"retweeted_status":null}"#,
    );
    assert_eq!(tweet.id.get(), 727_784_831_185_847_308);
    assert_eq!(tweet.first_id, tweet.id);
    assert_eq!(tweet.time.to_string(), "2016-05-04T09:00:00.000Z");
    assert_eq!(tweet.author.get(), 70_210_001);
    assert_eq!(tweet.handle.as_deref(), Some("mira_k"));
    assert!(tweet.protected);
    assert!(!tweet.retweet, "`retweeted` is the viewer's flag");
    assert_eq!(tweet.text.as_str(), "yes #Tea");
}

#[test]
fn the_first_text_that_is_a_string() {
    for (fields, text) in [
        (r#""text":"a","full_text":"b","extended_tweet":{"full_text":"c"}"#, "c"),
        (r#""text":"a","full_text":"b","extended_tweet":{"full_text":null}"#, "b"),
        (r#""text":"a","full_text":5,"extended_tweet":7"#, "a"),
    ] {
        let json = format!(r#"{{"id":727784831185847308,"user":{{"id":5}},{fields}}}"#);
        assert_eq!(tweet(&json).text.as_str(), text);
    }
    let v2 = |fields: &str| format!(r#"{{"data":{{"id":"727784831185847308","author_id":"5",{fields}}}}}"#);
    assert_eq!(tweet(&v2(r#""text":"a","note_tweet":{"text":"b"}"#)).text.as_str(), "b");
    assert_eq!(tweet(&v2(r#""text":"a","note_tweet":{"text":[]}"#)).text.as_str(), "a");
    assert_eq!(tweet(&v2(r#""text":"a","note_tweet":null,"tweet_delete":null"#)).text.as_str(), "a");
}

#[test]
fn a_v2_tweet() {
    let tweet = tweet(
        r#"{"data":{"id":"727785082844088054","author_id":"70210001","text":"\u0023Tea &amp; \u002e",
              "edit_history_tweet_ids":["727784831185848047","727785082844088054"],
              "referenced_tweets":[{"type":"quoted","id":"1"},{"type":"retweeted","id":"2"}]},
            "includes":{"users":[{"id":"5","username":"x","protected":false},
                                 {"id":"70210001","username":"mira_k","protected":true}]}}"#,
    );
    assert_eq!(tweet.first_id.get(), 727_784_831_185_848_047);
    assert_eq!(tweet.time.to_string(), "2016-05-04T09:01:00.000Z");
    assert_eq!((tweet.handle.as_deref(), tweet.protected, tweet.retweet), (Some("mira_k"), true, true));
    assert_eq!(tweet.text.as_str(), "#Tea & .");
}

#[test]
fn an_activity() {
    let json = r#"{"id":"tag:search.twitter.com,2005:727784831185847308","objectType":"activity","verb":"VERB",
        "body":"short","long_object":{"body":"long"},"twitter_quoted_status":{"body":"other"},
        "actor":{"id":"id:twitter.com:70210001","preferredUsername":"mira_k"},"object":{"id":"x:9"}}"#;
    let post = tweet(&json.replace("VERB", "post"));
    assert_eq!((post.id.get(), post.author.get()), (727_784_831_185_847_308, 70_210_001));
    assert_eq!((post.text.as_str(), post.retweet), ("long", false));
    assert!(tweet(&json.replace("VERB", "share")).retweet);
    assert_eq!(deletion(&json.replace("VERB", "delete")), (9, 70_210_001));
    assert_eq!(control(&json.replace("VERB", "scrub_geo")), Control::Other);
}

#[test]
fn deletions() {
    for json in [
        r#"{"delete":{"status":{"id":1,"id_str":"8","user_id":2,"user_id_str":"9"},"timestamp_ms":"5"}}"#,
        r#"{"delete":{"status":{"user_id":9,"id":8}}}"#,
        r#"{"d\u0065lete":{"tweet":{"id":"8","author_id":"9"}}}"#,
        r#"{"data":{"tweet_delete":{"tweet":{"id":"8","author_id":"9"},"event_at":"x"}}}"#,
        r#"{"verb":"delete","objectType":"activity","id":"x:8","actor":{"id":"id:twitter.com:9"}}"#,
        r#"{"verb":"delete","objectType":"activity","id":"x:8","object":{"id":null},"actor":{"id":"x:9"}}"#,
        r#"{"delete":{"status":null,"tweet":{"id":"8","author_id":"9"}}}"#,
    ] {
        assert_eq!(deletion(json), (8, 9), "{json}");
    }
    assert_eq!(reason(r#"{"delete":{"status":{"id":8.5,"user_id":9}}}"#), "bad_id");
    assert_eq!(reason(r#"{"delete":{"tweet":{"id":"8"}}}"#), "bad_id");
    assert_eq!(reason(r#"{"data":{"tweet_delete":{}}}"#), "bad_id");
    assert_eq!(control(r#"{"delete":{"favorite":{}}}"#), Control::Other);
}

#[test]
fn old_ids_have_their_time_beside_them() {
    let v1 = |fields: &str| format!(r#"{{"id":13300000001,"text":"a","user":{{"id":5}},{fields}}}"#);
    let created = r#""created_at":"Sat May 01 12:00:20 +0000 2010""#;
    assert_eq!(tweet(&v1(created)).time.to_string(), "2010-05-01T12:00:20.000Z");
    let both = format!(r#"{created},"timestamp_ms":"1272715200000""#);
    assert_eq!(tweet(&v1(&both)).time.to_string(), "2010-05-01T12:00:00.000Z");
    for none in [r#""created_at":"yesterday""#, r#""timestamp_ms":"soon""#, r#""timestamp_ms":-1"#] {
        assert_eq!(reason(&v1(none)), "no_time", "{none}");
    }
    let activity = r#"{"id":"x:13300000001","verb":"post","objectType":"activity","body":"a",
        "actor":{"id":"x:5"},"postedTime":"2010-05-01T12:00:40.000Z"}"#;
    assert_eq!(tweet(activity).time.to_string(), "2010-05-01T12:00:40.000Z");
    assert_eq!(reason(&activity.replace("2010-", "")), "no_time");
}

#[test]
fn ids() {
    let v1 = |id: &str| format!(r#"{{{id},"text":"a","user":{{"id_str":"5"}},"timestamp_ms":"1"}}"#);
    for good in [
        r#""id":8"#,
        r#""id_str":"8""#,
        r#""id_str":"eight","id":8"#,
        r#""id":1.5,"id_str":"8""#,
        r#""id_str":8"#,
    ] {
        assert_eq!(tweet(&v1(good)).id.get(), 8, "{good}");
    }
    assert_eq!(tweet(&v1(r#""id":18446744073709551615"#)).id.get(), u64::MAX);
    for bad in [
        r#""id":8.0"#,
        r#""id":8e3"#,
        r#""id":-8"#,
        r#""id":0"#,
        r#""id_str":"0","id":8"#,
        r#""id":18446744073709551616"#,
        r#""id":true"#,
        r#""id":[8]"#,
    ] {
        assert_eq!(reason(&v1(bad)), "bad_id", "{bad}");
    }
    let user = |user: &str| format!(r#"{{"id":8,"text":"a","timestamp_ms":"1","user":{user}}}"#);
    for bad in [r#"{"id":-1}"#, r#"{"id":1.5}"#, r#"{"id_str":""}"#, r#"{"id_str":"0"}"#] {
        assert_eq!(reason(&user(bad)), "bad_id", "{bad}");
    }
}

#[test]
fn what_every_tweet_has() {
    assert_eq!(reason(r#"{"id":8,"text":"a","timestamp_ms":"1"}"#), "no_author");
    assert_eq!(reason(r#"{"id":8,"text":"a","timestamp_ms":"1","user":null}"#), "no_author");
    assert_eq!(reason(r#"{"id":8,"text":"a","timestamp_ms":"1","user":{"name":"x"}}"#), "no_author");
    assert_eq!(reason(r#"{"id":8,"timestamp_ms":"1","user":{"id":5}}"#), "no_text");
    assert_eq!(reason(r#"{"id":8,"text":5,"timestamp_ms":"1","user":{"id":5}}"#), "no_text");
    assert_eq!(reason(r#"{"text":"a","user":{"id":5}}"#), "bad_id");
    assert_eq!(reason(r#"{"data":{"id":"8","text":"a"}}"#), "no_author");
    assert_eq!(reason(r#"{"data":{"id":"8","author_id":"5"}}"#), "no_text");
    assert_eq!(
        reason(r#"{"verb":"post","objectType":"activity","id":"x:8","actor":{"id":"x:5"}}"#),
        "no_text"
    );
    assert_eq!(reason(r#"{"verb":"post","objectType":"activity","id":"x:8","body":"a"}"#), "no_author");
}

#[test]
fn handles() {
    for (handle, read) in [
        (r#""mira_k""#, Some("mira_k")),
        (r#""m\u0069ra""#, Some("mira")),
        (r#""""#, None),
        (r#""a b""#, None),
        ("5", None),
        ("null", None),
        (&format!(r#""{}""#, "x".repeat(65)), None),
    ] {
        let json =
            format!(r#"{{"id":8,"timestamp_ms":"1","text":"a","user":{{"id":5,"screen_name":{handle}}}}}"#);
        assert_eq!(tweet(&json).handle.as_deref(), read, "{handle}");
    }
}

#[test]
fn every_reason_is_listed() {
    let all = [
        BadRecord::NotUtf8(0),
        BadRecord::NotJson(String::new()),
        BadRecord::NotAnObject,
        BadRecord::TooDeep,
        BadRecord::BadId { field: "id", value: String::new() },
        BadRecord::NoAuthor("user"),
        BadRecord::NoText("text"),
        BadRecord::NoTime("created_at"),
        BadRecord::TimeAhead { time: Time::ZERO },
    ];
    assert_eq!(all.map(|bad| bad.reason()), BadRecord::REASONS);
}

#[test]
fn control_messages() {
    for kind in Control::ALL {
        assert_eq!(control(&format!(r#"{{"{}":{{"x":1}}}}"#, kind.as_str())), kind);
    }
    for other in
        ["{}", r#"{"friends":[1]}"#, r#"{"data":[1],"errors":[]}"#, r#"{"id":8}"#, r#"{"data":{"meta":{}}}"#]
    {
        assert_eq!(control(other), Control::Other, "{other}");
    }
}

#[test]
fn what_is_no_json_object() {
    assert_eq!(reason("[1]"), "not_an_object");
    assert_eq!(reason("5"), "not_an_object");
    assert_eq!(reason(r#"{"id":8"#), "not_json");
    assert_eq!(reason(r#"{"id":8} {}"#), "not_json");
    assert_eq!(parse(b"{\"a\":\"\xff\"}").unwrap_err(), BadRecord::NotUtf8(6));
    let nested = |levels: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(levels - 1), "]".repeat(levels - 1));
    assert_eq!(control(&nested(128)), Control::Other);
    assert_eq!(reason(&nested(129)), "too_deep");
    assert_eq!(reason(&nested(10_000)), "too_deep");
}
