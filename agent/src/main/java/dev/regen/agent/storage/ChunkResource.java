package dev.regen.agent.storage;

import dev.regen.agent.tcp.Bodies;
import dev.regen.agent.tcp.Exchange;
import dev.regen.agent.tcp.StatusException;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.remote.ChunkName;
import dev.regen.snapshot.remote.DigestList;
import dev.regen.snapshot.remote.DirectoryRemote;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.store.PackedChunkStore;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code /v1/missing}, {@code /v1/chunks} and {@code /v1/chunks/sha256/HEX}. */
final class ChunkResource {
  private static final Logger LOG = LoggerFactory.getLogger(ChunkResource.class);
  private static final String OCTETS = "application/octet-stream";
  private static final Pattern RANGE = Pattern.compile("bytes=([0-9]{1,9})-([0-9]{0,9})");

  private final DirectoryRemote store;
  private final Bodies bodies;
  private final ChunkMemory memory;

  ChunkResource(DirectoryRemote store, Bodies bodies, ChunkMemory memory) {
    this.store = store;
    this.bodies = bodies;
    this.memory = memory;
  }

  void missing(Exchange exchange) throws IOException, InterruptedException {
    int length =
        Bodies.length(exchange.request(), RemoteStore.DIGESTS_MAX * DigestList.DIGEST_BYTES);
    try (Bodies.Taken _ = bodies.take(length)) {
      List<Digest> asked = DigestList.decode(Bodies.read(exchange.request(), length));
      byte[] missing = DigestList.encode(store.missing(asked));
      exchange.set("Regen-Lease", Long.toString(DirectoryRemote.LEASE.toSeconds()));
      exchange.answer(200, OCTETS, missing);
    }
  }

  void list(Exchange exchange) throws IOException {
    String after = exchange.query("after");
    List<Digest> page = store.page(after.isEmpty() ? null : new Digest(after));
    exchange.answer(200, OCTETS, DigestList.encode(page));
  }

  void put(Exchange exchange, Digest digest) throws IOException, InterruptedException {
    int length = Bodies.length(exchange.request(), Chunk.STORED_BYTES_MAX);
    ChunkName name =
        new ChunkName(
            exchange.required("Regen-Image"),
            exchange.required("Regen-Layer"),
            Integer.parseInt(exchange.required("Regen-Index")),
            digest,
            length);
    try (Bodies.Taken _ = bodies.take(ChunkMemory.taken(length));
        InputStream body = Bodies.stream(exchange.request(), length);
        ChunkMemory.Arrived arrived = memory.read(body, length)) {
      boolean isNew = store.store(name, arrived.bytes());
      LOG.debug("{} {}", isNew ? "stored" : "there already", name);
      exchange.answer(isNew ? 201 : 200);
    }
  }

  /** The chunk as it lies here: whoever asked compares it with its digest. */
  void get(Exchange exchange, Digest digest) throws IOException {
    PackedChunkStore.Place place = place(digest);
    long size = place.length();
    String range = exchange.header("Range");
    exchange.set("Accept-Ranges", "bytes");
    if (range == null) {
      exchange.answer(200, place.file(), place.offset(), size);
      return;
    }
    Matcher bounds = RANGE.matcher(range);
    long from = bounds.matches() ? Long.parseLong(bounds.group(1)) : size;
    if (from >= size) {
      throw new StatusException(416, "the chunk has " + size + " bytes, asked was " + range);
    }
    String to = bounds.group(2);
    long last = Math.min(size - 1, to.isEmpty() ? size - 1 : Long.parseLong(to));
    if (last < from) {
      throw new StatusException(416, "the chunk has " + size + " bytes, asked was " + range);
    }
    exchange.set("Content-Range", "bytes " + from + "-" + last + "/" + size);
    exchange.answer(206, place.file(), place.offset() + from, last - from + 1);
  }

  void head(Exchange exchange, Digest digest) throws IOException {
    exchange.set("Content-Length", Integer.toString(place(digest).length()));
    exchange.response().setStatus(200);
    exchange.response().write(true, null, exchange.callback());
  }

  void delete(Exchange exchange, Digest digest) throws IOException {
    place(digest);
    store.delete(digest);
    exchange.answer(204);
  }

  private PackedChunkStore.Place place(Digest digest) throws IOException {
    return store
        .place(digest)
        .orElseThrow(() -> new RegenException.NotFound("no chunk " + digest + " here"));
  }
}
