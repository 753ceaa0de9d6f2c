package dev.regen.agent.storage;

import dev.regen.agent.tcp.Bodies;
import dev.regen.agent.tcp.Exchange;
import dev.regen.agent.tcp.StatusException;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.remote.ChunkBatch;
import dev.regen.snapshot.remote.ChunkName;
import dev.regen.snapshot.remote.DigestList;
import dev.regen.snapshot.remote.DirectoryRemote;
import dev.regen.snapshot.remote.RemoteStore;
import dev.regen.snapshot.store.PackedChunkStore;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Many chunks in one request: {@code /v1/chunks}, {@code /v1/chunks/get} and {@code
 * /v1/chunks/delete}. One chunk at a time is in memory.
 */
final class BatchResource {
  private static final String OCTETS = "application/octet-stream";
  private static final int DETAIL_MAX = 500;

  private final DirectoryRemote store;
  private final Bodies bodies;
  private final ChunkMemory memory;

  BatchResource(DirectoryRemote store, Bodies bodies, ChunkMemory memory) {
    this.store = store;
    this.bodies = bodies;
    this.memory = memory;
  }

  /** Stores what it can; the answer, which names the others, comes when all of that lasts. */
  void put(Exchange exchange) throws IOException, InterruptedException {
    int length = Bodies.length(exchange.request(), ChunkBatch.BYTES_MAX);
    Map<Integer, ChunkBatch.Failed> failed = new TreeMap<>();
    Map<Integer, Digest> added = new TreeMap<>();
    try (InputStream body = Bodies.stream(exchange.request(), length)) {
      List<ChunkName> chunks = ChunkBatch.readHead(body);
      if (ChunkBatch.bytes(chunks) != length) {
        throw new StatusException(400, "the lengths of the chunks do not fit that of the body");
      }
      for (int i = 0; i < chunks.size(); i++) {
        add(i, chunks.get(i), body, added, failed);
      }
    } catch (EOFException e) {
      throw new StatusException(400, "the body ends in the middle of its list of chunks");
    }
    Set<Digest> lost = store.force(added.values());
    added.forEach((at, digest) -> {
      if (lost.contains(digest)) {
        failed.put(at, failed(store.lossCause()));
      }
    });
    exchange.answer(200, "application/json", ChunkBatch.answer(failed));
  }

  private void add(
      int at,
      ChunkName chunk,
      InputStream body,
      Map<Integer, Digest> added,
      Map<Integer, ChunkBatch.Failed> failed)
      throws IOException, InterruptedException {
    try (Bodies.Taken _ = bodies.take(ChunkMemory.taken(chunk.sizeBytes()));
        ChunkMemory.Arrived arrived = memory.read(body, chunk.sizeBytes())) {
      try {
        store.add(chunk, arrived.bytes());
        added.put(at, chunk.digest());
      } catch (IOException e) {
        failed.put(at, failed(e));
      }
    }
  }

  /** The chunks as they lie here: whoever asked compares them with their digests. */
  void get(Exchange exchange) throws IOException, InterruptedException {
    List<Optional<PackedChunkStore.Place>> places = new ArrayList<>();
    long length = 0;
    for (Digest digest : digests(exchange, ChunkBatch.CHUNKS_MAX)) {
      Optional<PackedChunkStore.Place> place = store.place(digest);
      places.add(place);
      length += ChunkBatch.LENGTH_BYTES + place.map(PackedChunkStore.Place::length).orElse(0);
    }
    exchange.begin(200, OCTETS, length);
    for (Optional<PackedChunkStore.Place> place : places) {
      int size = place.map(PackedChunkStore.Place::length).orElse(0);
      try (Bodies.Taken _ = bodies.take(size)) {
        ByteBuffer piece = ByteBuffer.allocate(ChunkBatch.LENGTH_BYTES + size).putInt(size);
        if (place.isPresent()) {
          read(place.get(), piece);
        }
        exchange.write(piece.flip());
      }
    }
    exchange.end();
  }

  /** Answers with those that are leased, and so stay. */
  void delete(Exchange exchange) throws IOException, InterruptedException {
    Set<Digest> leased = store.delete(digests(exchange, RemoteStore.DIGESTS_MAX));
    exchange.answer(200, OCTETS, DigestList.encode(leased));
  }

  private List<Digest> digests(Exchange exchange, int max)
      throws IOException, InterruptedException {
    int length = Bodies.length(exchange.request(), max * DigestList.DIGEST_BYTES);
    try (Bodies.Taken _ = bodies.take(length)) {
      return DigestList.decode(Bodies.read(exchange.request(), length));
    }
  }

  private static void read(PackedChunkStore.Place place, ByteBuffer into) throws IOException {
    try (FileChannel file = FileChannel.open(place.file(), StandardOpenOption.READ)) {
      long at = place.offset();
      while (into.hasRemaining()) {
        int read = file.read(into, at);
        if (read < 0) {
          throw new IOException(place.file() + " ends in the middle of a chunk");
        }
        at += read;
      }
    }
  }

  private static ChunkBatch.Failed failed(IOException cause) {
    Problem problem = Problem.of(cause);
    String detail = problem.detail();
    return new ChunkBatch.Failed(
        problem.status(), detail.substring(0, Math.min(detail.length(), DETAIL_MAX)));
  }
}
