package dev.regen.agent.storage;

import dev.regen.agent.tcp.Bodies;
import dev.regen.agent.tcp.Exchange;
import dev.regen.agent.tcp.StatusException;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.DirectoryRemote;
import dev.regen.snapshot.remote.RemoteStore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** {@code /v1/records/NAME}. An entity tag is the SHA-256 of a record's content. */
final class RecordResource {
  private static final Pattern TAG = Pattern.compile("\"([0-9a-f]{64})\"");

  private final DirectoryRemote store;
  private final Bodies bodies;

  RecordResource(DirectoryRemote store, Bodies bodies) {
    this.store = store;
    this.bodies = bodies;
  }

  /** The names, one a line: no name holds a line's end. */
  void list(Exchange exchange) throws IOException {
    List<String> names = store.records(exchange.query("prefix"));
    byte[] lines =
        names.isEmpty()
            ? new byte[0]
            : (String.join("\n", names) + "\n").getBytes(StandardCharsets.US_ASCII);
    exchange.answer(200, "text/plain", lines);
  }

  void get(Exchange exchange, String name) throws IOException, InterruptedException {
    long size = store.recordBytes(name);
    try (Bodies.Taken _ = bodies.take(Math.max(0, size))) {
      byte[] content =
          store
              .record(name)
              .orElseThrow(() -> new RegenException.NotFound("no record '" + name + "' here"));
      exchange.set("ETag", '"' + RemoteStore.tag(content) + '"');
      exchange.send(200, "application/octet-stream", content);
    }
  }

  void put(Exchange exchange, String name) throws IOException, InterruptedException {
    String ifTag = condition(exchange);
    int length = Bodies.length(exchange.request(), RemoteStore.RECORD_BYTES_MAX);
    try (Bodies.Taken _ = bodies.take(length)) {
      byte[] content = Bodies.read(exchange.request(), length);
      if (!store.replaceRecord(name, content, ifTag)) {
        throw new StatusException(412, "the record '" + name + "' is another one");
      }
      exchange.set("ETag", '"' + RemoteStore.tag(content) + '"');
      exchange.answer(204);
    }
  }

  void delete(Exchange exchange, String name) throws IOException {
    store.deleteRecord(name);
    exchange.answer(204);
  }

  private static @Nullable String condition(Exchange exchange) throws RegenException {
    String none = exchange.header("If-None-Match");
    String match = exchange.header("If-Match");
    if (none == null && match == null) {
      return null;
    }
    if (match == null && "*".equals(none)) {
      return RemoteStore.ABSENT;
    }
    Matcher tag = TAG.matcher(match == null ? "" : match);
    if (none != null || !tag.matches()) {
      throw new RegenException.BadInput("understood are If-None-Match: * and If-Match: \"TAG\"");
    }
    return tag.group(1);
  }
}
