package dev.regen.snapshot.remote;

import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Puts chunks to a server and gets them from it: many threads' together, where they come at once.
 * What one of them is refused, or is damaged of it, spoils no other.
 */
final class ChunkCalls {
  private static final String MANY = "/v1/chunks";
  private static final String MANY_BACK = "/v1/chunks/get";
  private static final String ONE = "/v1/chunks/sha256/";

  /** What goes together: enough that a call costs little beside it, little enough for the heap. */
  private static final int CHUNKS_TOGETHER = 256;

  private static final long BYTES_TOGETHER = 1 << 20;

  /** What a socket usually takes at once. */
  private static final int PIECE_BYTES = 128 << 10;

  /** The answer where the bytes are in memory of the caller's. */
  private static final byte[] LANDED = new byte[0];

  private final Calls calls;
  private final Gathering<Stored, Digest> puts;
  private final Gathering<Wanted, byte[]> gets;

  private record Stored(ChunkName name, ByteBuffer bytes) {}

  /**
   * @param landing where its bytes go; null if they are the answer
   */
  private record Wanted(Digest digest, int sizeBytes, @Nullable Landing landing) {}

  ChunkCalls(Calls calls) {
    this.calls = calls;
    this.puts = calls.gathering(CHUNKS_TOGETHER, BYTES_TOGETHER, this::put);
    this.gets = calls.gathering(CHUNKS_TOGETHER, BYTES_TOGETHER, this::get);
  }

  /** Where one chunk is. */
  static String path(Digest digest) {
    return ONE + digest.hex();
  }

  /** How many chunks of such a size go in one call now, at least 1. */
  int together(int bytes) {
    long most = Math.max(puts.bytesTogether(), gets.bytesTogether());
    return Math.toIntExact(Math.max(1, most / Math.max(bytes, Gathering.BYTES_MIN)));
  }

  /**
   * Stores a chunk.
   *
   * @param stored its bytes, left alone; nobody changes them, also when this has thrown
   */
  void put(ChunkName chunk, ByteBuffer stored) throws IOException {
    puts.ask(new Stored(chunk, stored.duplicate()), chunk.sizeBytes());
  }

  /** A chunk's bytes, compared with its digest. */
  byte[] get(Digest digest, int sizeBytes) throws IOException {
    byte[] bytes = gets.ask(new Wanted(digest, sizeBytes, null), sizeBytes);
    if (bytes.length != sizeBytes || !Digest.of(ByteBuffer.wrap(bytes)).equals(digest)) {
      throw other(digest);
    }
    return bytes;
  }

  /**
   * As above, into memory of the caller's, which nobody writes to any more when this has returned
   * or thrown.
   */
  void get(Digest digest, int sizeBytes, byte[] into) throws IOException {
    Landing landing = new Landing(into, sizeBytes);
    int count;
    try {
      gets.ask(new Wanted(digest, sizeBytes, landing), sizeBytes);
    } finally {
      count = landing.takeBack();
    }
    if (count != sizeBytes || !Digest.of(ByteBuffer.wrap(into, 0, sizeBytes)).equals(digest)) {
      throw other(digest);
    }
  }

  RegenException.Damaged other(Digest digest) {
    return new RegenException.Damaged(
        calls.server() + " has other bytes under the name of " + digest);
  }

  private void put(List<Gathering.Asked<Stored, Digest>> together, Pace.Turn turn)
      throws IOException {
    if (together.size() == 1) {
      Stored one = together.getFirst().item();
      HttpRequest.Builder request =
          calls
              .to(path(one.name().digest()))
              .setHeader("Regen-Image", one.name().image())
              .setHeader("Regen-Layer", one.name().layer())
              .setHeader("Regen-Index", Integer.toString(one.name().index()))
              .PUT(body(one.bytes()));
      calls.body(request, 0, turn);
      together.getFirst().answer(one.name().digest());
      return;
    }
    List<ChunkName> names = together.stream().map(asked -> asked.item().name()).toList();
    BodyPublisher[] parts = new BodyPublisher[1 + together.size()];
    parts[0] = BodyPublishers.ofByteArray(ChunkBatch.head(names));
    for (int i = 0; i < together.size(); i++) {
      parts[1 + i] = body(together.get(i).item().bytes());
    }
    HttpRequest.Builder request = calls.to(MANY).POST(BodyPublishers.concat(parts));
    byte[] answer = calls.body(request, ChunkBatch.ANSWER_BYTES_MAX, turn);
    Map<Integer, ChunkBatch.Failed> failed;
    try {
      failed = ChunkBatch.readAnswer(answer, together.size());
    } catch (IOException e) {
      throw calls.nonsense(String.valueOf(e.getMessage()));
    }
    failed.forEach((at, why) -> together.get(at).fail(calls.failure(why.status(), why.detail())));
    together.forEach(asked -> asked.answer(asked.item().name().digest()));
  }

  private void get(List<Gathering.Asked<Wanted, byte[]>> together, Pace.Turn turn)
      throws IOException {
    if (together.size() == 1) {
      getAlone(together.getFirst(), turn);
      return;
    }
    List<Digest> digests = together.stream().map(asked -> asked.item().digest()).toList();
    int expected =
        together.stream()
            .mapToInt(asked -> asked.item().sizeBytes() + ChunkBatch.LENGTH_BYTES)
            .sum();
    HttpRequest.Builder request =
        calls.to(MANY_BACK).POST(BodyPublishers.ofByteArray(DigestList.encode(digests)));
    ByteBuffer answer;
    try {
      answer = ByteBuffer.wrap(calls.body(request, expected, turn));
    } catch (RegenException.Damaged e) {
      // One of them is longer than it may be; no more than was asked for is taken into memory.
      together.forEach(this::getAlone);
      return;
    }
    give(together, answer);
  }

  private void getAlone(Gathering.Asked<Wanted, byte[]> asked, Pace.Turn turn) throws IOException {
    Wanted wanted = asked.item();
    if (wanted.landing() == null) {
      asked.answer(calls.body(one(wanted), most(wanted), turn));
    } else {
      calls.body(one(wanted), wanted.landing(), turn);
      asked.answer(LANDED);
    }
  }

  private static byte[] land(Landing landing, ByteBuffer bytes) {
    landing.write(0, bytes);
    return LANDED;
  }

  private void getAlone(Gathering.Asked<Wanted, byte[]> asked) {
    try {
      Landing landing = asked.item().landing();
      byte[] bytes = calls.body(one(asked.item()), most(asked.item()));
      asked.answer(landing == null ? bytes : land(landing, ByteBuffer.wrap(bytes)));
    } catch (IOException e) {
      asked.fail(e);
    }
  }

  private HttpRequest.Builder one(Wanted wanted) {
    return calls.to(path(wanted.digest())).GET();
  }

  private static int most(Wanted wanted) {
    return Math.min(wanted.sizeBytes(), Chunk.STORED_BYTES_MAX);
  }

  private void give(List<Gathering.Asked<Wanted, byte[]>> together, ByteBuffer answer)
      throws IOException {
    for (Gathering.Asked<Wanted, byte[]> asked : together) {
      if (answer.remaining() < ChunkBatch.LENGTH_BYTES) {
        throw calls.nonsense("chunks that it was asked for are missing at the end");
      }
      int length = answer.getInt();
      if (length < 0 || length > answer.remaining()) {
        throw calls.nonsense("a chunk of " + length + " bytes reaches over the end");
      }
      Digest digest = asked.item().digest();
      if (length == 0) {
        asked.fail(calls.failure(404, "no chunk " + digest + " there"));
      } else if (length != asked.item().sizeBytes()) {
        asked.fail(other(digest));
      } else {
        ByteBuffer bytes = answer.slice(answer.position(), length);
        Landing landing = asked.item().landing();
        asked.answer(landing == null ? copy(bytes) : land(landing, bytes));
      }
      answer.position(answer.position() + length);
    }
    if (answer.hasRemaining()) {
      throw calls.nonsense("more follows the chunks that it was asked for");
    }
  }

  private static byte[] copy(ByteBuffer bytes) {
    byte[] copy = new byte[bytes.remaining()];
    bytes.get(copy);
    return copy;
  }

  private static BodyPublisher body(ByteBuffer stored) {
    if (stored.remaining() > PIECE_BYTES) {
      return BodyPieces.of(stored, PIECE_BYTES);
    }
    if (stored.hasArray()) {
      int from = stored.arrayOffset() + stored.position();
      return BodyPublishers.ofByteArray(stored.array(), from, stored.remaining());
    }
    return BodyPublishers.ofByteArray(copy(stored));
  }
}
