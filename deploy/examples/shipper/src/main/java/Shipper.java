import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.cloudevents.CloudEvent;
import io.cloudevents.kafka.CloudEventDeserializer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Ships what hashbuy writes to the topic {@code orders}, each purchase once: a line of a file is a parcel. */
public final class Shipper {
    private final ObjectMapper json = new ObjectMapper();
    private final Path parcels;
    private final Set<String> known = new HashSet<>();
    private int shipped;
    private int refused;

    private Shipper(Path parcels) throws IOException {
        this.parcels = parcels;
        if (Files.exists(parcels)) {
            for (String line : Files.readAllLines(parcels)) {
                known.add(line.split("\t")[0]);
            }
        }
    }

    public static void main(String[] arguments) throws IOException {
        if (arguments.length < 4) {
            System.err.println("usage: Shipper BROKERS TOPIC GROUP PARCELS [--once]");
            System.exit(2);
        }
        var once = List.of(arguments).contains("--once");
        var shipper = new Shipper(Path.of(arguments[3]));
        var settings = Map.<String, Object>of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0],
                ConsumerConfig.GROUP_ID_CONFIG, arguments[2],
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest",
                // Only what is committed, and its offset only when the parcel is on its way.
                ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed",
                ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new CloudEventDeserializer())) {
            consumer.subscribe(List.of(arguments[1]));
            do {
                for (ConsumerRecord<String, CloudEvent> record : consumer.poll(Duration.ofMillis(500))) {
                    shipper.read(record.value());
                }
                consumer.commitSync();
            } while (!(once && isAtEnd(consumer)));
        }
        System.out.printf("shipped %d, refused %d known%n", shipper.shipped, shipper.refused);
    }

    private void read(CloudEvent event) throws IOException {
        if (!event.getType().equals("order.placed")) {
            return; // it bills no credits, and leaves alone what it does not know
        }
        JsonNode order = json.readTree(event.getData().toBytes());
        String purchase = order.get("purchase_id").asText();
        if (!known.add(purchase)) {
            refused++;
            return;
        }
        String parcel = String.join("\t", purchase, order.get("delivery_ref").asText(), order.path("product").asText());
        Files.writeString(parcels, parcel + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND, StandardOpenOption.DSYNC);
        shipped++;
    }

    /** Whether all that is committed at the moment was read. */
    private static boolean isAtEnd(KafkaConsumer<String, CloudEvent> consumer) {
        var assigned = consumer.assignment();
        return !assigned.isEmpty()
                && consumer.endOffsets(assigned).entrySet().stream().allMatch(end -> consumer.position(end.getKey()) >= end.getValue());
    }
}
