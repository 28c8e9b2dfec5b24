"""Bills what hashbuy writes to the topic `orders`, each purchase and each credit once."""
import argparse
import sqlite3

from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event
from confluent_kafka import Consumer, KafkaError, KafkaException

SIGNS = {"order.placed": 1, "order.credited": -1, "order.credit_reversed": 1}

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("brokers", help="HOST:PORT, with commas between them")
parser.add_argument("--topic", default="orders")
parser.add_argument("--group", default="biller", help="the consumer group")
parser.add_argument("--book", default="biller.db", help="an SQLite file with all that was billed")
parser.add_argument("--once", action="store_true", help="end where the topic ends at the moment")
args = parser.parse_args()

book = sqlite3.connect(args.book, isolation_level=None)
book.execute("create table if not exists bills (id text primary key, card_token text, amount integer, currency text)")
consumer = Consumer({
    # One at a time works with the book; killed and started again, it goes on at once.
    "bootstrap.servers": args.brokers, "group.id": args.group, "group.instance.id": args.group, "auto.offset.reset": "earliest",
    # Only what is committed, and its offset only when it stands in the book.
    "isolation.level": "read_committed", "enable.auto.commit": False, "enable.partition.eof": True,
})
consumer.subscribe([args.topic])
billed, refused, at_end = 0, 0, set()
while not (args.once and at_end and len(at_end) == len(consumer.assignment())):
    if (message := consumer.poll(1.0)) is None:
        continue
    if message.error():
        if message.error().code() != KafkaError._PARTITION_EOF:
            raise KafkaException(message.error())
        at_end.add(message.partition())
        continue
    event = from_kafka_event(KafkaMessage(dict(message.headers()), message.key(), message.value()))
    if sign := SIGNS.get(event.get_type()):  # what it does not know it leaves alone
        order = event.get_data()
        money = order["price"] if "price" in order else order["credited"]
        # A purchase is known by its purchase_id, a credit by its event_id: both are the same on every replay.
        bill = (order.get("purchase_id") or order["event_id"], order["card_token"], sign * money["amount"], money["currency"])
        is_new = book.execute("insert or ignore into bills values (?, ?, ?, ?)", bill).rowcount == 1
        billed, refused = billed + is_new, refused + (not is_new)
    consumer.commit(message, asynchronous=False)
consumer.close()
sums = book.execute("select currency, count(*), sum(amount) from bills group by currency order by currency").fetchall()
print(f"billed {billed}, refused {refused} known;", *(f"{count} bills of {amount} {currency}" for currency, count, amount in sums))
