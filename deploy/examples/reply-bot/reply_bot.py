"""Answers tweets with the replies that hashbuy writes to the topic `purchases`, each once."""
import argparse
import json
import os
import sqlite3
import sys

from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event
from confluent_kafka import Consumer, KafkaError, KafkaException
from twitter_text import parse_tweet


class Microblog:
    """Stands for the microblog: a file with a line for each tweet of the bot.

    With X both would be requests: POST /2/tweets, and the search of GET /2/users/:id/tweets for an answer to a tweet.
    """

    def __init__(self, path):
        self.path = path

    def post(self, reply):
        line = json.dumps({"in_reply_to": reply["in_reply_to"], "text": reply["text"]}) + "\n"
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.write(file, line.encode())
        os.close(file)

    def has(self, reply):
        wanted = {"in_reply_to": reply["in_reply_to"], "text": reply["text"]}
        if not os.path.exists(self.path):
            return False
        with open(self.path, encoding="utf-8") as tweets:
            return any(json.loads(line) == wanted for line in tweets)


class Bot:
    """Posts each reply once, whenever it is killed.

    A reply stands in the book as `posting` before it is posted, and as `posted` after. What is found as `posting`
    at a start may or may not have been posted: only the microblog knows, so it is asked.
    """

    def __init__(self, book, microblog):
        self.microblog = microblog
        self.book = sqlite3.connect(book, isolation_level=None)
        self.book.execute("create table if not exists replies (event_id text primary key, state text, reply text)")
        self.posted = self.known = self.too_long = 0
        unknown = self.book.execute("select event_id, reply from replies where state = 'posting'").fetchall()
        for event_id, reply in unknown:
            self.finish(event_id, json.loads(reply), is_there=self.microblog.has(json.loads(reply)))

    def event(self, event_id, reply):
        # The microblog would refuse it. hashbuy writes none that is longer, so somebody has to be told.
        if not parse_tweet(reply["text"]).valid:
            self.too_long += 1
            print(f"event {event_id}: the reply is no tweet of at most 280 characters", file=sys.stderr)
            return
        row = (event_id, json.dumps(reply))
        if self.book.execute("insert or ignore into replies values (?, 'posting', ?)", row).rowcount == 0:
            self.known += 1
            return
        self.finish(event_id, reply, is_there=False)

    def finish(self, event_id, reply, is_there):
        if not is_there:
            self.microblog.post(reply)
            self.posted += 1
        self.book.execute("update replies set state = 'posted' where event_id = ?", (event_id,))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("brokers", help="HOST:PORT, with commas between them")
    parser.add_argument("--topic", default="purchases")
    parser.add_argument("--group", default="reply-bot", help="the consumer group")
    parser.add_argument("--book", default="reply-bot.db", help="an SQLite file with all replies")
    parser.add_argument("--microblog", default="microblog.jsonl", help="the file that stands for the microblog")
    parser.add_argument("--once", action="store_true", help="end where the topic ends at the moment")
    arguments = parser.parse_args()

    bot = Bot(arguments.book, Microblog(arguments.microblog))
    consumer = Consumer({
        "bootstrap.servers": arguments.brokers, "group.id": arguments.group, "auto.offset.reset": "earliest",
        # One at a time works with the book; killed and started again, it goes on at once.
        "group.instance.id": arguments.group,
        "isolation.level": "read_committed", "enable.auto.commit": False, "enable.partition.eof": True,
    })
    consumer.subscribe([arguments.topic])
    at_end = set()
    while not (arguments.once and at_end and len(at_end) == len(consumer.assignment())):
        message = consumer.poll(1.0)
        if message is None:
            continue
        if message.error():
            if message.error().code() != KafkaError._PARTITION_EOF:
                raise KafkaException(message.error())
            at_end.add(message.partition())
            continue
        event = from_kafka_event(KafkaMessage(dict(message.headers()), message.key(), message.value()))
        # Whatever its type is: what has a reply is answered.
        if "reply" in event.get_data():
            bot.event(event.get_id(), event.get_data()["reply"])
        consumer.commit(message, asynchronous=False)
    consumer.close()
    print(f"posted {bot.posted}, refused {bot.known} known and {bot.too_long} that are too long")


if __name__ == "__main__":
    main()
