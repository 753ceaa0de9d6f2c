package dev.regen.snapshot.remote;

import dev.regen.runtime.json.JsonObject;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Many chunks in one body.
 *
 * <p>To a server, big-endian: their number (2); of each the image's or queue's name, behind its
 * length (1), the layer's in the same form, its index (4), its digest (32), its length (4); then
 * the bytes of all of them in that order. The server answers with a JSON object whose {@code
 * failed} lists those it has not stored: {@code at} from 0, and {@code status} and {@code detail}
 * as if that one alone had been put.
 *
 * <p>From a server, for each digest that it was asked for: the chunk's length (4), 0 if it is not
 * there, and its bytes.
 */
public final class ChunkBatch {
  /** The most chunks in one. */
  public static final int CHUNKS_MAX = 512;

  /** The most bytes of a body. */
  public static final int BYTES_MAX = 16 << 20;

  /** Before the bytes of each chunk that a server sends. */
  public static final int LENGTH_BYTES = 4;

  /** The most bytes of an answer that names what failed. */
  static final int ANSWER_BYTES_MAX = 1 << 20;

  private ChunkBatch() {}

  /**
   * Why a chunk was not stored.
   *
   * @param status of HTTP, 400 or more
   */
  public record Failed(int status, String detail) {}

  /** What stands before the bytes of these chunks. */
  public static byte[] head(List<ChunkName> chunks) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeShort(chunks.size());
      for (ChunkName chunk : chunks) {
        writeText(out, chunk.image());
        writeText(out, chunk.layer());
        out.writeInt(chunk.index());
        out.write(HexFormat.of().parseHex(chunk.digest().hex()));
        out.writeInt(chunk.sizeBytes());
      }
    } catch (IOException e) {
      throw new IllegalStateException("writing to memory failed", e);
    }
    return bytes.toByteArray();
  }

  /**
   * Reads what {@link #head} wrote; the bytes of the chunks follow.
   *
   * @throws RegenException.BadInput if it is something else
   * @throws java.io.EOFException if it ends too early
   */
  public static List<ChunkName> readHead(InputStream body) throws IOException {
    DataInputStream in = new DataInputStream(body);
    int count = in.readUnsignedShort();
    if (count < 1 || count > CHUNKS_MAX) {
      throw new RegenException.BadInput(
          "a body of many chunks has 1 to " + CHUNKS_MAX + " of them, not " + count);
    }
    List<ChunkName> chunks = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      String image = readText(in);
      String layer = readText(in);
      int index = in.readInt();
      byte[] digest = in.readNBytes(DigestList.DIGEST_BYTES);
      try {
        chunks.add(
            new ChunkName(
                image, layer, index, new Digest(HexFormat.of().formatHex(digest)), in.readInt()));
      } catch (IllegalArgumentException e) {
        throw new RegenException.BadInput("chunk " + i + ": " + e.getMessage());
      }
    }
    return chunks;
  }

  /** How long a body of these chunks is, in bytes. */
  public static long bytes(List<ChunkName> chunks) {
    return head(chunks).length + chunks.stream().mapToLong(ChunkName::sizeBytes).sum();
  }

  /** A server's answer; those that {@code failed} does not name are stored. */
  public static byte[] answer(Map<Integer, Failed> failed) {
    List<JsonObject> all = new ArrayList<>();
    failed.forEach((at, why) ->
        all.add(
            new JsonObject()
                .with("at", at)
                .with("status", why.status())
                .with("detail", why.detail())));
    return new JsonObject().with("failed", all).bytes();
  }

  /**
   * Reads what {@link #answer} wrote.
   *
   * @param count how many chunks were sent
   * @throws IOException if it is something else
   */
  static Map<Integer, Failed> readAnswer(byte[] answer, int count) throws IOException {
    Map<Integer, Failed> failed = new LinkedHashMap<>();
    JsonObject said = JsonObject.parse(answer, 1L + 4L * count);
    if (!said.has("failed")) {
      throw new IOException("'failed' is missing");
    }
    for (JsonObject one : said.objects("failed")) {
      long at = one.number("at");
      long status = one.number("status");
      if (at < 0 || at >= count || status < 400 || status > 599) {
        throw new IOException("chunk " + at + " of " + count + " with status " + status);
      }
      failed.put((int) at, new Failed((int) status, one.string("detail")));
    }
    return failed;
  }

  private static void writeText(DataOutputStream out, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    out.writeByte(bytes.length);
    out.write(bytes);
  }

  private static String readText(DataInputStream in) throws IOException {
    byte[] bytes = in.readNBytes(in.readUnsignedByte());
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }
}
