// Amazon's KPL with its defaults, except for the endpoint and the shards' rate limit: the sink has none.
// A tenth of the records goes ahead to warm up the JVM and the native process, and is not measured.

import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import software.amazon.kinesis.producer.KinesisProducer;
import software.amazon.kinesis.producer.KinesisProducerConfiguration;

public class KplClient {
    private static KinesisProducer producer;

    public static void main(String[] arguments) throws Exception {
        URI endpoint = URI.create(System.getenv("ENDPOINT"));
        List<String> lines = Files.readAllLines(Path.of(System.getenv("WORKLOAD")));
        producer = new KinesisProducer(new KinesisProducerConfiguration()
            .setRegion("us-east-1")
            .setKinesisEndpoint(endpoint.getHost())
            .setKinesisPort(endpoint.getPort())
            .setStsEndpoint(endpoint.getHost())
            .setStsPort(endpoint.getPort())
            .setVerifyCertificate(false)
            .setMetricsLevel("none")
            .setRecordTtl(600_000)
            .setRateLimit(Long.MAX_VALUE / 1_000_000_000));
        int warmUp = lines.size() / 10;
        putAll(lines.subList(0, warmUp));
        say("BEGIN");
        putAll(lines.subList(warmUp, lines.size()));
        say("END");
        producer.destroy();
    }

    private static void putAll(List<String> lines) throws InterruptedException {
        for (String line : lines) {
            // Partition key, payload, and perhaps an explicit hash key.
            int tab = line.indexOf('\t');
            int second = line.indexOf('\t', tab + 1);
            String hashKey = second < 0 ? null : line.substring(second + 1);
            String payload = line.substring(tab + 1, second < 0 ? line.length() : second);
            ByteBuffer data = ByteBuffer.wrap(payload.getBytes(StandardCharsets.US_ASCII));
            producer.addUserRecord("orders", line.substring(0, tab), hashKey, data);
            // KPL bounds nothing by itself; its documentation advises to watch this number.
            while (producer.getOutstandingRecordsCount() > 20_000) {
                Thread.sleep(1);
            }
        }
        producer.flush();
        while (producer.getOutstandingRecordsCount() > 0) {
            Thread.sleep(1);
        }
    }

    private static void say(String word) throws Exception {
        System.out.println(word);
        System.out.flush();
        while (System.in.read() != '\n') {
        }
    }
}
