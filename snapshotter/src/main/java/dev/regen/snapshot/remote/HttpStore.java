package dev.regen.snapshot.remote;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * A storage server over HTTP/1.1, as {@code regen storage} runs one. Nothing it answers is
 * believed: chunks are compared with their digests, and lengths and counts have limits.
 *
 * <p>A call ends when no byte has moved for {@link Options#patience}, and after that and the time
 * its bytes need at 64 KiB/s whatever the server does; it is not tried again here. How many are
 * under way at once is found out ({@link #load}).
 */
public final class HttpStore implements RemoteStore {
  /** Chunks go together in few calls. */
  private static final Batch GATHERED = new Batch(512, 8 << 20);

  private static final String RECORDS = "/v1/records/";
  private static final int NAMES_BYTES_MAX = 32 << 20;
  private static final int STATUS_BYTES_MAX = 64 << 10;

  private final Calls calls;
  private final ChunkCalls chunks;
  private final Load load;

  /**
   * How to reach a server.
   *
   * @param token goes with each call; null for none
   * @param tls trust and client certificate for {@code https}; null for Java's own
   * @param patience the longest that nothing may move, and the most a call may take, on top of the
   *     time its bytes need
   * @param connections the most calls at once, at least 1, where the server bears them; others wait
   */
  public record Options(
      @Nullable String token, @Nullable SSLContext tls, Duration patience, int connections) {
    /** No token; 30 s; 16 connections. */
    public static final Options DEFAULT = new Options(null, null, Duration.ofSeconds(30), 16);
  }

  /**
   * A client of one server; no connection is made yet.
   *
   * @param server {@code http://HOST:PORT} or {@code https://HOST:PORT}, nothing after it
   */
  public HttpStore(URI server, Options options) {
    this.calls = new Calls(server, options);
    this.chunks = new ChunkCalls(calls);
    this.load = new ServerLoad(server.toString(), calls.pace(), chunks);
  }

  @Override
  public String id() throws IOException {
    byte[] status = calls.body(calls.to("/v1/status").GET(), STATUS_BYTES_MAX);
    String id;
    try {
      id = JsonObject.parse(status).string("id");
    } catch (IOException e) {
      throw calls.nonsense(String.valueOf(e.getMessage()));
    }
    if (!id.matches("[0-9a-f]{32}")) {
      throw calls.nonsense("it does not say which store it is");
    }
    return id;
  }

  @Override
  public Batch batch() {
    return GATHERED;
  }

  @Override
  public Load load() {
    return load;
  }

  @Override
  public Set<Digest> missing(Collection<Digest> digests) throws IOException {
    List<Digest> asked = List.copyOf(new LinkedHashSet<>(digests));
    Set<Digest> missing = new LinkedHashSet<>();
    for (int from = 0; from < asked.size(); from += DIGESTS_MAX) {
      List<Digest> some = asked.subList(from, Math.min(asked.size(), from + DIGESTS_MAX));
      byte[] answer =
          calls.body(
              calls.to("/v1/missing").POST(BodyPublishers.ofByteArray(DigestList.encode(some))),
              some.size() * DigestList.DIGEST_BYTES);
      List<Digest> told = digests(answer);
      if (!new HashSet<>(some).containsAll(told)) {
        throw calls.nonsense("it misses chunks that it was not asked about");
      }
      missing.addAll(told);
    }
    return missing;
  }

  @Override
  public void put(ChunkName chunk, ByteBuffer stored) throws IOException {
    chunks.put(chunk, stored);
    stored.position(stored.limit());
  }

  @Override
  public byte[] get(Digest digest, int sizeBytes) throws IOException {
    return chunks.get(digest, sizeBytes);
  }

  @Override
  public void get(Digest digest, int sizeBytes, byte[] into) throws IOException {
    chunks.get(digest, sizeBytes, into);
  }

  @Override
  public byte[] get(Digest digest) throws IOException {
    byte[] stored = body(digest, Chunk.STORED_BYTES_MAX);
    if (!Digest.of(ByteBuffer.wrap(stored)).equals(digest)) {
      throw chunks.other(digest);
    }
    return stored;
  }

  @Override
  public byte[] get(Digest digest, int offset, int length) throws IOException {
    if (offset < 0 || length < 1 || offset > Chunk.STORED_BYTES_MAX - length) {
      throw new RegenException.BadInput("no chunk has " + length + " bytes from " + offset);
    }
    String range = "bytes=" + offset + "-" + (offset + length - 1);
    HttpResponse<byte[]> answer =
        calls.answer(calls.to(ChunkCalls.path(digest)).setHeader("Range", range).GET(), length);
    if (answer.statusCode() != 206 || answer.body().length != length) {
      throw new RegenException.BadInput(
          digest + " has fewer than " + (offset + length) + " bytes on " + calls.server());
    }
    return answer.body();
  }

  @Override
  public void delete(Digest digest) throws IOException {
    calls.deleted(calls.to(ChunkCalls.path(digest)).DELETE());
  }

  @Override
  public Set<Digest> delete(Collection<Digest> digests) throws IOException {
    List<Digest> all = List.copyOf(new LinkedHashSet<>(digests));
    Set<Digest> left = new LinkedHashSet<>();
    for (int from = 0; from < all.size(); from += DIGESTS_MAX) {
      List<Digest> some = all.subList(from, Math.min(all.size(), from + DIGESTS_MAX));
      byte[] answer =
          calls.body(
              calls
                  .to("/v1/chunks/delete")
                  .POST(BodyPublishers.ofByteArray(DigestList.encode(some))),
              some.size() * DigestList.DIGEST_BYTES);
      List<Digest> told = digests(answer);
      if (!new HashSet<>(some).containsAll(told)) {
        throw calls.nonsense("it keeps chunks that it was not asked to delete");
      }
      left.addAll(told);
    }
    return left;
  }

  @Override
  public void list(Consumer<Digest> each) throws IOException {
    String after = "";
    while (true) {
      String path = after.isEmpty() ? "/v1/chunks" : "/v1/chunks?after=" + after;
      byte[] answer = calls.body(calls.to(path).GET(), DIGESTS_MAX * DigestList.DIGEST_BYTES);
      if (answer.length == 0) {
        return;
      }
      for (Digest digest : digests(answer)) {
        if (digest.hex().compareTo(after) <= 0) {
          throw calls.nonsense("its list of chunks is not in order");
        }
        after = digest.hex();
        each.accept(digest);
      }
    }
  }

  @Override
  public Optional<byte[]> record(String name, int limitBytes) throws IOException {
    try {
      return Optional.of(calls.body(calls.to(recordPath(name)).GET(), limitBytes));
    } catch (RegenException.NotFound e) {
      return Optional.empty();
    }
  }

  @Override
  public boolean replaceRecord(String name, byte[] content, @Nullable String ifTag)
      throws IOException {
    HttpRequest.Builder request =
        calls.to(recordPath(name)).PUT(BodyPublishers.ofByteArray(content));
    if (ABSENT.equals(ifTag)) {
      request.setHeader("If-None-Match", "*");
    } else if (ifTag != null) {
      request.setHeader("If-Match", '"' + ifTag + '"');
    }
    return calls.matched(request);
  }

  @Override
  public void deleteRecord(String name) throws IOException {
    calls.deleted(calls.to(recordPath(name)).DELETE());
  }

  @Override
  public List<String> records(String prefix) throws IOException {
    RecordNames.checkPrefix(prefix);
    byte[] answer = calls.body(calls.to("/v1/records?prefix=" + prefix).GET(), NAMES_BYTES_MAX);
    List<String> names = new ArrayList<>();
    for (String name : new String(answer, StandardCharsets.UTF_8).lines().toList()) {
      if (!name.startsWith(prefix) || !RecordNames.fits(name)) {
        throw calls.nonsense("it lists records that it was not asked about");
      }
      names.add(name);
    }
    return names;
  }

  /** Ends all connections; calls under way fail. */
  @Override
  public void close() {
    calls.close();
  }

  private byte[] body(Digest digest, int limitBytes) throws IOException {
    return calls.body(calls.to(ChunkCalls.path(digest)).GET(), limitBytes);
  }

  private static String recordPath(String name) throws RegenException {
    RecordNames.check(name);
    return RECORDS + name;
  }

  private List<Digest> digests(byte[] answer) throws IOException {
    try {
      return DigestList.decode(answer);
    } catch (IllegalArgumentException e) {
      throw calls.nonsense(String.valueOf(e.getMessage()));
    }
  }
}
