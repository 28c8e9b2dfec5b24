//! Whatever a world has made the service write is what the published schemas say, committed or not.

use crate::common::schema;
use crate::topics::Follower;
use crate::world::World;

/// The topics that the service fills and that have a schema, by their names in the configuration.
const WRITTEN: [&str; 4] = ["inbox", "changelog", "purchases", "orders"];

/// Looks at every record of the world's topics.
///
/// # Panics
/// At the first one that is something else.
pub fn is_as_published(world: &World) {
    let topics = WRITTEN.map(|name| world.topic(name));
    for record in Follower::everything(&world.bootstrap, &topics) {
        let Some(value) = &record.value else { continue };
        let name = WRITTEN.into_iter().find(|name| world.topic(name) == record.topic).unwrap();
        let fault = match name {
            "inbox" | "changelog" => schema::record_fault(name, value),
            _ => schema::fault(&record.json()),
        };
        if let Some(fault) = fault {
            panic!("{}/{}@{}: {fault}", record.topic, record.partition, record.offset);
        }
    }
}
