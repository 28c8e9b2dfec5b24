//! What a row has to play with.

use std::time::{Duration, Instant};

use crate::audit::{Audit, audit};
use crate::broker::Broker;
use crate::common::program::text;
use crate::load::{self, Asked, Load};
use crate::process::Service;
use crate::proxy::Proxy;
use crate::world::{SOON, World, account};

/// Who shops at the end of a row, to see that everything still works.
const LAST: u64 = 9_000;
/// After the last fault everybody has what they are waiting for within so long.
pub const SETTLED: Duration = Duration::from_secs(120);

/// A world of a row's own, and the brokers it is on.
pub struct Scene<'b> {
    pub world: World,
    pub broker: &'b Broker,
    /// What is between the brokers, where something is.
    pub between: Option<Proxy>,
    name: &'static str,
    began: Instant,
    /// Whether anybody watches.
    loud: bool,
}

impl<'b> Scene<'b> {
    pub fn new(name: &'static str, broker: &'b Broker, loud: bool) -> Scene<'b> {
        let world = World::new(&broker.bootstrap);
        let scene = Scene { world, broker, between: None, name, began: Instant::now(), loud };
        scene.say("begins");
        scene
    }

    /// Tells what is done, where somebody watches.
    pub fn say(&self, what: &str) {
        if self.loud {
            eprintln!("{:>6.1} s  {}: {what}", self.began.elapsed().as_secs_f64(), self.name);
        }
    }

    /// The topics and tables of a world with shoppers in it; they begin to come, one in so long.
    pub fn open(&mut self, pace: Duration) -> Load {
        let mut accounts = load::accounts();
        accounts.push(account(LAST));
        self.world.set_up(&load::offers(), &accounts);
        Load::start(&self.world, pace)
    }

    /// Another world, for the next part of a row.
    pub fn anew(&mut self) {
        self.world = World::new(&self.broker.bootstrap);
    }

    /// A proxy in front of the brokers.
    pub fn proxy(&self) -> Proxy {
        Proxy::to(&self.broker.bootstrap)
    }

    /// Starts `hashbuy run` behind a proxy.
    pub fn run_behind(&self, proxy: &Proxy, instance: &str) -> Service {
        self.world.run_with(instance, &[("HASHBUY_KAFKA_BROKERS", proxy.bootstrap.clone())])
    }

    /// The id of an instance's transactions, which is the name of its member too.
    pub fn id(&self, instance: &str) -> String {
        format!("{}-desk-{instance}-0", self.world.app)
    }

    /// The end of a row: everybody gets what is due, the processes end well, all is as it has to be, and a process
    /// that comes then goes on from there.
    pub fn settle(&mut self, load: Load, services: impl IntoIterator<Item = Service>) -> Audit {
        self.say("settles");
        let asked = load.finish(SETTLED, &self.world);
        services.into_iter().for_each(Service::stop);
        self.verify(&asked)
    }

    /// The same, when nobody is at work any more.
    pub fn verify(&mut self, asked: &Asked) -> Audit {
        let found = audit(&mut self.world, asked);
        self.say(&format!("exact: {found:?}"));
        let service = self.world.run("last");
        let firehose = self.world.firehose();
        firehose.tweet(LAST, "#GetKettle");
        let requested = self.world.await_event("purchase.requested", LAST, "kettle", SOON);
        firehose.tweet(LAST, text(&requested, "code"));
        self.world.await_event("order.placed", LAST, "kettle", SOON);
        service.stop();
        self.say("went on");
        found
    }
}
