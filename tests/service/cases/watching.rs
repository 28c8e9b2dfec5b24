//! What somebody sees who watches a process: its page, and what it says of its beginning.

use hashbuy::metrics::{self, Kind, Metric};
use serde_json::json;

use crate::common::program::text;
use crate::process::Service;
use crate::world::{INBOX, SOON, World, account, offer};

// As long as real ones: a shorter id could stand in a figure by chance.
const ANNA: u64 = 7_340_126_589_417_203_901;
const BEN: u64 = 7_340_126_589_417_203_902;

/// From the start to a purchase, and to a second start: what is missing, every metric, and what is restored.
pub fn every_metric_is_served(world: &mut World) {
    let mut kettle = offer("kettle", "#GetKettle");
    kettle["stock"] = json!(3);
    world.set_up(&[kettle], &[account(ANNA), account(BEN)]);
    let firehose = world.firehose();
    let mut service = world.run("a");
    let (status, missing) = service.get("/readyz");
    assert_eq!(status, 503, "nobody is ready that early: {missing}");
    for line in missing.lines() {
        assert!(["desk 0: ", "feeder: ", "scan 0: "].iter().any(|who| line.starts_with(who)), "{line}");
    }
    assert!(missing.contains("desk 0: has not met its group yet"), "{missing}");
    service.await_ready();
    service.await_log("\"message\":\"ready\"", SOON);
    service.await_log(&format!("restoring {INBOX} partitions, 0 records of the changelog"), SOON);
    service.await_log(&format!("{INBOX} partitions back after"), SOON);

    firehose.tweet(ANNA, "#GetKettle");
    firehose.tweet(BEN, "#GetKettle");
    let requested = world.await_event("purchase.requested", ANNA, "kettle", SOON);
    firehose.tweet(ANNA, text(&requested, "code"));
    world.await_event("order.placed", ANNA, "kettle", SOON);
    world.await_count("purchase.requested", 2, SOON);

    let is_expected = |metric: &&&Metric| cfg!(target_os = "linux") || !metric.name.starts_with("process_");
    world.wait_for("every metric is served", SOON, |_| {
        let page = service.get("/metrics").1;
        metrics::ALL.iter().filter(is_expected).all(|metric| has(&page, metric)).then_some(())
    });
    let page = service.get("/metrics").1;
    for metric in metrics::ALL.iter().filter(is_expected) {
        let Metric { name, kind, what, .. } = metric;
        assert!(page.contains(&format!("# HELP {name} {what}\n")), "{name} is not described:\n{page}");
        assert!(page.contains(&format!("# TYPE {name} {}\n", kind.as_str())), "{name} is no {kind:?}");
    }
    for (series, value) in [
        ("hashbuy_delay_from_tweet_seconds_count", 3.0),
        ("hashbuy_delay_from_record_seconds_bucket{le=\"900\"}", 3.0),
        ("hashbuy_desk_pendings", 1.0),
        ("hashbuy_tables_offers", 1.0),
        ("hashbuy_tables_linked_accounts", 2.0),
        ("hashbuy_feeder_records_total{table=\"accounts\"}", 2.0),
        ("hashbuy_scan_sightings_total{kind=\"sighting\"}", 3.0),
        ("hashbuy_desk_events_total{type=\"order.placed\",reason=\"\"}", 1.0),
        ("hashbuy_desk_lockouts_total", 0.0),
        ("hashbuy_confirm_seconds_count", 1.0),
        ("hashbuy_offer_sold_total{offer=\"kettle\"}", 1.0),
        ("hashbuy_offer_revenue_minor_units_total{offer=\"kettle\",currency=\"USD\"}", 1_999.0),
        ("hashbuy_offer_stock_units{offer=\"kettle\"}", 3.0),
        ("hashbuy_desk_restoring_seconds", 0.0),
        ("hashbuy_desk_aborts_total{cause=\"fenced\"}", 0.0),
        ("hashbuy_desk_sought_again_total", 0.0),
        ("hashbuy_clock_offset_seconds", 0.0),
        ("hashbuy_desk_restored_partitions_total", f64::from(INBOX)),
        ("hashbuy_ready", 1.0),
    ] {
        assert!(page.contains(&format!("{series} ")), "{series} is not there:\n{page}");
        assert_eq!(service.metric(series), value, "{series}");
    }
    // It is looked at now and then.
    for (series, value) in [
        ("hashbuy_offer_sold_units{offer=\"kettle\"}", 1.0),
        ("hashbuy_feeder_lag_records{table=\"accounts\"}", 0.0),
        ("hashbuy_feeder_lag_records{table=\"offers\"}", 0.0),
    ] {
        world.wait_for(series, SOON, |_| (service.metric(series) == value).then_some(()));
    }
    // While there is noise, some of it has always come since the last commit.
    firehose.hush();
    world.wait_for("the lag is made up for", SOON, |_| {
        (service.metric("hashbuy_scan_lag_records{partition=\"0\"}") == 0.0).then_some(())
    });
    for secret in ["tok-", "door-", &ANNA.to_string(), text(&requested, "code").trim_start_matches('#')] {
        assert!(!page.contains(secret), "{secret} in {page}");
    }
    service.stop();

    let mut again = world.run("a");
    again.await_ready();
    again.await_log(&format!("{INBOX} partitions back after"), SOON);
    assert!(restored_records(&mut again) > 0.0, "{}", again.log());
    world.wait_for("Ben's purchase is pending again", SOON, |_| {
        (again.metric("hashbuy_desk_pendings") == 1.0).then_some(())
    });
    again.stop();
}

fn restored_records(service: &mut Service) -> f64 {
    service.metric("hashbuy_desk_restored_records_total")
}

/// Whether any series of a metric has a value.
fn has(page: &str, Metric { name, kind, .. }: &Metric) -> bool {
    let name = match kind {
        Kind::Histogram(_) => format!("{name}_bucket"),
        _ => (*name).to_owned(),
    };
    page.lines().any(|line| line.strip_prefix(&name).is_some_and(|rest| rest.starts_with([' ', '{'])))
}
