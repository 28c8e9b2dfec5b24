//! Rights on a cluster, as Kafka's ACLs have them: an operation on a resource.

use std::fmt;

/// What a right is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// A topic.
    Topic,
    /// A group of consumers.
    Group,
    /// A transactional id.
    TransactionalId,
    /// All transactional ids that begin with the name.
    TransactionalIds,
}

/// A right that somebody needs.
///
/// ```
/// # use hashbuy::log::right::{Resource, Right};
/// let right = Right::new("Write", Resource::Topic, "orders");
/// assert_eq!(right.to_string(), "Write on topic orders");
/// assert_eq!(right.words().join(" "), "--operation Write --topic orders");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// What may be done, as Kafka calls it: `Read`, `Write`, `DescribeConfigs`.
    pub operation: &'static str,
    /// What it is on.
    pub resource: Resource,
    /// The name of that.
    pub name: String,
}

impl Right {
    /// A right.
    pub fn new(operation: &'static str, resource: Resource, name: impl Into<String>) -> Right {
        Right { operation, resource, name: name.into() }
    }

    /// The arguments by which `kafka-acls` knows it.
    pub fn words(&self) -> Vec<String> {
        let option = match self.resource {
            Resource::Topic => "--topic",
            Resource::Group => "--group",
            Resource::TransactionalId | Resource::TransactionalIds => "--transactional-id",
        };
        let mut words = vec!["--operation", self.operation, option, &self.name];
        if self.resource == Resource::TransactionalIds {
            words.extend(["--resource-pattern-type", "prefixed"]);
        }
        words.into_iter().map(str::to_owned).collect()
    }

    /// What to say to whoever lacks it.
    pub fn lacking(&self) -> String {
        let words = self.words().join(" ");
        format!("this user lacks {self}: `kafka-acls --add --allow-principal User:NAME {words}`")
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.resource {
            Resource::Topic => "topic",
            Resource::Group => "group",
            Resource::TransactionalId => "transactional id",
            Resource::TransactionalIds => "transactional ids that begin with",
        };
        write!(f, "{} on {kind} {}", self.operation, self.name)
    }
}
