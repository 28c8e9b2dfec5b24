//! Clocks that are off, by `libfaketime` between the program and its machine's clock.

use std::path::PathBuf;
use std::time::Duration;

use crate::process::Service;
use crate::scene::{SETTLED, Scene};

const PACE: Duration = Duration::from_millis(150);
const STEP: Duration = Duration::from_secs(60);

/// Where Linux distributions put the library.
const PLACES: [&str; 4] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
];

fn library() -> Option<PathBuf> {
    PLACES.map(PathBuf::from).into_iter().find(|place| place.is_file())
}

/// What is missing for rows with clocks.
pub fn missing() -> Option<String> {
    library().is_none().then(|| "libfaketime not installed".to_owned())
}

/// Starts some stages with a clock that is so many seconds off. Time passes as ever.
fn run_off(scene: &Scene, instance: &str, stage: &str, seconds: i64) -> Service {
    let library = library().unwrap().to_str().unwrap().to_owned();
    let variables = [
        ("LD_PRELOAD", library),
        ("FAKETIME", format!("{seconds:+}s")),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ];
    scene.world.start(instance, &["--stage", stage], &variables)
}

/// Row 14. The desk's clock is an hour ahead, then an hour behind: it says so and is not ready, and decides by the
/// brokers' times all the same.
pub fn of_the_desk(scene: &mut Scene) {
    let load = scene.open(PACE);
    let scan = scene.world.run_as("s", &["--stage", "scan"]);
    for (seconds, says) in [(3_600, "ahead of"), (-3_600, "behind")] {
        let mut desk = run_off(scene, "d", "desk", seconds);
        load.await_more(10, STEP, &scene.world);
        scene.world.wait_for("that it is not ready", STEP, |_| {
            let (status, said) = desk.get("/readyz");
            (status == 503 && said.contains(says) && said.contains("clock")).then_some(())
        });
        scene.say(&format!("by {seconds} s: {}", desk.get("/readyz").1.lines().next().unwrap_or_default()));
        desk.stop();
    }
    let desk = scene.world.run_as("d", &["--stage", "desk"]);
    scene.settle(load, [scan, desk]);
}

/// Row 14. The scan's clock is an hour behind: all tweets are ahead of it. It ends and says so, and nothing is lost.
/// An hour ahead is nothing to it.
pub fn of_the_scan(scene: &mut Scene) {
    let load = scene.open(PACE);
    let desk = scene.world.run_as("d", &["--stage", "desk"]);
    let scan = run_off(scene, "s", "scan", 3_600);
    load.await_more(10, STEP, &scene.world);
    scan.stop();
    let (code, log) = run_off(scene, "s", "scan", -3_600).await_end(SETTLED);
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("set the clock, nothing was lost") && !log.contains("panicked"), "{log}");
    let scan = scene.world.run_as("s", &["--stage", "scan"]);
    scene.settle(load, [scan, desk]);
}
